"""Draws the pictures of the example workflows that ComfyUI's template browser shows.

    python -m tests.e2e.example_thumbnails [NAME ...]     all examples, or these

The browser shows `example_workflows/NAME.jpg` beside `NAME.json`, in a square. camera-motion's are
frames of a video that it really made. The models are not here: theirs are the graph as the editor
draws it, with the pipeline's title, and no picture that could be taken for a model's work.
Knows the editor and Pillow; must not know families.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import av
from PIL import Image, ImageDraw, ImageFont

from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.editor import Editor, editor, own_server
from tests.e2e.example_workflows import EXAMPLES, WORKFLOWS

CAMERA = "camera-motion"
SIDE, MARGIN = 480, 24
BACK, LINE, TITLE, TEXT = "#1e1f22", "#d0894a", "#ffffff", "#b9bcc2"
MOST_BYTES = 30_000
VIEW = (1900, 900)
ONLY_GRAPH = """async () => {
    const canvas = app.canvas.canvas;
    for (const bar of document.querySelectorAll("body > *"))
        if (!bar.contains(canvas)) bar.style.visibility = "hidden";
    for (let at = canvas; at !== document.body; at = at.parentElement)
        for (const beside of at.parentElement.children)
            if (beside !== at && !beside.querySelector(".dom-widget"))
                beside.style.visibility = "hidden";
    const boxes = app.graph.nodes.map((node) => [...node.getBounding()]);
    const left = Math.min(...boxes.map((b) => b[0])) - 20;
    const top = Math.min(...boxes.map((b) => b[1])) - 20;
    const width = Math.max(...boxes.map((b) => b[0] + b[2])) + 20 - left;
    const height = Math.max(...boxes.map((b) => b[1] + b[3])) + 20 - top;
    const scale = Math.min(window.innerWidth / width, window.innerHeight / height);
    app.canvas.ds.scale = scale;
    app.canvas.ds.offset = [-left, -top];
    app.canvas.setDirty(true, true);
    return [width * scale, height * scale];
}"""


def examples() -> list[str]:
    """The names of all example workflows."""
    return [path.stem for path in sorted(EXAMPLES.glob("*.json"))]


async def draw(comfyui: ComfyUI, names: list[str]) -> None:
    """Draw the pictures of these examples; the one that runs needs the editor's bars still."""
    async with editor(comfyui, *VIEW) as opened:
        for name in sorted(names, key=lambda name: name != CAMERA):
            workflow = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
            await opened.open_workflow(workflow)
            if name == CAMERA:
                await opened.run()
                picture = two_frames(newest(comfyui.output_dir))
            else:
                picture = card(name, await shot(opened))
            save(picture, EXAMPLES / f"{name}.jpg")
            print(name)


async def shot(opened: Editor) -> Image.Image:
    """Return the open graph alone, as the editor draws it."""
    await opened.page.wait_for_timeout(1500)
    await opened.page.keyboard.press("Escape")  # the missing models
    await opened.page.wait_for_timeout(500)
    width, height = await opened.page.evaluate(ONLY_GRAPH)
    await opened.page.wait_for_timeout(1000)
    whole = Image.open(io.BytesIO(await opened.page.screenshot())).convert("RGB")
    return whole.crop((0, 0, round(width), round(height)))


def card(name: str, graph: Image.Image) -> Image.Image:
    """Return a square: a pipeline's title, its graph, and what it does."""
    manifest = json.loads((WORKFLOWS / name / "pipeline.json").read_text(encoding="utf-8"))
    made = Image.new("RGB", (SIDE, SIDE), BACK)
    pen = ImageDraw.Draw(made)
    pen.multiline_text(
        (MARGIN, MARGIN), textwrap.fill(manifest["title"], 22), TITLE, font(36), spacing=6
    )
    scale = SIDE / graph.width
    small = graph.resize((SIDE, round(graph.height * scale)), Image.Resampling.LANCZOS)
    top = 116
    pen.rectangle((0, top - 3, SIDE, top + small.height + 2), LINE)
    made.paste(small, (0, top))
    said = textwrap.fill(manifest["description"], 46, max_lines=4, placeholder=" ...")
    pen.multiline_text((MARGIN, top + small.height + 18), said, TEXT, font(19), spacing=5)
    return made


def two_frames(video: Path) -> Image.Image:
    """Return a square of a video's first and last frame, with what they are."""
    made = Image.new("RGB", (SIDE, SIDE), BACK)
    pen = ImageDraw.Draw(made)
    told = zip(ends(video), ("first frame", "last frame"), strict=True)
    for row, (frame, said) in enumerate(told):
        height = SIDE // 2 - 2
        scale = SIDE / frame.width
        wide = frame.resize((SIDE, round(frame.height * scale)), Image.Resampling.LANCZOS)
        above = (wide.height - height) // 2
        top = row * (height + 4)
        made.paste(wide.crop((0, above, SIDE, above + height)), (0, top))
        pen.text((14, top + 10), said, TITLE, font(20), stroke_width=2, stroke_fill="#000000")
    return made


def ends(video: Path) -> Iterator[Image.Image]:
    """Yield a video's first and last frame."""
    with av.open(str(video)) as container:
        frames = list(container.decode(video=0))
    yield from (frames[at].to_image() for at in (0, -1))


def newest(folder: Path) -> Path:
    """Return the video that was written last."""
    return max(folder.rglob("*.mp4"), key=lambda path: path.stat().st_mtime)


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font, which is the same on every machine."""
    return ImageFont.load_default(size)


def save(picture: Image.Image, target: Path) -> None:
    """Save with the best quality that keeps the file small."""
    for quality in range(85, 40, -5):
        picture.save(target, "JPEG", quality=quality, optimize=True)
        if target.stat().st_size < MOST_BYTES:
            return
    sys.exit(f"{target.name} is too large.")


def main(names: list[str]) -> None:
    """Draw them on a server of its own, without models."""
    with own_server() as comfyui:
        asyncio.run(draw(comfyui, names or examples()))


if __name__ == "__main__":
    main(sys.argv[1:])
