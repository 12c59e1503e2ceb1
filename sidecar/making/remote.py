"""The video by a PromptReel service, over its REST API. Knows the client; must not know the CLI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from promptreel_client import Job, PromptReel, PromptReelError, Refused

from sidecar.engine import EngineError, VideoInfo, probe
from sidecar.settings import is_base_url
from sidecar.studio.understood import understood

from .delivering import deliver
from .orders import Made, MakingError, Order, Tell, WrongOrder
from .places import check, scratch

MADE = ".mp4"  # what the service's pipelines make
_KEY = (401, 403)
_PATIENCE_S = 5.0  # with a service that is away or busy; somebody waits


def make(order: Order, tell: Tell, url: str, key: str) -> Made:
    """Make the video. Raises MakingError, and whatever `tell` raises: then the job is canceled."""
    if order.video.suffix.lower() != MADE:
        raise WrongOrder(f"A service makes {MADE} files: let the name {order.video.name} end so.")
    if not is_base_url(url):
        raise WrongOrder(f"--server takes an address such as http://127.0.0.1:8190, not {url!r}.")
    check(order)
    scene = understood(order.text, order.params.get("negative", ""), "")
    tell(0.0, scene["understood"])
    params: dict[str, Any] = dict(order.params)
    if order.pipeline:
        params["comfyPipeline"] = order.pipeline
    jobs: list[Job] = []

    def told(job: Job) -> None:
        jobs.append(job)
        tell(job.progress.value, _words(job))

    with scratch(order) as folder:
        video, image = folder / "video.mp4", folder / "still.png"
        try:
            reel = PromptReel(url, key, patience=_PATIENCE_S)
            result = reel.generate(order.picture, order.text, on_progress=told, **params)
            reel.download(result.video, video)
            if order.still is not None:
                reel.download(result.image, image)
        except Refused as error:
            raise _refusal(error) from None
        except (PromptReelError, ValueError) as error:
            raise MakingError(str(error)) from None
        info = _probed(video, url)
        return deliver(order, (image, video), info, jobs[-1].pipeline, scene["understood"])


def _words(job: Job) -> str:
    if job.status == "queued" and job.queue_position:
        return f"Waiting, {job.queue_position} before it"
    return job.progress.message or job.status.capitalize()


def _refusal(error: Refused) -> MakingError:
    if error.status in _KEY:
        return MakingError(f"{error} Put the key into PROMPTREEL_API_KEY.")
    if error.fields:
        return WrongOrder(str(error))
    return MakingError(str(error))


def _probed(video: Path, url: str) -> VideoInfo:
    try:
        return probe(video)
    except EngineError as error:
        raise MakingError(f"What {url} sent is no whole video: {error}") from None
