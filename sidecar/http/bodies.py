"""The shapes of the JSON that the service answers; the OpenAPI document is made from them.

What stands below a key is its description there. Must not know how an answer is made.
"""

from __future__ import annotations

from typing import Literal

from typing_extensions import NotRequired, TypedDict

from sidecar.rules import ParamType
from sidecar.values import Json

State = Literal["queued", "running", "succeeded", "failed", "canceled"]
ServerStatus = Literal["unknown", "ok", "away", "stuck"]


class ErrorBody(TypedDict):
    """Why the answer is not a yes."""

    error: str
    """One sentence that says what to do."""
    details: str
    """More about it."""
    code: str
    """A stable word of the table of codes (docs/errors.md)."""
    fields: NotRequired[dict[str, str]]
    """What is wrong with each field, where fields are wrong."""


class Uploaded(TypedDict):
    """A stored picture."""

    imageUrl: str
    """Its address, to be sent to /api/generate."""


class Video(TypedDict):
    """A finished video."""

    image: str
    """Address of the still that the video starts from."""
    video: str
    """Address of the video."""
    jobId: str
    """The job that made it."""
    workflowResponse: NotRequired[Json]
    """What ComfyUI said: prompt_id, number, node_errors, outputs, status. Only if it ran."""
    isDemo: NotRequired[bool]
    """True if the built-in engine made the video because there is no ComfyUI."""


class ProgressBody(TypedDict):
    """How far a job is."""

    value: float
    """From 0 to 1; it never goes back, and 1 means that the result is there."""
    message: str
    """What is being done, for people."""
    node: str | None
    """The node that ComfyUI is at."""
    step: int | None
    """The step that the node is at."""
    steps: int | None
    """How many steps the node has."""


class AskedBody(TypedDict):
    """What a job was asked for."""

    imageUrl: str
    """The picture, as it is stored here."""
    text: str
    """What should happen; in a list cut after 1000 characters."""
    parameters: Json
    """The pipeline's parameters that were given."""


class JobUrls(TypedDict):
    """Addresses of a job."""

    self: str
    """The job."""
    events: str
    """What happens to it, as server-sent events."""
    cancel: str
    """To be posted to, so that it stops."""


class JobBody(TypedDict):
    """A job: one request for a video."""

    id: str
    """Its name in addresses."""
    status: State
    """succeeded, failed and canceled are final."""
    progress: ProgressBody
    """How far it is."""
    queuePosition: int | None
    """How many jobs start before it; null if it does not wait."""
    pipeline: str | None
    """The pipeline that makes the video."""
    createdAt: str | None
    """RFC 3339, UTC."""
    startedAt: str | None
    """RFC 3339, UTC; null before."""
    finishedAt: str | None
    """RFC 3339, UTC; null before."""
    result: Video | None
    """The video, if it succeeded."""
    error: ErrorBody | None
    """Why it failed, if it did."""
    request: NotRequired[AskedBody]
    """What it was asked for; not in events and webhooks."""
    urls: JobUrls
    """Where to go on."""


class JobList(TypedDict):
    """Some jobs, the newest first."""

    jobs: list[JobBody]
    """The caller's own."""
    nextCursor: str | None
    """The `cursor` of the next older ones; null at the end."""


class MoveBody(TypedDict):
    """A move of the camera."""

    kind: str
    """dolly_in, pan_left, ..."""
    strength: float
    """1: as usual."""
    shot: int
    """Which step it belongs to, from 0; moves of one step are made together."""
    seconds: float | None
    """How long the step lasts; null: its share."""


class SceneBody(TypedDict):
    """How a text is understood."""

    understood: str
    """One sentence for people."""
    seconds: float | None
    """The length that the text asks for."""
    moves: list[MoveBody]
    """The camera's, in order."""
    look: list[str]
    """Names of looks: sunset, night, ..."""
    prompt: str
    """What a video model is told: the text without camera, length and tags."""
    negative: str
    """What must not be seen."""
    explicitCamera: bool
    """Whether the text names a camera move; else `moves` are the default."""


class PreviewBody(TypedDict):
    """A small picture of what is being made."""

    mime: str
    """Its type."""
    data: str
    """Its bytes in base64."""


