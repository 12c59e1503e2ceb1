"""The form of a webhook's secret: whsec_, then base64 of 24 to 64 bytes. Pure."""

from __future__ import annotations

import base64
import re

_SECRET = re.compile(r"whsec_([A-Za-z0-9+/]+)={0,2}")


def is_secret(text: str) -> bool:
    """Whether a text is a secret as Standard Webhooks has it."""
    match = _SECRET.fullmatch(text)
    if match is None or len(match[1]) % 4 == 1:
        return False
    return 24 <= len(base64.b64decode(match[1] + "=" * (-len(match[1]) % 4))) <= 64
