"""Who provokes which error codes: a registry, and what those who do it have at hand.

A case declares the codes it provokes, does what a client, an operator or a disk would do, and
returns what was really answered, or really stored as the error of a job. Must not know the codes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from sidecar.app import create_app
from sidecar.openapi.samples import picture, requests
from sidecar.settings import Settings
from tests.openapi.described import Checked
from tests.service import picture_form
from tests.sidecar.jobs_http import ASYNC

GOOD = requests()["small"]
GENERATE, UPLOAD, READY = "/api/generate", "/api/upload", "/api/ready"


@dataclass
class World:
    """The services of one case. `patch` is for what belongs to the system, never to the service."""

    serve: Callable[[Any], Awaitable[Any]]
    settings: Settings
    patch: pytest.MonkeyPatch
    folder: Path

    async def start(self, **changes: Any) -> Checked:
        """Start a service with other settings; every answer is held against its document."""
        client = await self.serve(create_app(replace(self.settings, **changes)))
        return Checked(client, await (await client.get("/api/openapi.json")).json())


Case = Callable[[World], Awaitable[set[str]]]


@dataclass(frozen=True)
class Provoking:
    """A case, what it provokes, and whether as answers or as errors of jobs."""

    codes: frozenset[str]
    kind: str
    case: Case


ALL: list[Provoking] = []


def provokes(*codes: str, kind: str = "request") -> Callable[[Case], Case]:
    """Enter a case. `kind`: "request" or "job"."""

    def enter(case: Case) -> Case:
        ALL.append(Provoking(frozenset(codes), kind, case))
        return case

    return enter


def ask(**fields: Any) -> dict[str, Any]:
    """Return what a good request for a video is sent with, but for these fields."""
    return {"json": {**GOOD, **fields}}


def with_headers(**more: str) -> dict[str, Any]:
    """Return a good request with these headers; `_` stands for `-`."""
    return {**ask(), "headers": {name.replace("_", "-"): value for name, value in more.items()}}


async def sent(checked: Checked, data: bytes | None = None, **more: Any) -> str:
    """Upload a picture; return its address."""
    form = picture_form(BytesIO(picture() if data is None else data))
    return (await checked.ask("POST", UPLOAD, expect=200, data=form, **more))["imageUrl"]


async def begun(checked: Checked, **fields: Any) -> str:
    """Ask for a video without waiting; return the job's id."""
    body = await checked.ask("POST", GENERATE, expect=202, headers=ASYNC, **ask(**fields))
    return body["id"]
