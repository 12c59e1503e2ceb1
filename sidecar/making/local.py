"""The video by the built-in engine, in this process: no server, no network.

Uses what the service's own worker does. Loads the engine (half a second).
"""

from __future__ import annotations

from pathlib import Path

from sidecar.backends import worker
from sidecar.backends.base import BackendError
from sidecar.engine import FORMATS
from sidecar.errors import BadRequest
from sidecar.manifest import bundled_folder, load_pipelines
from sidecar.pipelines import check_params
from sidecar.studio.understood import understood
from sidecar.values import GenerateRequest

from .delivering import deliver
from .orders import Made, MakingError, Order, Tell, WrongOrder
from .places import check, scratch

PIPELINE = "camera-motion"


def make(order: Order, tell: Tell) -> Made:
    """Make the video. Raises MakingError, and whatever `tell` raises."""
    kind = format_of(order.video)
    if order.pipeline not in ("", PIPELINE):
        raise WrongOrder(
            f"The pipeline {order.pipeline!r} needs a ComfyUI: name a service with --server."
        )
    request = _request(order)
    check(order)
    scene = understood(order.text, order.params.get("negative", ""), "")
    tell(0.0, scene["understood"])
    with scratch(order) as folder:
        source, image, video = folder / "source", folder / "still.png", folder / f"video.{kind}"
        source.write_bytes(order.picture)

        def report(done: int, total: int) -> None:
            tell(done / total if total else 0.0, f"Frame {done} of {total}" if total else "")

        try:
            info = worker.render(source, request, image, video, report, kind)
        except BackendError as error:
            raise MakingError(error.error.error) from None
        return deliver(order, (image, video), info, PIPELINE, scene["understood"])


def format_of(path: Path) -> str:
    """Return the engine's name of the format that a file's suffix means. Raises WrongOrder."""
    named = {f".{row.extension}": name for name, row in FORMATS.items()}
    if path.suffix.lower() not in named:
        raise WrongOrder(f"{path.name or path} must end with one of {', '.join(named)}.")
    return named[path.suffix.lower()]


def _request(order: Order) -> GenerateRequest:
    pipeline = load_pipelines([bundled_folder()])[PIPELINE]
    try:
        params = check_params(pipeline, {"text": order.text, **order.params})
    except BadRequest as error:
        raise WrongOrder(error.error) from None
    return GenerateRequest("", order.text, PIPELINE, params=params)
