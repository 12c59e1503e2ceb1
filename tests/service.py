"""What the tests of the service share: forms to send, and the contract's error body."""

from __future__ import annotations

import io

from aiohttp import FormData


def picture_form(
    data: bytes | io.BytesIO, filename: str = "a.png", content_type: str = "image/png"
):
    form = FormData()
    form.add_field("image", data, filename=filename, content_type=content_type)
    return form


async def refusal(response, status: int = 400) -> dict:
    """Return the error body, checked against the contract."""
    body = await response.json()
    assert response.status == status, body
    assert response.content_type == "application/json"
    assert set(body) <= {"error", "details", "code", "fields"}
    assert all(isinstance(body[key], str) and body[key] for key in ("error", "details", "code"))
    assert body["error"].endswith((".", "!", "?"))
    assert body["code"].replace("_", "").isalpha()
    assert "Traceback" not in str(body)
    assert "/data" not in str(body)
    assert "/tmp" not in str(body)
    return body
