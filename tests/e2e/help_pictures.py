"""Takes the pictures of the nodes' help pages: each node as the editor draws it, in use.

    python -m tests.e2e.help_pictures

They lie in `web/docs/pictures`, from where the editor's help finds them in every language.
Knows the editor and Pillow; must not know families.
"""

from __future__ import annotations

import asyncio
import io

from PIL import Image
from playwright.async_api import FloatRect

from tests.e2e.by_hand import BY_HAND
from tests.e2e.comfyui_server import PACK, ComfyUI
from tests.e2e.editor import editor, own_server

PICTURES = PACK / "web" / "docs" / "pictures"
NAMES = {
    "PromptReelRequest": "request",
    "PromptReelScene": "scene",
    "PromptReelCamera": "camera",
    "PromptReelAnimate": "animate",
    "PromptReelImageToVideo": "image-to-video",
}
MARGIN = 12
MOST_BYTES = 40_000
ALONE = """(type) => {
    for (const node of app.graph.nodes) if (node.type === type) node.pos = [420, 200];
    else node.pos = [4000, 200];
    app.canvas.ds.scale = 1;
    app.canvas.ds.offset = [0, 0];
    app.canvas.setDirty(true, true);
    const box = app.graph.nodes.find((node) => node.type === type).getBounding();
    const [left, top] = app.canvas.ds.convertOffsetToCanvas([box[0], box[1]]);
    const page = app.canvas.canvas.getBoundingClientRect();
    return { x: page.left + left, y: page.top + top, width: box[2], height: box[3] };
}"""


async def take(comfyui: ComfyUI) -> None:
    """Take all of them."""
    PICTURES.mkdir(exist_ok=True)
    async with editor(comfyui, 1500, 1200) as opened:
        await opened.page.evaluate(BY_HAND, "wan_2.1_vae.safetensors")
        await opened.page.wait_for_timeout(8000)  # until the editor's own news has gone
        for kind, name in NAMES.items():
            await opened.page.evaluate(ALONE, kind)
            await opened.page.wait_for_timeout(1000)
            box = await opened.page.evaluate(ALONE, kind)
            clip = FloatRect(
                x=box["x"] - MARGIN,
                y=box["y"] - MARGIN,
                width=box["width"] + 2 * MARGIN,
                height=box["height"] + 2 * MARGIN,
            )
            taken = Image.open(io.BytesIO(await opened.page.screenshot(clip=clip)))
            target = PICTURES / f"{name}.webp"
            taken.convert("RGB").save(target, "WEBP", quality=80, method=6)
            print(name, taken.size, target.stat().st_size)


def main() -> None:
    """Take them on a server of its own, without models."""
    with own_server() as comfyui:
        asyncio.run(take(comfyui))


if __name__ == "__main__":
    main()
