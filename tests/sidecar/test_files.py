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


NOT_THERE = ["bytes={}-", "bytes=9-3", "bytes=x", "bytes=-", "bytes=-0", "bytes=1-2-3", "bytes="]


@pytest.mark.parametrize("asked", NOT_THERE)
async def test_a_range_that_is_not_there(client, path, png, asked):
    response = await client.get(path, headers={"Range": asked.format(len(png))})
    assert (await refusal(response, 416))["code"] == "invalid_range"
    assert response.headers["Content-Range"] == f"bytes */{len(png)}"


@pytest.mark.parametrize("asked", ["lines=1-2", "bytes=0-1,5-6", "bytes=0-1, -5", "bytes", "x"])
async def test_ranges_of_other_units_and_several_at_once_are_ignored(client, path, png, asked):
    response = await client.get(path, headers={"Range": asked})
    assert (response.status, await response.read()) == (200, png)
    assert "Content-Range" not in response.headers
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_head_knows_no_ranges(client, path, png):
    for asked in ("bytes=0-9", "bytes=9-3"):
        response = await client.head(path, headers={"Range": asked})
        assert (response.status, response.headers["Content-Length"]) == (200, str(len(png)))


async def test_a_tail_longer_than_the_file_is_all_of_it(client, path, png):
    response = await client.get(path, headers={"Range": "bytes=-99999999"})
    assert (response.status, await response.read()) == (206, png)


OLD, FUTURE = "Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.mark.parametrize("validator", ['"other"', "other", "W/{}", OLD, FUTURE, "", "W/", "*"])
async def test_a_range_of_what_the_file_is_not_any_more_gives_all_of_it(
    client, path, png, validator
):
    etag = (await client.head(path)).headers["ETag"]
    asked = {"Range": "bytes=0-3", "If-Range": validator.format(etag)}
    response = await client.get(path, headers=asked)
    assert (response.status, await response.read()) == (200, png)
    beyond = await client.get(path, headers={**asked, "Range": f"bytes={len(png)}-"})
    assert beyond.status == 200


@pytest.mark.parametrize("name", ["ETag", "Last-Modified"])
async def test_a_range_of_what_the_file_still_is(client, path, png, name):
    current = (await client.head(path)).headers[name]
    asked = {"Range": "bytes=0-3", "If-Range": current}
    response = await client.get(path, headers=asked)
    assert (response.status, await response.read()) == (206, png[:4])
    beyond = await client.get(path, headers={**asked, "Range": f"bytes={len(png)}-"})
    await refusal(beyond, 416)


@pytest.mark.parametrize(
    "headers",
    [{"If-Match": '"other"'}, {"If-Match": "W/{}"}, {"If-Unmodified-Since": OLD}],
)
async def test_a_file_that_is_not_the_one_meant(client, path, headers):
    etag = (await client.head(path)).headers["ETag"]
    asked = {name: value.format(etag) for name, value in headers.items()}
    response = await client.get(path, headers={**asked, "Range": "bytes=9-3"})
    assert (await refusal(response, 412))["code"] == "precondition_failed"
    assert (await client.head(path, headers=asked)).status == 412


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-Match": "{}"}, 200),
        ({"If-Match": "*", "If-Unmodified-Since": OLD}, 200),
        ({"If-Match": '"other", {}'}, 200),
        ({"If-Match": "{}", "Range": "bytes=0-3"}, 206),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-None-Match": '"other"', "If-Modified-Since": FUTURE}, 200),
        ({"If-None-Match": "W/{}"}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": "{}", "Range": "bytes=9-3"}, 304),
        ({"If-Modified-Since": FUTURE, "Range": "bytes=9-3"}, 304),
        ({"If-Modified-Since": OLD}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
    ],
)
async def test_what_the_client_has_decides(client, path, headers, status):
    etag = (await client.head(path)).headers["ETag"]
    asked = {name: value.format(etag) for name, value in headers.items()}
    assert (await client.get(path, headers=asked)).status == status


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
