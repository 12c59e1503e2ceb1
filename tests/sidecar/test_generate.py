"""POST /api/generate with the real engine: the contract, its extensions, and every bad request."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os

import av
import pytest
from aiohttp import FormData
from PIL import Image
from yarl import URL

from sidecar.app import create_app
from tests.service import picture_form, refusal

QUICK = {"seconds": "0.5", "resolution": "480p", "fps": "12"}


def open_video(data: bytes) -> tuple[int, tuple[int, int], float]:
    """Return a video's number of frames, size and rate, by decoding it."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        frames = sum(1 for _ in container.decode(stream))
        return frames, (stream.width, stream.height), float(stream.average_rate or 0)


async def body(client, url) -> bytes:
    response = await client.get(URL(url).path)
    assert response.status == 200
    return await response.read()


async def test_a_picture_and_a_text_become_a_video(client, upload, generate, files):
    source = await upload()
    response = await generate(
        imageUrl=source,
        text="медленный наезд",
    )
    answer = await response.json()
    assert response.status == 200, answer
    assert set(answer) == {"image", "video", "jobId", "isDemo"}
    assert answer["isDemo"] is True
    video = await client.get(URL(answer["video"]).path)
    assert video.content_type == "video/mp4"
    assert open_video(await video.read()) == (6, (854, 480), 12)
    still = Image.open(io.BytesIO(await body(client, answer["image"])))
    assert (still.format, still.size) == ("PNG", (854, 480))
    names = {URL(answer[kind]).name for kind in ("image", "video")} | {URL(source).name}
    assert set(files()) == names


async def test_the_names_of_results_cannot_be_guessed(upload, generate):
    source = await upload()
    names = set()
    for _ in range(2):
        answer = await (await generate(imageUrl=source, text="x")).json()
        names |= {URL(answer[kind]).name for kind in ("image", "video")}
    assert len(names) == 4
    assert all(len(name) > 32 for name in names)


@pytest.mark.parametrize("kind", ["urlencoded", "json", "json numbers"])
async def test_the_other_bodies_mean_the_same(client, upload, kind):
    fields = {"imageUrl": await upload(), "text": "pan left", **QUICK}
    if kind == "urlencoded":
        response = await client.post("/api/generate", data=fields)
    else:
        if kind == "json numbers":
            fields |= {"seconds": 0.5, "fps": 12, "seed": 7, "negative": None, "aspect": ""}
        response = await client.post("/api/generate", json=fields)
    answer = await response.json()
    assert response.status == 200, answer
    assert open_video(await body(client, answer["video"]))[0] == 6


@pytest.mark.parametrize(
    ("more", "size"),
    [
        ({"aspect": "9:16"}, (480, 854)),
        ({"aspect": "1:1", "seed": "123"}, (480, 480)),
        ({"negative": "people", "serverUrl": " ", "comfyPipeline": ""}, (854, 480)),
        ({"comfyPipeline": "camera-motion"}, (854, 480)),
    ],
)
async def test_common_parameters(client, upload, generate, more, size):
    response = await generate(imageUrl=await upload(), text="zoom in", **more)
    answer = await response.json()
    assert response.status == 200, answer
    assert open_video(await body(client, answer["video"]))[1] == size


async def test_without_a_length_the_text_decides(client, upload, generate):
    response = await generate(imageUrl=await upload(), text="[zoom in] [1s]", seconds=None)
    answer = await response.json()
    assert open_video(await body(client, answer["video"]))[0] == 12


async def own_forms(url):
    yield url
    yield URL(url).path
    yield str(URL(url).with_host("other.example").with_port(80))
    yield f"https://studio.example/behind/a/proxy{URL(url).path}?x=1#y"


async def test_an_own_picture_is_known_under_any_host_name(upload, generate):
    async for address in own_forms(await upload()):
        response = await generate(imageUrl=address, text="x")
        assert response.status == 200, (address, await response.text())


async def test_a_result_can_be_the_next_picture(upload, generate):
    first = await (await generate(imageUrl=await upload(), text="x")).json()
    assert (await generate(imageUrl=first["image"], text="x")).status == 200
    answer = await refusal(await generate(imageUrl=first["video"], text="x"))
    assert "video" in answer["error"]


