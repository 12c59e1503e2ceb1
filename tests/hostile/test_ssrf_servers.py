"""serverUrl is an allow-list: loopback, what the operator named, and nothing beside it."""

from __future__ import annotations

import ipaddress
import unicodedata
from dataclasses import replace

import pytest

from sidecar.app import create_app
from tests.fake_comfy import FakeComfy
from tests.hostile.addresses import HOSTS
from tests.service import picture_form, refusal

_BESIDE = """
    http://gpu.test:8189 http://gpu.test https://gpu.test:8188 http://gpu.test.evil.test:8188
    http://evil.gpu.test:8188 http://gpu.test:8188@evil.test http://gpu.test:8188#@evil.test
    http://gpu.test:8188?x=@evil.test http://user:secret@gpu.test:8188
    http://gpu.test\\@evil.test:8188 file:///etc/passwd gopher://gpu.test:8188 ws://gpu.test:8188
    http://gpu.test:8188:8188 http://gpu.test:0 gpu.test:8188 //gpu.test:8188
    http://gpu.test%00.evil.test:8188 http://gpu%2etest:8188 http://[gpu.test]:8188
    http://gpu.test%40evil.test:8188 http://gpu.test;8188 http:///gpu.test:8188
"""
BESIDE = tuple(_BESIDE.split())


def is_own(host: str) -> bool:
    """Whether a host is a plain way to write this machine, which anybody may name."""
    text = unicodedata.normalize("NFKC", host).replace("\u3002", ".").replace("\u00ad", "")
    name = text.strip("[]").partition("%")[0].rstrip(".").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.endswith("localhost")


async def test_only_loopback_and_what_was_named_may_be_asked(
    client, generate, names, tried, trap, png
):
    picture = await (await client.post("/api/upload", data=picture_form(png))).json()
    hosts = [host for host in HOSTS if not is_own(host)]
    assert len(hosts) > 100
    for host in hosts:
        address = f"http://{host}:{trap.port}"
        body = await refusal(await generate(**picture, serverUrl=address))
        assert body["fields"].keys() == {"serverUrl"}
        listed = await client.get("/api/pipelines", params={"serverUrl": address})
        await refusal(listed)
        assert (ascii(host), tried.beyond(client.port)) == (ascii(host), [])
    assert trap.hits == 0


@pytest.mark.parametrize("allowed", ["http://gpu.test:8188", "gpu.test:8188"])
async def test_what_is_beside_the_allowed_one_is_refused(
    aiohttp_client, settings, names, tried, allowed
):
    client = await aiohttp_client(create_app(replace(settings, allowed_servers=(allowed,))))
    for address in BESIDE:
        if address.startswith("https://gpu.test:8188") and "://" not in allowed:
            continue  # host:port says nothing of the scheme
        fields = {"text": "x", "imageUrl": "/api/files/x.png", "serverUrl": address}
        body = await refusal(await client.post("/api/generate", data=fields))
        assert (address, body.get("fields", {}).keys()) == (address, {"serverUrl"})
    assert tried.beyond(client.port) == []


async def test_a_server_does_not_lead_on(client, generate, tried, trap, png):
    """Loopback may be named, but where it redirects to is not followed."""
    picture = await (await client.post("/api/upload", data=picture_form(png))).json()
    async with FakeComfy() as fake:
        fake.faults.redirect = f"http://127.0.0.1:{trap.port}/inside"
        body = await refusal(await generate(**picture, serverUrl=fake.url), 500)
        assert "secret" not in str(body)
        port = int(fake.url.rpartition(":")[2])
    assert (tried.beyond(client.port, port), trap.hits) == ([], 0)


async def test_what_a_strange_server_says_does_not_reach_the_client(client, generate, trap, png):
    """Any port of loopback may be named: its bytes must not be readable through us."""
    picture = await (await client.post("/api/upload", data=picture_form(png))).json()
    response = await generate(**picture, serverUrl=f"http://127.0.0.1:{trap.port}")
    assert "secret" not in str(await refusal(response, 500))
    listed = await client.get(
        "/api/pipelines", params={"serverUrl": f"http://127.0.0.1:{trap.port}"}
    )
    assert "secret" not in await listed.text()
    assert trap.hits > 0
