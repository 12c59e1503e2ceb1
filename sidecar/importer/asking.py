"""/object_info of a running ComfyUI, for surer findings. Knows `sidecar.comfy`."""

from __future__ import annotations

import asyncio
from typing import cast

from sidecar.comfy.client import ComfyClient, new_session, normalize_url
from sidecar.comfy.errors import ComfyError
from sidecar.rules import ImportFailure
from sidecar.values import Json


def ask_nodes(url: str) -> dict[str, Json]:
    """Return what a ComfyUI says of its node classes. Raises ImportFailure."""
    try:
        return asyncio.run(_ask(normalize_url(url)))
    except ValueError as error:
        raise ImportFailure(str(error)) from None
    except ComfyError:
        raise ImportFailure(f"No ComfyUI answers at {url}.") from None


async def _ask(url: str) -> dict[str, Json]:
    async with new_session() as session:
        info = await ComfyClient(url, session, answer_s=30.0).object_info()
    return {name: cast("Json", row) for name, row in info.items() if isinstance(row, dict)}
