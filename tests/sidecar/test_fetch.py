"""Fetching for a client must not be usable against this network, whatever a resolver says."""

from __future__ import annotations

import asyncio
import socket

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer

from sidecar.addresses import is_public
from sidecar.fetch import MAX_HOPS, Fetcher, FetchError
from sidecar.media import TooLarge


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::6810:84e5"])
def test_public_addresses_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize("inner", ["8.8.8.8", "93.184.216.34"])
def test_a_public_address_stays_public_in_its_ipv6_forms(inner):
    assert is_public(f"::ffff:{inner}")
    assert is_public(f"64:ff9b::{inner}")


RESERVED = """
    0.0.0.0 10.0.0.1 100.64.0.1 127.0.0.1 127.255.0.9 169.254.169.254 172.16.0.1 172.31.9.9
    192.0.0.8 192.0.0.9 192.88.99.1 192.0.2.1 192.168.0.1 198.18.0.1 198.51.100.7 203.0.113.9
    224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255
    :: ::1 fe80::1 fe80::1%eth0 fc00::1 fd12::1 ff02::1 fec0::1 2001:db8::1 100::1
    2002:7f00:1::1 2001:0:1::1 64:ff9b:1::1 ::127.0.0.1 ::8.8.8.8
    ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::127.0.0.1 64:ff9b::a00:1
    localhost 2130706433 0x7f.1 127.1 1.2.3.4.5
"""
PRIVATE = ["", *RESERVED.split()]


@pytest.mark.parametrize("address", PRIVATE)
def test_all_others_are_not(address):
    assert not is_public(address)


class Liar(AbstractResolver):
    """Says what the test wants, and remembers what it was asked."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    async def resolve(self, host, port=0, family=socket.AF_INET):
        self.asked.append(host)
        found = self.answers.get(host)
        if not found:
            raise OSError("no such name")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in found
        ]

    async def close(self):
        pass


class Site(TestServer):
    """A server that remembers what it was asked."""

    seen: list[tuple[str, dict[str, str]]]


@pytest.fixture
async def site():
    """A server on loopback: what an attacker would like to reach, and a picture's home."""
    seen = []

    async def answer(request):
        seen.append((request.path_qs, dict(request.headers)))
        kind = request.query.get("kind", "")
        if kind == "redirect":
            raise web.HTTPFound(request.query["to"])
        if kind == "slow":
            await asyncio.sleep(30)
        if kind == "endless":
            response = web.StreamResponse()
            await response.prepare(request)
            while True:
                await response.write(b"x" * 65536)
        if kind == "gzip":
            return web.Response(body=b"bytes as sent", headers={"Content-Encoding": "gzip"})
        return web.Response(body=b"picture", status=int(request.query.get("status", 200)))

    app = web.Application()
    app.router.add_get("/{tail:.*}", answer)
    server = Site(app)
    await server.start_server()
    server.seen = seen
    yield server
    await server.close()


@pytest.fixture
def liar():
    return Liar({"pictures.test": ["127.0.0.1"], "evil.test": ["127.0.0.1"]})


@pytest.fixture
def fetcher(liar):
    return Fetcher(seconds=5, allowed=["Pictures.test"], resolver=liar)


async def read(fetcher, address, max_bytes=10**6):
    async with fetcher.fetch(address, max_bytes) as chunks:
        total = b""
        async for chunk in chunks:
            total += chunk
            if len(total) > max_bytes:
                raise TooLarge
        return total


async def test_the_connection_goes_to_the_address_that_was_checked(site, fetcher, liar):
    address = f"http://pictures.test:{site.port}/a.png"
    assert await read(fetcher, address) == b"picture"
    assert liar.asked == ["pictures.test"]
    ((_, headers),) = site.seen
    assert headers["Host"] == f"pictures.test:{site.port}"
    assert not {"Cookie", "Authorization", "Origin", "Referer"} & set(headers)