class WebhookBody(TypedDict):
    """What a webhook is told (Standard Webhooks)."""

    type: str
    """job.succeeded, job.failed or job.canceled."""
    timestamp: str | None
    """When the job ended: RFC 3339, UTC."""
    data: JobBody
    """The job."""


class ParameterBody(TypedDict):
    """A field of /api/generate that a pipeline takes."""

    name: str
    """The field."""
    type: ParamType
    """What its text must be."""
    default: str | int | float | bool | None
    """What holds without it; null: the pipeline's own choice."""
    minimum: float | None
    """The least value."""
    maximum: float | None
    """The greatest value; of a string: the most characters."""
    choices: list[str]
    """The values of an enum."""
    help: str
    """What it does."""


class ModelBody(TypedDict):
    """A model file that a pipeline needs."""

    name: str
    """As the graph names it."""
    folder: str
    """ComfyUI's folder of models."""
    size: int | None
    """Bytes."""
    licence: str
    """Its licence, if known."""
    source: str
    """Where to download it, if known."""
    sha256: NotRequired[str]
    """Its digest, if known."""


class MissingBody(TypedDict):
    """What a ComfyUI lacks to run a pipeline."""

    nodes: list[str]
    """Node classes."""
    models: list[ModelBody]
    """Model files, each with the folder that it belongs in."""
    comfyui: str
    """A sentence about ComfyUI's own version, or blank."""


class PipelineBody(TypedDict):
    """A way to make a video."""

    name: str
    """What comfyPipeline names it by."""
    title: str
    """For people."""
    description: str
    """For people."""
    default: bool
    """Whether it is taken where a request names none."""
    parameters: list[ParameterBody]
    """The fields that it takes besides imageUrl, text and the addresses."""
    nodes: list[str]
    """Node classes that it needs."""
    models: list[ModelBody]
    """Model files that it needs."""
    requires: str
    """The least version of ComfyUI, or blank."""
    vram: str
    """Memory of the GPU that it asks for, or blank."""
    published: bool
    """Whether somebody published it on a ComfyUI, from its editor."""
    missing: MissingBody | None
    """What the ComfyUI lacks; null where there is none."""
    servers: NotRequired[list[str]]
    """Which of several ComfyUIs can run it."""


class UnusableBody(TypedDict):
    """A pipeline published on a ComfyUI that can't be used."""

    name: str
    """What it was published as."""
    serverUrl: str
    """The ComfyUI that it lies on."""
    reason: str
    """Why not."""


class PipelineList(TypedDict):
    """The pipelines, as one ComfyUI can run them."""

    serverUrl: str | None
    """The ComfyUI; null: several, or none."""
    pipelines: list[PipelineBody]
    """All that are known."""
    unusable: list[UnusableBody]
    """Those published on a ComfyUI that can't be used."""


class ServerBody(TypedDict):
    """A ComfyUI, as of the last look at it."""

    url: str
    """Its address."""
    name: str
    """What the operator calls it."""
    status: ServerStatus
    """stuck: it answers, but does not stop a job."""
    statusSeconds: float
    """For how long."""
    version: str | None
    """Of ComfyUI."""
    queueDepth: int | None
    """Jobs in its queue, of others too; null while it is away."""
    inFlight: int
    """Jobs of this service there."""
    maxInFlight: int
    """How many it gets at once."""
    pipelines: list[str] | None
    """Those that it can run; null: not known yet."""


class ServerList(TypedDict):
    """The ComfyUIs that share the work."""

    servers: list[ServerBody]
    """In the operator's order; none in demo mode."""


class Health(TypedDict):
    """The service is alive."""

    status: Literal["ok"]
    """Always."""
    version: str
    """Of the service."""


class Ready(TypedDict):
    """A video could be made now."""

    status: Literal["ready"]
    """Always."""
    isDemo: bool
    """Whether the built-in engine would make it."""
    details: str
    """By what, for people."""


class Welcome(TypedDict):
    """What this is, and where to go."""

    name: str
    """PromptReel."""
    description: str
    """One sentence."""
    version: str
    """Of the service."""
    upload: str
    """Address of POST /api/upload."""
    generate: str
    """Address of POST /api/generate."""
    pipelines: str
    """Address of GET /api/pipelines."""
    health: str
    """Address of GET /api/health."""
    docs: str
    """Address of the page to read and try the API."""
