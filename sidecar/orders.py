"""What a client asks for, checked: named texts become a GenerateRequest, or a clear refusal.

Knows the contract's fields. Must not know HTTP bodies, queues or how a video is made.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from .errors import BadRequest
from .http.bodies import PipelineList
from .http.forms import unknown_fields
from .pipelines import Pipeline, check_params, find, kept_of
from .rules import COMMON
from .servers import Servers
from .sources import Sources
from .values import GenerateRequest, Webhook

# The fields that belong to no pipeline, and what each is.
HELP: Mapping[str, str] = {
    "imageUrl": "the picture: what /api/upload gave, or any public picture's address",
    "text": "what should happen in the video",
    "serverUrl": "the ComfyUI to use; the operator must allow it",
    "comfyPipeline": "the pipeline to run; without it the best that the ComfyUI can run",
    "webhookUrl": "an address that is told when the job is over; the operator must allow webhooks",
}
FIELDS = tuple(HELP)
TEXTS = (*FIELDS, *(param.name for param in COMMON if param.type == "string"))
REQUIRED = ("imageUrl", "text")
DEMO_PIPELINE = "camera-motion"
MAX_TEXT = 200_000  # characters; the engine looks at no more


def known_fields(pipelines: Mapping[str, Pipeline]) -> set[str]:
    """Return every field that some pipeline takes."""
    own = {param.name for pipeline in pipelines.values() for param in pipeline.params}
    return {*FIELDS, *(param.name for param in COMMON), *own}


class Catalog(Protocol):
    """Which pipelines there are, and which of them a ComfyUI can run."""

    @property
    def pipelines(self) -> Mapping[str, Pipeline]:
        """All known pipelines by name."""
        ...

    async def alive(self, url: str) -> bool:
        """Whether a ComfyUI answers there, quickly."""
        ...

    async def listing(self, server: str | None) -> PipelineList:
        """Return the body of GET /api/pipelines: each pipeline, and what it lacks there."""
        ...

    async def choose(
        self, server: str, name: str | None, fits: Callable[[Pipeline], bool]
    ) -> Pipeline:
        """Return the named pipeline, or the best that the server can run and that fits what is
        asked (if none fits: the best that it can run).

        Raises BadRequest for one that is unknown or lacks something there, and ServerFailure for a
        server that can't be reached.
        """
        ...


class Callbacks(Protocol):
    """Which addresses may be told that a job is over."""

    async def webhook(self, address: str, base: str) -> Webhook:
        """Return the checked address. Raises BadRequest."""
        ...


class Orders:
    """Turns fields into a checked request; its picture is in the store when it returns."""

    def __init__(
        self, servers: Servers, catalog: Catalog, sources: Sources, callbacks: Callbacks
    ) -> None:
        self._servers = servers
        self._catalog = catalog
        self._sources = sources
        self._callbacks = callbacks

    async def take(
        self,
        fields: Mapping[str, str],
        own_hosts: Collection[str],
        base: str,
        name: Callable[[str], str] = str,
    ) -> tuple[GenerateRequest, Webhook | None]:
        """Check everything, the cheap things first. Raises ApiError.

        `base`: what links in the webhook's message begin with. `name`: as in Pictures.
        """
        _require(fields)
        server = await self._servers.choose(fields.get("serverUrl"))
        pipeline = await self._pipeline(server, fields)
        params = _params(pipeline, fields)
        address = fields.get("webhookUrl")
        webhook = None if address is None else await self._callbacks.webhook(address.strip(), base)
        image = await self._sources.picture(fields["imageUrl"].strip(), own_hosts, name)
        kept = kept_of(pipeline)
        return GenerateRequest(image, fields["text"], pipeline.name, server, params, kept), webhook

    async def _pipeline(self, server: str | None, fields: Mapping[str, str]) -> Pipeline:
        name = fields.get("comfyPipeline")
        if server is not None:
            return await self._catalog.choose(server, name, lambda one: _fits(one, fields))
        pipeline = find(self._catalog.pipelines, name or DEMO_PIPELINE)
        if pipeline.name != DEMO_PIPELINE:
            raise BadRequest(
                f"The pipeline {pipeline.name!r} needs a ComfyUI: name one by serverUrl or "
                "COMFYUI_SERVER_URL, or leave comfyPipeline out.",
                code="pipeline_needs_comfyui",
                fields={"comfyPipeline": "needs a ComfyUI"},
            )
        return pipeline


def _require(fields: Mapping[str, str]) -> None:
    missing = {name: "required" for name in REQUIRED if name not in fields}
    if missing:
        asked = " and ".join(f"{name} ({HELP[name]})" for name in missing)
        raise BadRequest(f"Missing or blank: {asked}.", code="missing_field", fields=missing)
    if len(fields["text"]) > MAX_TEXT:
        raise BadRequest(
            f"The text is too long: at most {MAX_TEXT} characters.", fields={"text": "too long"}
        )


def _fits(pipeline: Pipeline, fields: Mapping[str, str]) -> bool:
    """Whether the pipeline takes all parameters that were given."""
    try:
        _params(pipeline, fields)
    except BadRequest:
        return False
    return True


def _params(pipeline: Pipeline, fields: Mapping[str, str]) -> Mapping[str, object]:
    """Check what belongs to the pipeline. Raises BadRequest."""
    accepted = (*FIELDS, *(param.name for param in pipeline.params))
    unknown = [name for name in fields if name not in accepted]
    if unknown:
        raise unknown_fields(unknown, accepted)
    own = {name: text for name, text in fields.items() if name not in FIELDS or name == "text"}
    return check_params(pipeline, own)
