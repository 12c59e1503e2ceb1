"""/promptreel/sidecar: a service for this ComfyUI, started and stopped by its user. Off by default.

    GET   /promptreel/sidecar        {available, why, state, running, address, said}
    POST  /promptreel/sidecar        {run: true or false}, the same answer
    GET   /promptreel/sidecar/jobs   {jobs}: its newest ones, asked of it from here

Whoever may start programs on this machine should sit at it: where ComfyUI can be reached from other
machines, starting is refused unless PROMPTREEL_PANEL_SIDECAR=1 is in its environment.
"""

from __future__ import annotations

import asyncio
import os
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from ..engine.errors import ParameterError
from ..service.child import Child, Condition
from ..service.program import Program, find
from .answers import Route, read
from .here import is_loopback, listens_here_only, own_url, system_folder
from .refusing import Refused, refusing

PATH = "/promptreel/sidecar"
ALLOWED = "PROMPTREEL_PANEL_SIDECAR"
MOST_JOBS = 20
ANSWER_S = 10.0


async def ask_condition(_: web.Request) -> web.Response:
    """Tell how it is."""
    return web.json_response(await asyncio.to_thread(_told))


async def ask_run(request: web.Request) -> web.Response:
    """Start or stop it."""
    body = await read(request)
    if not isinstance(body.get("run"), bool):
        raise ParameterError("run must be true or false.")
    _check_allowed(request)
    work = _start if body["run"] else child().stop
    await asyncio.to_thread(work)
    return web.json_response(await asyncio.to_thread(_told))


async def ask_jobs(_: web.Request) -> web.Response:
    """Return its newest jobs."""
    address = (await asyncio.to_thread(child().condition)).address
    if not address:
        raise Refused("The service does not run: start it first.", 409)
    return web.json_response({"jobs": await _jobs(address)})


async def _jobs(address: str) -> list[Any]:
    timeout = aiohttp.ClientTimeout(total=ANSWER_S)
    query = {"limit": str(MOST_JOBS)}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"{address}/api/jobs", params=query) as answer,
        ):
            told = await answer.json()
    except (aiohttp.ClientError, asyncio.TimeoutError, ValueError):
        raise Refused("The service does not answer: look at its last line.", 502) from None
    if answer.status != 200:
        raise Refused(str(told.get("error") or "The service refuses to tell its jobs."), 502)
    return told["jobs"]


@lru_cache
def child() -> Child:
    """Return this process's one."""
    return Child()


def _told() -> dict[str, Any]:
    program, condition = find(), child().condition()
    return {
        "available": not program.why,
        "why": program.why,
        "state": condition.state,
        "running": condition.state == "running",
        "address": condition.address,
        "said": condition.said,
    }


def _start() -> Condition:
    program, folder = find(), _folder()
    if program.why:
        raise Refused(program.why, 409)
    return _started(program, folder)


def _started(program: Program, folder: Path) -> Condition:
    environment = program.environment(own_url(), os.environ)
    command = program.command(folder / "data")
    try:
        return child().start(command, environment, folder / "sidecar.log")
    except OSError as error:
        raise Refused(f"It can't be started: {error.strerror or 'no reason given'}.", 500) from None


def _folder() -> Path:
    folder = system_folder()
    if folder is None:
        raise Refused("This is no ComfyUI.", 409)
    return folder / "sidecar"


def _check_allowed(request: web.Request) -> None:
    if os.environ.get(ALLOWED, "").strip() in ("1", "true", "yes", "on"):
        return
    host = urlsplit(f"//{request.host}").hostname or ""
    if not listens_here_only() or not is_loopback(host):
        raise Refused(
            "ComfyUI can be reached from other machines: to start a service from here, set "
            f"{ALLOWED}=1 in its environment, or start one at the machine itself.",
            403,
        )


ROUTES = (
    Route("GET", PATH, refusing(ask_condition)),
    Route("POST", PATH, refusing(ask_run)),
    Route("GET", f"{PATH}/jobs", refusing(ask_jobs)),
)
