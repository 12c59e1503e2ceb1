"""Each ComfyUI that the settings name: does it answer, how old is it, has it the pack and models.

Asks by the service's own catalog. Must not know how it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp

from sidecar.backends.catalog import ServerCatalog
from sidecar.comfy.client import new_session
from sidecar.errors import ApiError
from sidecar.http.bodies import PipelineBody
from sidecar.pipelines import Pipeline
from sidecar.pool.rows import ServerRow
from sidecar.settings import Settings

from .findings import Finding, bad, note, ok

OURS = "PromptReel"  # what the pack's node classes begin with
BOOT = "/promptreel/boot"  # where the pack tells its version
_SAMPLE = "camera-motion"  # needs the pack and no model
_INSTALL = "python install.py install"


async def servers(
    settings: Settings,
    rows: tuple[ServerRow, ...],
    pipelines: Mapping[str, Pipeline],
    version: str,
) -> list[Finding]:
    """Tell of every ComfyUI. `version`: our own, which the pack's should be."""
    if settings.mode == "demo":
        return [ok("comfyui", "Mode demo: the built-in engine makes the videos, no ComfyUI.")]
    found: list[Finding] = []
    async with new_session() as session:
        catalog = ServerCatalog(session, pipelines)
        for row in rows:
            if await catalog.alive(row.url):
                found += await _known(row, catalog, session, version)
            else:
                found.append(_away(row, settings))
    return found


def _away(row: ServerRow, settings: Settings) -> Finding:
    start = f"Start ComfyUI, or correct its address ({row.url})."
    if row.named:
        return bad("comfyui", f"The ComfyUI {row.url} was named, but does not answer.", start)
    if settings.mode == "comfyui":
        text = f"No ComfyUI answers at {row.url}, and mode comfyui forbids the built-in engine."
        return bad("comfyui", text, start)
    text = f"No ComfyUI answers at {row.url}: the built-in engine makes the videos."
    return note("comfyui", text, "For other pipelines start a ComfyUI, or set COMFYUI_SERVER_URL.")


async def _known(
    row: ServerRow, catalog: ServerCatalog, session: aiohttp.ClientSession, version: str
) -> list[Finding]:
    try:
        listing = await catalog.listing(row.url)
    except ApiError as error:
        text = f"The ComfyUI at {row.url} answers, but does not tell its nodes: {error.error}"
        return [bad("comfyui", text, "Look into ComfyUI's log.")]
    bodies = {body["name"]: body for body in listing["pipelines"]}
    found = [_age(row, catalog.version(row.url), bodies[_SAMPLE])]
    found.append(await _pack(row, bodies[_SAMPLE], session, version))
    return found + [_pipeline(row, body) for name, body in bodies.items() if name != _SAMPLE]


def _age(row: ServerRow, version: str, sample: PipelineBody) -> Finding:
    said = f"ComfyUI {version or 'of unknown version'} answers at {row.url}"
    missing = sample["missing"]
    if missing is not None and missing["comfyui"]:
        return bad("comfyui", f"{said}, which is too old: {missing['comfyui']}.", "Update it.")
    return ok("comfyui", f"{said}.")


async def _pack(
    row: ServerRow, sample: PipelineBody, session: aiohttp.ClientSession, version: str
) -> Finding:
    missing = sample["missing"]
    lacking = [name for name in missing["nodes"] if name.startswith(OURS)] if missing else []
    if lacking:
        text = f"The PromptReel nodes are not loaded in {row.url}."
        do = f"{_INSTALL} puts them there; restart ComfyUI then, and look into its log."
        return note("pack", text, do)
    there = await _version_there(row.url, session)
    if there and there != version:
        text = f"The PromptReel nodes in {row.url} are version {there}, this is {version}."
        return note("pack", text, f"Bring both to one version: {_INSTALL}, then restart ComfyUI.")
    told = f", version {there}" if there else ""
    return ok("pack", f"The PromptReel nodes are loaded in {row.url}{told}.")


async def _version_there(url: str, session: aiohttp.ClientSession) -> str:
    """Return the version that the pack tells; blank where it tells none."""
    try:
        timeout = aiohttp.ClientTimeout(total=5)
        async with session.get(url + BOOT, timeout=timeout, allow_redirects=False) as answer:
            told: object = (await answer.json()).get("version", "")
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, AttributeError):
        return ""
    return told if isinstance(told, str) else ""


def _pipeline(row: ServerRow, body: PipelineBody) -> Finding:
    missing, name = body["missing"], body["name"]
    if missing is None or not any(missing.values()):
        return ok("models", f"{name} can run.")
    parts = [missing["comfyui"]] if missing["comfyui"] else []
    parts += [f"node {node}" for node in missing["nodes"]]
    parts += [f"{model['folder']}/{model['name']}" for model in missing["models"]]
    ours = [node for node in missing["nodes"] if node.startswith(OURS)]
    old = missing["comfyui"] or len(missing["nodes"]) > len(ours)
    steps = ["Update ComfyUI"] if old else []
    steps += [_INSTALL] if ours else []
    steps += [f"promptreel models pull {name} --comfyui PATH"] if missing["models"] else []
    do = ", then: ".join(steps)
    return note("models", f"{name} can't run in {row.url}, it lacks {', '.join(parts)}.", f"{do}.")