async def test_a_data_uri_is_a_picture(generate, png):
    encoded = base64.b64encode(png).decode()
    assert (await generate(imageUrl=f"data:image/png;base64,{encoded}", text="x")).status == 200
    wrapped = "\n ".join((encoded[:20], encoded[20:].rstrip("=")))  # as browsers forgive
    assert (await generate(imageUrl=f"data:;base64, {wrapped}", text="x")).status == 200
    for damaged in ("data:", "data:,x", "data:image/png;base64,###", f"data:image/png,{encoded}"):
        answer = await refusal(await generate(imageUrl=damaged, text="x"))
        assert set(answer["fields"]) == {"imageUrl"}


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("/api/files/" + "0" * 64 + ".png", "unknown_image"),
        ("/api/files/../../etc/passwd", "unknown_image"),
        ("/etc/passwd", "unknown_image"),
        ("nonsense", "image_not_fetched"),
        ("file:///etc/passwd", "image_not_fetched"),
        ("http://127.0.0.1:1/a.png", "image_not_fetched"),
        ("http://[::ffff:10.0.0.1]/a.png", "image_not_fetched"),
        ("http://169.254.169.254/latest/meta-data", "image_not_fetched"),
        ("http://[", "image_not_fetched"),
        ("//host", "image_not_fetched"),
    ],
)
async def test_an_address_without_a_picture(generate, files, address, code):
    answer = await refusal(await generate(imageUrl=address, text="x"))
    assert answer["code"] == code
    assert set(answer["fields"]) == {"imageUrl"}
    assert not answer["fields"]["imageUrl"].startswith("imageUrl")
    assert answer["error"] not in answer["details"]
    assert files() == []


@pytest.mark.parametrize("text", ["", " ", "\n\t\u00a0", "\u200b\u2060", "\x00", "\u202e", None])
async def test_a_blank_text_is_refused(upload, generate, text):
    answer = await refusal(await generate(imageUrl=await upload(), text=text))
    assert answer["fields"] == {"text": "required"}


async def test_everything_that_is_missing_is_named_at_once(generate):
    answer = await refusal(await generate())
    assert answer["code"] == "missing_field"
    assert answer["fields"] == {"imageUrl": "required", "text": "required"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seconds", "0"),
        ("seconds", "61"),
        ("seconds", "nan"),
        ("seconds", "x"),
        ("fps", "0"),
        ("fps", "1e9"),
        ("fps", "inf"),
        ("aspect", "2:1"),
        ("resolution", "8k"),
        ("seed", "-1"),
        ("seed", "1.5"),
        ("seed", "9" * 400),
        ("seconds", "9" * 5000),
    ],
)
async def test_a_value_out_of_its_limits_is_refused_and_the_limits_are_named(
    upload, generate, name, value
):
    answer = await refusal(await generate(imageUrl=await upload(), text="x", **{name: value}))
    assert set(answer["fields"]) == {name}


@pytest.mark.parametrize("given", ["5", "", " "])
async def test_a_typo_is_not_ignored(upload, generate, given):
    answer = await refusal(await generate(imageUrl=await upload(), text="x", secnods=given))
    assert answer["code"] == "unknown_field"
    assert set(answer["fields"]) == {"secnods"}
    for name in ("imageUrl", "text", "serverUrl", "comfyPipeline", "seconds", "aspect", "seed"):
        assert name in answer["error"]


async def test_a_repeated_field_is_refused(client, upload):
    url = await upload()
    pairs = [("imageUrl", url), ("text", "a"), ("text", "b")]
    form = FormData(default_to_multipart=True)
    for name, value in pairs:
        form.add_field(name, value)
    headers = {"Content-Type": "application/json"}
    twice = json.dumps({"imageUrl": url, "text": "a"})[:-1] + ', "text": "b"}'
    for sent in ({"data": form}, {"data": pairs}, {"data": twice, "headers": headers}):
        answer = await refusal(await client.post("/api/generate", **sent))
        assert answer["fields"] == {"text": "given more than once"}


async def test_a_file_where_text_belongs_is_refused(client, png):
    form = picture_form(png)
    form.add_field("text", "x")
    answer = await refusal(await client.post("/api/generate", data=form))
    assert "/api/upload" in answer["error"]


async def test_a_pipeline_nobody_knows_is_refused_with_the_known_ones(upload, generate):
    answer = await refusal(await generate(imageUrl=await upload(), text="x", comfyPipeline="nope"))
    assert answer["code"] == "unknown_pipeline"
    assert "camera-motion" in answer["error"]


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.5:8188",
        "http://example.org",
        "http://localhost.evil.example:8188",
        "http://169.254.169.254",
        "http://2130706433:8188",
    ],
)
async def test_a_server_that_is_not_allowed_is_refused(upload, generate, url):
    answer = await refusal(await generate(imageUrl=await upload(), text="x", serverUrl=url))
    assert answer["code"] == "server_not_allowed"
    assert "PROMPTREEL_ALLOWED_SERVERS" in answer["error"]


@pytest.mark.parametrize(
    "url", ["ftp://localhost", "localhost:8188", "http://u:p@localhost", "x y"]
)
async def test_a_server_that_is_no_address_is_refused(upload, generate, url):
    answer = await refusal(await generate(imageUrl=await upload(), text="x", serverUrl=url))
    assert set(answer["fields"]) == {"serverUrl"}


async def test_a_named_server_that_is_away_is_an_error_and_never_a_demo(
    upload, generate, unused_tcp_port
):
    url = f"http://127.0.0.1:{unused_tcp_port}"
    answer = await refusal(await generate(imageUrl=await upload(), text="x", serverUrl=url), 500)
    assert answer["code"] == "comfyui_unreachable"


