"""No address that a client names leads into this network: seen from below, by each connection.

Every way of writing a private place, and names that lie, as imageUrl and webhookUrl. The proof is
that nothing was even tried: Python's own audit events tell of each connect.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

import pytest

from sidecar.addresses import is_public
from sidecar.app import create_app
from sidecar.guard import checked_url
from tests.fake_comfy import FakeComfy
from tests.hostile.addresses import HOSTS, PUBLIC, TRICKS, V4, V6
from tests.service import picture_form, refusal
from tests.waiting import eventually

PRIVATE = (*V4, *V6)
CODES = {"image_not_fetched", "invalid_image", "unknown_image"}
LITERALS = [f"{scheme}://{host}:{{port}}/a" for scheme in ("http", "https") for host in HOSTS]


@pytest.fixture
async def ready(client, png):
    """The address of a picture that is there, so that only the other address is wrong."""
    response = await client.post("/api/upload", data=picture_form(png))
    return (await response.json())["imageUrl"]


def test_no_special_address_is_public():
    assert [address for address in PRIVATE if is_public(address)] == []
    assert [address for address in PUBLIC if not is_public(address)] == []


@pytest.mark.parametrize("addresses", [LITERALS, TRICKS], ids=["literals", "tricks"])
async def test_nothing_leads_a_fetch_inside(client, generate, files, names, tried, trap, addresses):
    for address in addresses:
        body = await refusal(await generate(imageUrl=address.format(port=trap.port)))
        reached = tried.beyond(client.port)
        assert (ascii(address), reached, trap.hits) == (ascii(address), [], 0)
        assert body["code"] in CODES
        assert "root:" not in str(body)
    assert files() == []


@pytest.mark.parametrize("addresses", [LITERALS, TRICKS], ids=["literals", "tricks"])
async def test_nothing_leads_a_webhook_inside(
    client, generate, ready, names, tried, trap, addresses
):
    for address in addresses:
        hook = address.format(port=trap.port)
        body = await refusal(await generate(imageUrl=ready, webhookUrl=hook))
        reached = tried.beyond(client.port)
        assert (ascii(address), reached, trap.hits) == (ascii(address), [], 0)
        assert body["fields"].keys() == {"webhookUrl"}


@pytest.mark.parametrize("field", ["imageUrl", "webhookUrl"])
async def test_a_name_with_any_private_address_is_refused(
    client, generate, ready, names, tried, trap, field
):
    for private in PRIVATE:
        names.says("evil.test", [private])
        names.says("mixed.test", ["93.184.216.34", private])
        names.says("mixed6.test", ["2606:2800:220:1::1", private, "93.184.216.34"])
        for name in ("evil.test", "mixed.test", "MIXED6.test"):
            address = f"http://{name}:{trap.port}/a.png"
            body = await refusal(await generate(**{"imageUrl": ready, field: address}))
            assert (private, tried.beyond(client.port)) == (private, [])
            assert "private network" in body["error"]
    assert trap.hits == 0


async def test_a_name_that_changes_its_address_is_asked_once_and_pinned(
    client, generate, names, tried, trap
):
    """Public at the first look-up, ours at the second: only a second look-up could be led here."""
    names.says("rebind.test", ["192.31.196.1"], ["127.0.0.1"])
    fetch = asyncio.ensure_future(generate(imageUrl=f"http://rebind.test:{trap.port}/a.png"))
    await eventually(lambda: tried.beyond(client.port))
    fetch.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await fetch
    assert {host for host, _ in tried.beyond(client.port)} == {"192.31.196.1"}
    assert (names.asked.count("rebind.test"), trap.hits) == (1, 0)


async def test_a_webhooks_name_that_changes_its_address_is_looked_at_again(
    client, generate, ready, names, tried, trap, caplog
):
    names.says("rebind.test", ["192.31.196.1"], ["127.0.0.1"])
    address = f"http://rebind.test:{trap.port}/hook"
    response = await generate(imageUrl=ready, webhookUrl=address)
    assert response.status == 200, await response.text()
    await eventually(lambda: "the address is not public" in caplog.text)
    assert (tried.beyond(client.port), trap.hits) == ([], 0)
    assert names.asked.count("rebind.test") == 2


async def test_a_webhook_is_not_redirected(aiohttp_client, settings, names, tried, trap, png):
    names.says("hooks.test", ["127.0.0.1"])
    app = create_app(replace(settings, allowed_webhook_hosts=("hooks.test",)))
    client = await aiohttp_client(app)
    picture = await (await client.post("/api/upload", data=picture_form(png))).json()
    async with FakeComfy() as hook:
        hook.faults.redirect = f"http://127.0.0.1:{trap.port}/inside"
        port = int(hook.url.rpartition(":")[2])
        fields = {"text": "x", "seconds": "0.5", "resolution": "480p", **picture}
        fields["webhookUrl"] = f"http://hooks.test:{port}/hook"
        assert (await client.post("/api/generate", data=fields)).status == 200
        await eventually(lambda: hook.requests)
        assert hook.requests[0][:2] == ("POST", "/hook")
        await asyncio.sleep(0.2)  # a followed redirect would come now
    assert (tried.beyond(client.port, port), trap.hits) == ([], 0)


@pytest.mark.parametrize(
    "address",
    [
        "http://exa\tmple.com/",
        "http://example.com:8\n0/",
        "http://example.com/\r\nX: y",
        "ht\ntp://example.com/",
        "\x00http://example.com/",
        "http://example.com/\u2028",
    ],
    ids=range(6),
)
def test_an_address_with_what_can_not_be_seen_is_none(address):
    """Parsers drop some of it, each its own way: who checks must not read another than who asks."""
    with pytest.raises(ValueError, match="ht"):
        checked_url(address, ())
    assert checked_url("http://example.com/", ()).host == "example.com"
