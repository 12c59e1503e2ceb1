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
    if isinstance(case.body, dict) and case.media_type in FORMS and None in case.body.values():
        case.body = {name: x for name, x in case.body.items() if x is not None}
    if case.meta is None or not case.meta.generation.mode.is_positive:
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


def _given(address: object) -> str:
    """Return the address if a link brought it from an upload."""
    ours = isinstance(address, str) and "/api/files/" in address
    return str(address) if ours else EXAMPLE["imageUrl"]