@pytest.mark.parametrize("filler", ["word ", "\U0001f600", "pan left then zoom in. ", "a"])
async def test_a_hundred_kilobytes_of_text(client, upload, generate, filler):
    text = filler * (100_000 // len(filler.encode()))
    response = await generate(imageUrl=await upload(), text=text)
    if response.status != 200:
        await refusal(response)
    assert (await client.get("/api/health")).status == 200


async def test_a_text_too_long_to_read_is_refused(upload, generate):
    answer = await refusal(await generate(imageUrl=await upload(), text="a" * 300_000))
    assert set(answer["fields"]) == {"text"}


@pytest.mark.parametrize("text", ["a\x00b", "\ufeff!", "\u202ea", "'; drop table jobs; --"])
async def test_odd_text_works(upload, generate, text):
    assert (await generate(imageUrl=await upload(), text=text)).status == 200


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("application/json", b"{"),
        ("application/json", b"[]"),
        ("application/json", b'"text"'),
        ("application/json", b"\xff"),
        ("application/json; charset=nonsense", b"{}"),
        ("application/json", b'{"text": NaN}'),
        ("application/json", b'{"text": ["x"]}'),
        ("application/json", b'{"text": {"x": 1}}'),
        ("application/json", b'{"text": "\\ud800", "imageUrl": "x"}'),
        ("application/json", b"[" * 100_000),
        ("application/json", b'{"text": ' + b"9" * 5000 + b"}"),
        ("application/x-www-form-urlencoded", b"text=%ff"),
        ("application/x-www-form-urlencoded; charset=nonsense", b"text=x"),
        ("application/x-www-form-urlencoded", b"&" * 10_000),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"--b\r\n"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--\r\n"),
        (
            "multipart/form-data; boundary=b",
            (
                b'--b\r\nContent-Disposition: form-data; name="text"\r\nContent-Type: text/plain; '
                b"charset=nonsense\r\n\r\nx\r\n--b--\r\n"
            ),
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n\xff\xfe\r\n--b--\r\n',
        ),
        ("text/plain", b"text=x"),
        ("", b"text=x"),
        ("application/octet-stream", b""),
    ],
    ids=range(22),
)
async def test_a_damaged_body_is_refused(client, content_type, data):
    headers = {"Content-Type": content_type} if content_type else {}
    skipped = () if content_type else ("Content-Type",)
    response = await client.post(
        "/api/generate", data=data, headers=headers, skip_auto_headers=skipped
    )
    await refusal(response)


async def test_a_body_beyond_all_limits_is_refused(client):
    data = io.BytesIO(b"text=" + b"x" * (80 * 1024 * 1024))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await refusal(await client.post("/api/generate", data=data, headers=headers))
    assert answer["code"] == "body_too_large"


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "multi"])
async def test_a_body_of_countless_fields_is_refused(client, kind):
    parts = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n' * 100_000
    data, content_type = {
        "application/json": (b"[" + b"{}," * 1_000_000 + b"{}]", kind),
        "application/x-www-form-urlencoded": (b"&" * 5_000_000, kind),
        "multi": (parts + b"--b--\r\n", "multipart/form-data; boundary=b"),
    }[kind]
    response = await client.post(
        "/api/generate", data=io.BytesIO(data), headers={"Content-Type": content_type}
    )
    assert (await refusal(response))["code"] == "malformed_body"


async def test_other_requests_are_answered_while_two_videos_are_made(client, upload, generate):
    url = await upload()
    long = {"seconds": "4", "resolution": "720p", "fps": "24"}
    making = [asyncio.create_task(generate(imageUrl=url, text="x", **long)) for _ in range(2)]
    asked = 0
    while not all(task.done() for task in making):
        assert (await client.get("/api/health")).status == 200
        asked += 1
        await asyncio.sleep(0.02)
    answers = [await (await task).json() for task in making]
    assert asked > 5
    assert answers[0]["video"] != answers[1]["video"]


async def test_urls_stay_valid_over_a_restart(aiohttp_client, settings, png):
    client = await aiohttp_client(create_app(settings))
    response = await client.post("/api/upload", data=picture_form(png))
    url = (await response.json())["imageUrl"]
    response = await client.post("/api/generate", data={"imageUrl": url, "text": "x", **QUICK})
    answer = await response.json()
    await client.close()
    client = await aiohttp_client(create_app(settings))
    for address in (url, answer["image"], answer["video"]):
        assert await body(client, address)
    job = await (await client.get(f"/api/jobs/{answer['jobId']}")).json()
    assert URL(job["result"]["video"]).path == URL(answer["video"]).path


async def test_nothing_unfinished_is_left(upload, generate, settings):
    await generate(imageUrl=await upload(), text="x")
    await refusal(await generate(imageUrl="data:,x", text="x"))
    assert not await asyncio.to_thread(os.listdir, settings.data_dir / "unfinished")
