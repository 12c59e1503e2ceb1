"""webhookUrl of /api/generate: checked at once, told when the job is over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sidecar.app import create_app
from sidecar.keys import STORE
from sidecar.settings import SettingsError, load_settings
from tests.service import refusal
from tests.sidecar.hook_server import SECRET, receiving
from tests.sidecar.jobs_http import LONG, QUICK, posted, uploaded, when
from tests.waiting import eventually


@pytest.fixture
async def hooked(aiohttp_client, settings):
    """A service with a secret, that may call this machine."""
    told = replace(settings, webhook_secrets=(SECRET,), allowed_webhook_hosts=("127.0.0.1",))
    return await aiohttp_client(create_app(told))


async def test_a_job_is_told_when_it_has_succeeded(hooked, png):
    async with receiving() as receiver:
        fields = {"imageUrl": await uploaded(hooked, png), **QUICK, "webhookUrl": receiver.url}
        response = await hooked.post("/api/generate", data=fields)
        answer = await response.json()
        assert response.status == 200, answer
        await eventually(lambda: receiver.got)
    (message,) = receiver.got
    assert (message["type"], message["data"]["result"]) == ("job.succeeded", answer)
    assert message["data"]["result"]["video"].startswith(str(hooked.make_url("/")))


async def test_a_canceled_one_too(hooked, png):
    async with receiving() as receiver:
        fields = {"imageUrl": await uploaded(hooked, png), **LONG, "webhookUrl": receiver.url}
        job = await posted(hooked, fields)
        await hooked.post(f"/api/jobs/{job['id']}/cancel")
        await eventually(lambda: receiver.got)
    assert receiver.got[0]["type"] == "job.canceled"
    assert receiver.got[0]["data"]["status"] == "canceled"


async def test_an_address_that_never_answers_disturbs_nothing(hooked, png, unused_tcp_port):
    url = f"http://127.0.0.1:{unused_tcp_port}/"
    fields = {"imageUrl": await uploaded(hooked, png), **QUICK, "webhookUrl": url}
    assert (await hooked.post("/api/generate", data=fields)).status == 200


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("nonsense", "invalid_webhook"),
        ("ftp://hooks.example/x", "invalid_webhook"),
        ("http://u:p@hooks.example/x", "invalid_webhook"),
        ("http://", "invalid_webhook"),
        ("http://[", "invalid_webhook"),
        ("http://hooks.example/" + "x" * 3000, "invalid_webhook"),
        ("http://10.0.0.1/x", "webhook_not_allowed"),
        ("http://169.254.169.254/x", "webhook_not_allowed"),
        ("http://[::1]/x", "webhook_not_allowed"),
        ("http://[::ffff:127.0.0.1]/x", "webhook_not_allowed"),
        ("http://localhost/x", "webhook_not_allowed"),
        ("http://no-such-host.invalid/x", "webhook_not_found"),
    ],
)
async def test_an_address_that_may_not_be_told_is_refused_at_once(hooked, png, url, code):
    fields = {"imageUrl": await uploaded(hooked, png), **QUICK, "webhookUrl": url}
    body = await refusal(await hooked.post("/api/generate", data=fields))
    assert body["code"] == code
    assert set(body["fields"]) == {"webhookUrl"}
    assert await hooked.app[STORE].stats() == {}


async def test_without_a_secret_there_are_no_webhooks(client, upload, generate):
    response = await generate(imageUrl=await upload(), text="x", webhookUrl="https://a.example/")
    body = await refusal(response)
    assert body["code"] == "webhooks_off"
    assert "PROMPTREEL_WEBHOOK_SECRET" in body["error"]


async def test_a_restart_in_between_loses_no_message(aiohttp_client, settings, png):
    told = replace(settings, webhook_secrets=(SECRET,), allowed_webhook_hosts=("127.0.0.1",))
    async with receiving() as receiver:
        client = await aiohttp_client(create_app(told))
        fields = {"imageUrl": await uploaded(client, png), **LONG, "webhookUrl": receiver.url}
        job = await posted(client, fields)
        await when(client, job["id"], "running")
        await client.close()
        client = await aiohttp_client(create_app(told))
        await client.post(f"/api/jobs/{job['id']}/cancel")
        await eventually(lambda: receiver.got)
    assert receiver.got[0]["data"]["id"] == job["id"]


@pytest.mark.parametrize("text", ["secret", f"{SECRET},x", "whsec_short"])
def test_a_secret_of_another_form_is_no_setting(text):
    with pytest.raises(SettingsError) as caught:
        load_settings([], {"PROMPTREEL_WEBHOOK_SECRET": text})
    assert text not in str(caught.value)


def test_two_secrets_while_one_replaces_the_other():
    settings = load_settings([], {"PROMPTREEL_WEBHOOK_SECRET": f"{SECRET}, {SECRET}"})
    assert settings.webhook_secrets == (SECRET, SECRET)
