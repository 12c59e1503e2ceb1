"""Requests that the service refuses, as answers: each way that the table of codes knows."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from tests.openapi.provoking import GENERATE, UPLOAD, World, ask, provokes, sent, with_headers
from tests.service import picture_form

SECRET = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
NO_FILE, NO_JOB = f"/api/files/{'a' * 64}.png", f"/api/jobs/{'0' * 32}"
FORM = "application/x-www-form-urlencoded"
WRONG = {
    "missing_field": {"json": {"text": "x"}},
    "unknown_field": ask(sedonds=1),
    "invalid_request": ask(seconds=0),
    "malformed_body": {"data": b"{", "headers": {"Content-Type": "application/json"}},
    "invalid_content_type": {"data": b"x", "headers": {"Content-Type": "text/plain"}},
    "body_too_large": {
        "data": BytesIO(b"text=" + b"x" * 1_300_000),
        "headers": {"Content-Type": FORM},
    },
    "invalid_image": ask(imageUrl="data:image/png;base64,AAAA"),
    "image_not_fetched": ask(imageUrl="http://127.0.0.1:9/a.png"),
    "unknown_image": ask(imageUrl=NO_FILE),
    "unknown_pipeline": ask(comfyPipeline="nothing"),
    "pipeline_needs_comfyui": ask(comfyPipeline="svd"),
    "server_not_allowed": ask(serverUrl="http://example.com:8188"),
    "invalid_webhook": ask(webhookUrl="ftp://x"),
    "webhook_not_allowed": ask(webhookUrl="http://127.0.0.1/"),
    "webhook_not_found": ask(webhookUrl="http://nowhere.invalid/"),
    "invalid_idempotency_key": with_headers(Idempotency_Key="\u00e9"),
    "host_not_allowed": with_headers(Host="evil.example"),
    "origin_not_allowed": with_headers(Origin="http://evil.example"),
}


@provokes(*WRONG)
async def a_wrong_request_for_a_video(world: World) -> set[str]:
    checked = await world.start(webhook_secrets=(SECRET,), max_upload_mb=0.05)
    for code, sending in WRONG.items():
        body = await checked.ask("POST", GENERATE, **sending)
        assert body["code"] == code
    return checked.codes


@provokes("file_too_large", "invalid_image")
async def a_wrong_picture(world: World) -> set[str]:
    checked = await world.start(max_upload_mb=0.01)
    for data in (b"x" * 20_000, b"no picture"):
        await checked.ask("POST", UPLOAD, expect=400, data=picture_form(data))
    return checked.codes


@provokes("not_found", "unknown_job", "precondition_failed", "invalid_range", "webhooks_off")
async def what_is_not_there(world: World) -> set[str]:
    checked = await world.start()
    path = "/api/files/" + (await sent(checked)).rpartition("/")[2]
    rows: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
        ("not_found", "GET", NO_FILE, {}),
        ("unknown_job", "GET", NO_JOB, {}),
        ("unknown_job", "POST", f"{NO_JOB}/cancel", {}),
        ("precondition_failed", "GET", path, {"headers": {"If-Match": '"other"'}}),
        ("invalid_range", "GET", path, {"headers": {"Range": "bytes=99999-"}}),
        ("webhooks_off", "POST", GENERATE, ask(webhookUrl="https://example.com/")),
    )
    for code, method, url, more in rows:
        assert (await checked.ask(method, url, **more))["code"] == code
    return checked.codes


@provokes("method_not_allowed")
async def a_method_that_an_address_does_not_know(world: World) -> set[str]:
    checked = await world.start()
    response = await checked.client.delete("/api/jobs")
    assert response.status == 405
    return {(await response.json())["code"]}


@provokes("idempotency_key_reused")
async def a_key_used_again(world: World) -> set[str]:
    checked = await world.start()
    once = with_headers(Idempotency_Key="one", Prefer="respond-async")
    await checked.ask("POST", GENERATE, expect=202, **once)
    await checked.ask("POST", GENERATE, expect=409, **{**once, **ask(text="pan left")})
    return checked.codes


@provokes("unauthorized")
async def no_api_key(world: World) -> set[str]:
    checked = await world.start(api_key="k" * 20)
    for path, item in checked.document["paths"].items():
        if "get" in item and "{" not in path:
            is_open = item["get"].get("security") == []
            await checked.ask("GET", path, expect=None if is_open else 401)
    return checked.codes