@pytest.mark.parametrize("address", [a for a in PRIVATE if ":" not in a and a] + ["127.0.0.1"])
async def test_a_name_with_a_private_address_is_refused(site, address):
    for addresses in ([address], ["8.8.8.8", address]):
        fetcher = Fetcher(seconds=5, resolver=Liar({"evil.test": addresses}))
        with pytest.raises(FetchError, match="private network"):
            await read(fetcher, f"http://evil.test:{site.port}/")
    assert site.seen == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "10.0.0.1",
        "0",
        "0.0.0.0",
        "127.1",
        "2130706433",
        "017700000001",
        "127.000.000.001",
        "1.2.3.4.5",
    ],
)
async def test_a_literal_private_address_is_refused(site, host):
    with pytest.raises(FetchError):
        await read(Fetcher(seconds=5), f"http://{host}:{site.port}/")
    assert site.seen == []


@pytest.mark.parametrize("host", ["localhost", "0x7f.1", "0x7f000001"])
async def test_names_the_system_itself_resolves_to_loopback_are_refused(site, host):
    with pytest.raises(FetchError):
        await read(Fetcher(seconds=5), f"http://{host}:{site.port}/")
    assert site.seen == []


@pytest.mark.parametrize(
    "to", ["http://169.254.169.254/meta", "http://evil.test:{port}/", "//127.0.0.1:{port}/x"]
)
async def test_each_redirect_is_checked_again(site, fetcher, to):
    target = to.format(port=site.port)
    with pytest.raises(FetchError, match="private network"):
        await read(fetcher, f"http://pictures.test:{site.port}/?kind=redirect&to={target}")
    assert len(site.seen) == 1


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://x/y", "http://u:p@pictures.test/", ""])
async def test_a_redirect_to_another_kind_of_address_is_refused(site, fetcher, to):
    with pytest.raises(FetchError):
        await read(fetcher, f"http://pictures.test:{site.port}/?kind=redirect&to={to}")


async def test_redirects_are_followed_relative_too_but_not_for_ever(site, fetcher, liar):
    base = f"http://pictures.test:{site.port}"
    assert await read(fetcher, f"{base}/a?kind=redirect&to=b.png") == b"picture"
    assert liar.asked == ["pictures.test"] * 2
    with pytest.raises(FetchError, match="redirects too often"):
        await read(fetcher, loop_address(base))
    assert len(site.seen) == 2 + MAX_HOPS


def loop_address(base):
    """An address that redirects to one that redirects... deeper than we follow."""
    address = f"{base}/end"
    for _ in range(MAX_HOPS + 1):
        quoted = address.replace("%", "%25").replace("&", "%26").replace("?", "%3F")
        address = f"{base}/?kind=redirect&to={quoted}"
    return address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "x",
        "file:///etc/passwd",
        "ftp://a/b",
        "http://",
        "http:///x",
        "http://[::1",
        "http://a b",
        "http://user:pw@pictures.test/",
        "javascript:alert(1)",
        "http://x:99999/",
        "http://x:0/",
        "gopher://pictures.test",
        "http://" + "a" * 300 + "/",
        "http://℀/",
        "http://a..b/",
    ],
)
async def test_what_is_no_web_address_is_refused(fetcher, address):
    with pytest.raises(FetchError):
        await read(fetcher, address)


async def test_size_time_and_status_have_limits(site, fetcher, liar):
    base = f"http://pictures.test:{site.port}/"
    with pytest.raises(TooLarge):
        await read(fetcher, base, max_bytes=3)
    with pytest.raises(TooLarge):
        await read(fetcher, f"{base}?kind=endless", max_bytes=10**6)
    with pytest.raises(FetchError, match="404"):
        await read(fetcher, f"{base}?status=404")
    hasty = Fetcher(seconds=0.2, allowed=["pictures.test"], resolver=liar)
    with pytest.raises(FetchError, match="too long"):
        await read(hasty, f"{base}?kind=slow")


async def test_bytes_are_not_unpacked(site, fetcher):
    address = f"http://pictures.test:{site.port}/?kind=gzip"
    assert await read(fetcher, address) == b"bytes as sent"


async def test_a_name_nobody_knows_and_a_closed_port(fetcher, unused_tcp_port):
    for address in ("http://nobody.test/", f"http://pictures.test:{unused_tcp_port}/"):
        with pytest.raises(FetchError, match="can't be reached"):
            await read(fetcher, address)
