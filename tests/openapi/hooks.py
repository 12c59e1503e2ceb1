"""What Schemathesis can't know of a picture service: real pictures, and videos that cost little.

Loaded by Schemathesis itself (SCHEMATHESIS_HOOKS). Only what is meant to be right is made right:
a schema can't say which addresses hold a picture, which pipeline a service without ComfyUI has, or
which cursors were given. What is meant to be wrong is sent as it is: with a header added here
Schemathesis would take it for right.
"""

from __future__ import annotations

import itertools

import schemathesis
from hypothesis import strategies

from sidecar.openapi.samples import picture, requests

EXAMPLE = requests()["small"]
KEPT = ("text", "aspect", "fps", "seed", "negative")  # of what was made up
CHEAP = {"seconds": 0.5, "resolution": "480p", "comfyPipeline": "camera-motion"}
NOT_GIVEN = {"GET /api/jobs": "cursor", "GET /api/pipelines": "serverUrl"}

WAITING = 4  # one in so many right requests goes as it is, and may wait for its video
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")  # which have no null
_generated = itertools.count()

PICTURES = ("image/jpeg", "image/gif", "image/webp", "image/bmp", "image/tiff")

schemathesis.openapi.media_type("image/png", strategies.just(picture()), aliases=PICTURES)


@schemathesis.hook
def before_call(ctx, case, kwargs):
    label = case.operation.label
    wrong = case.meta is not None and not case.meta.generation.mode.is_positive
    if isinstance(case.body, dict) and case.media_type in FORMS and _unsent(case.body):
        case.body = _sent(case.body, wrong=wrong)  # only then: a new body loses how it is encoded
    if case.meta is None or wrong:
        return
    if label == "POST /api/generate" and isinstance(case.body, dict):
        kept = {name: case.body[name] for name in KEPT if name in case.body}
        case.body = {"imageUrl": _given(case.body.get("imageUrl")), **kept, **CHEAP}
        if next(_generated) % WAITING:
            case.headers = {**(case.headers or {}), "Prefer": "respond-async"}
    elif label == "GET /api/files/{name}" and case.headers:
        case.headers = {name: x for name, x in case.headers.items() if name != "Range"}
    elif label in NOT_GIVEN and case.query:
        case.query = {name: x for name, x in case.query.items() if name != NOT_GIVEN[label]}


def _sent(form: dict, *, wrong: bool) -> dict:
    """Return what gets into a form: of an empty list or object Schemathesis writes nothing at all,

    and so would send what it takes for wrong (an unknown field, say) without what is wrong.
    """
    if not wrong:
        return {name: x for name, x in form.items() if x is not None}
    return {name: "null" if _is_nothing(x) else x for name, x in form.items()}


def _unsent(form: dict) -> bool:
    return any(map(_is_nothing, form.values()))


def _is_nothing(value: object) -> bool:
    return value is None or value == [] or value == {}


def _given(address: object) -> str:
    """Return the address if a link brought it from an upload."""
    ours = isinstance(address, str) and "/api/files/" in address
    return str(address) if ours else EXAMPLE["imageUrl"]
