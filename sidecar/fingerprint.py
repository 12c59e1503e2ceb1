"""When two requests are the same one, sent twice: idempotency keys, and digests of requests. Pure.

Must not know HTTP, stores or pipelines.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from .errors import BadRequest, Conflict
from .values import GenerateRequest

HEADER = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")  # 1 to 255 visible characters


def read_key(values: list[str]) -> str | None:
    """Return the key of the request's Idempotency-Key headers; None without one. BadRequest.

    The draft of the header writes it as a quoted string, most clients as it is: both are one key.
    """
    if not values:
        return None
    key = values[0].strip(" \t")
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if len(values) > 1 or not _KEY.fullmatch(key):
        raise BadRequest(
            "The Idempotency-Key must be 1 to 255 visible ASCII characters.",
            code="invalid_idempotency_key",
            details="Send it once; a random UUID is a good one.",
            fields={HEADER: "not 1 to 255 visible ASCII characters"},
        )
    return key


def conflict() -> Conflict:
    """Return the answer to a key that was used for another request."""
    return Conflict(
        "This Idempotency-Key was used for another request: take a new one.",
        code="idempotency_key_reused",
        details="The same key with the same fields gives the same job again.",
    )


def asked_hash(fields: Mapping[str, str]) -> str:
    """Return the digest of a request as it was asked; the order of the fields means nothing."""
    return _digest({name: text.strip() for name, text in fields.items()})


def request_hash(order: GenerateRequest, fields: Mapping[str, str]) -> str:
    """Return the digest of what is to be made: by the picture's content, not by its address.

    Of server and pipeline only what was asked for counts: the choice depends on the hour. `order`
    holds the typed values of what was given, so that 5 and 5.0 are the same.
    """
    asked = {name: fields[name].strip() for name in _CHOICES if name in fields}
    given = {name: value for name, value in order.params.items() if name in fields}
    return _digest({**asked, "image": order.image, "params": {**given, "text": order.text.strip()}})


_CHOICES = ("serverUrl", "comfyPipeline", "webhookUrl")


def _digest(value: Mapping[str, object]) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
