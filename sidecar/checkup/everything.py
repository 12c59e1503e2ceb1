"""All facts in order: settings, sidecar, ComfyUI, pack, models, encoders, Python."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from sidecar.manifest import PipelineError, bundled_folder, load_pipelines
from sidecar.pool.rows import read_servers
from sidecar.settings import Settings, SettingsError, load_settings, misspelt

from . import machine
from .comfyui import servers
from .findings import Finding, bad, note, ok
from .service import service


def examine(arguments: Sequence[str], environ: Mapping[str, str], version: str) -> list[Finding]:
    """Return all findings. `arguments` and `environ`: as `promptreel serve` would be started."""
    found: list[Finding] = []
    warning = misspelt(environ)
    if warning:
        found.append(note("settings", f"{warning[0].upper()}{warning[1:]}", "Correct their names."))
    settings = _settings(arguments, environ, found)
    found += service(settings)
    found += _elsewhere(settings, version)
    found += machine.encoders()
    found += machine.python()
    return found


def _settings(
    arguments: Sequence[str], environ: Mapping[str, str], found: list[Finding]
) -> Settings:
    """Return the settings; where they can't be used, say so and go on with the defaults."""
    try:
        settings = load_settings(arguments, environ)
    except SettingsError as error:
        found.append(bad("settings", str(error), "The sidecar would not start: correct it."))
        return Settings()
    found.append(ok("settings", "The settings can be used."))
    return settings


def _elsewhere(settings: Settings, version: str) -> list[Finding]:
    own = [Path(settings.pipelines_dir).expanduser()] if settings.pipelines_dir else []
    try:
        pipelines = load_pipelines([bundled_folder(), *own])
    except PipelineError as error:
        return [bad("pipelines", str(error), "Correct that pipeline, or move its folder away.")]
    try:
        rows = read_servers(settings)
    except SettingsError as error:
        return [bad("settings", str(error), "The sidecar would not start: correct it.")]
    return asyncio.run(servers(settings, rows, pipelines, version))
