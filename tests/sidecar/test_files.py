"""GET /api/files/{name}: ranges and caches as a video tag needs them, and nothing but our files."""

from __future__ import annotations

import pytest
from yarl import URL

from tests.service import refusal


@pytest.fixture
async def path(upload):
    return URL(await upload()).path


async def test_a_file_says_what_it_is_and_that_it_can_be_sought(client, path, png):
    response = await client.get(path)
    assert (response.status, await response.read()) == (200, png)
    headers = response.headers
    assert headers["Content-Type"] == "image/png"
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in headers["Cache-Control"]
    assert headers["ETag"].startswith('"')
    head = await client.head(path)
    assert (head.status, await head.read()) == (200, b"")
    assert head.headers["Content-Length"] == str(len(png))
    assert head.headers["ETag"] == headers["ETag"]


@pytest.mark.parametrize(
    ("asked", "start", "end"), [("0-9", 0, 10), ("5-", 5, None), ("-7", -7, None), ("0-", 0, None)]
)
async def test_ranges(client, path, png, asked, start, end):
    response = await client.get(path, headers={"Range": f"bytes={asked}"})
    assert response.status == 206
    wanted = png[start:end]
    assert await response.read() == wanted
    first = start % len(png) if start else 0
    last = first + len(wanted) - 1
    assert response.headers["Content-Range"] == f"bytes {first}-{last}/{len(png)}"
    assert response.headers["Content-Type"] == "image/png"


@pytest.mark.parametrize("asked", ["bytes={}-", "bytes=9-3", "lines=1-2", "bytes=x"])
async def test_a_range_that_is_not_there(client, path, png, asked):
    response = await client.get(path, headers={"Range": asked.format(len(png))})
    assert (await refusal(response, 416))["code"] == "invalid_range"
    assert response.headers["Content-Range"] == f"bytes */{len(png)}"


async def test_a_file_that_the_client_has_is_not_sent_again(client, path):
    etag = (await client.head(path)).headers["ETag"]
    response = await client.get(path, headers={"If-None-Match": etag})
    assert (response.status, await response.read()) == (304, b"")
    rest = await client.get(path, headers={"Range": "bytes=0-3", "If-Range": etag})
    assert rest.status == 206


@pytest.mark.parametrize(
    "name",
    [
        "x.png",
        "..",
        ".",
        "%2e%2e",
        "..%2f..%2fjobs.db",
        "%2fetc%2fpasswd",
        "jobs.db",
        "claim.db",
        "..%5cjobs.db",
        "a%00.png",
        "%F0%9F%92%A9.png",
        "a" * 3000,
        "A.PNG",
        "a.png.gz",
        "%ff.png",
    ],
)
async def test_what_is_not_there_is_404_whatever_it_looks_like(client, upload, name):
    await upload()
    url = URL(f"{client.make_url('/api/files/')}{name}", encoded=True)
    response = await client.session.get(url)
    assert (await refusal(response, 404))["code"] == "not_found"


async def test_a_folder_is_no_file(client):
    await refusal(await client.get("/api/files/"), 404)
    await refusal(await client.get("/api/files"), 404)
