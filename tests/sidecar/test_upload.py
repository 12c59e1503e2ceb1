"""POST /api/upload: what is kept, what is refused, and that nothing else stays on the disk."""

from __future__ import annotations

import asyncio
import hashlib
import io
from dataclasses import replace

import pytest
from aiohttp import FormData, MultipartWriter
from yarl import URL

from sidecar.app import create_app
from tests.pictures import samples
from tests.service import picture_form, refusal
from tests.waiting import eventually


async def test_the_bytes_are_kept_as_sent_under_their_hash(client, upload, png, files):
    url = URL(await upload())
    assert url.origin() == client.make_url("/").origin()
    assert url.name == f"{hashlib.sha256(png).hexdigest()}.png"
    response = await client.get(url.path)
    assert await response.read() == png
    assert response.content_type == "image/png"
    assert files() == [url.name]


async def test_the_same_picture_twice_gives_the_same_url(upload, files):
    first, second = await upload(), await upload(filename="b.gif", content_type="text/html")
    assert first == second
    assert len(files()) == 1


@pytest.mark.parametrize(
    "filename", ["../../x.png", "C:\\x.png", "\u043a\u043e\u0442.png", "", "a" * 3000]
)
async def test_the_clients_file_name_does_not_matter(upload, png, files, filename):
    await upload(filename=filename)
    assert files() == [f"{hashlib.sha256(png).hexdigest()}.png"]


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
async def test_any_file_is_a_picture_or_a_clear_refusal(client, files, sample):
    data = sample.data
    response = await client.post("/api/upload", data=picture_form(data, filename=sample.name))
    if sample.readable:
        assert response.status == 200, await response.text()
        key = URL((await response.json())["imageUrl"]).name
        assert files() == [key]
        served = await client.get(f"/api/files/{key}")
        assert await served.read() == data
        assert served.content_type.startswith("image/")
        return
    body = await refusal(response)
    assert body["code"] == "invalid_image"
    assert body["fields"] == {"image": body["error"]}
    assert files() == []


async def test_one_byte_over_the_limit_is_refused_and_the_limit_is_not(
    aiohttp_client, settings, png
):
    limit = len(png)
    for size, status in ((limit, 200), (limit - 1, 400)):
        app = create_app(replaced(settings, size, status))
        client = await aiohttp_client(app)
        response = await client.post("/api/upload", data=picture_form(png))
        assert response.status == status
        if status == 400:
            body = await refusal(response)
            assert body["code"] == "file_too_large"


def replaced(settings, size, folder):
    return replace(settings, max_upload_mb=size / 1024**2, data_dir=settings.data_dir / str(folder))


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_far_over_the_limit_is_cut_off(aiohttp_client, settings, files, chunked):
    client = await aiohttp_client(create_app(replaced(settings, 100_000, "")))

    async def endless():
        for _ in range(100):
            yield b"\x89PNG\r\n\x1a\n" * 4096

    data = endless() if chunked else io.BytesIO(b"\x89PNG\r\n\x1a\n" * 409_600)
    form = FormData()
    form.add_field("image", data, filename="a.png")
    body = await refusal(await client.post("/api/upload", data=form))
    assert body["code"] == "file_too_large"
    assert files() == []


async def test_two_pictures_are_refused(client, png, files):
    form = picture_form(png)
    form.add_field("image", png, filename="b.png")
    body = await refusal(await client.post("/api/upload", data=form))
    assert body["fields"] == {"image": "given more than once"}
    assert files() == []


async def test_a_right_picture_of_a_wrong_form_is_not_kept(client, png, files):
    form = picture_form(png)
    form.add_field("text", "zoom in")
    body = await refusal(await client.post("/api/upload", data=form))
    assert body["fields"] == {"text": "unknown"}
    assert files() == []


async def test_no_picture_and_other_fields_are_refused(client, png, files):
    form = FormData(default_to_multipart=True)
    form.add_field("picture", png, filename="a.png")
    body = await refusal(await client.post("/api/upload", data=form))
    assert body["code"] == "unknown_field"
    assert "image" in body["error"]
    body = await refusal(await client.post("/api/upload", data=EMPTY, headers=BOUNDARY))
    assert body["code"] == "missing_field"
    assert files() == []


BOUNDARY = {"Content-Type": "multipart/form-data; boundary=b"}
EMPTY = b"--b--\r\n"
HEAD = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n'


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "image/png",
        "application/x-www-form-urlencoded",
        "text/plain",
        "x",
        "multipart/mixed; boundary=b",
    ],
)
async def test_another_content_type_is_refused(client, png, content_type):
    response = await client.post("/api/upload", data=png, headers={"Content-Type": content_type})
    assert (await refusal(response))["code"] == "invalid_content_type"


@pytest.mark.filterwarnings("ignore::aiohttp.BadContentDispositionHeader")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00" * 1000,
        b"--b",
        b"--b\r\n",
        b"--c--\r\n",
        HEAD,
        HEAD + b"\r\n",
        HEAD + b"\r\nbytes without an end",
        HEAD
        + b"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--\r\n",
        HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n!!!!!\r\n--b--\r\n",
        HEAD + b"Content-Transfer-Encoding: nonsense\r\n\r\nx\r\n--b--\r\n",
        HEAD + b"Content-Encoding: gzip\r\n\r\nx\r\n--b--\r\n",
        HEAD + b"Content-Length: -1\r\n\r\nx\r\n--b--\r\n",
        HEAD + b"Content-Length: 99999999\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: ;;;\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\n\xff\xfe: \xff\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\n" + b"X: y\r\n" * 5000 + b"\r\nx\r\n--b--\r\n",
        b"--b\r\nX: " + b"y" * 100_000 + b"\r\n\r\nx\r\n--b--\r\n",
    ],
    ids=range(19),
)
async def test_a_damaged_body_is_refused_and_leaves_nothing(client, files, body):
    response = await client.post("/api/upload", data=body, headers=BOUNDARY)
    await refusal(response)
    assert files() == []


@pytest.mark.parametrize("boundary", ["", "boundary=", "boundary=" + "x" * 200])
async def test_a_wrong_boundary_is_refused(client, boundary):
    headers = {"Content-Type": f"multipart/form-data; {boundary}"}
    await refusal(await client.post("/api/upload", data=EMPTY, headers=headers))


async def test_a_client_that_leaves_in_the_middle_leaves_nothing(client, files, caplog):
    _, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(b"POST /api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n")
    writer.write(
        b"Content-Type: multipart/form-data; boundary=b\r\n\r\n" + HEAD + b"\r\n" + b"x" * 500
    )
    await writer.drain()
    await eventually(files)
    writer.close()
    await writer.wait_closed()
    await eventually(lambda: not files())
    assert "Traceback" not in caplog.text


async def test_many_small_parts_do_not_hurt(client, files):
    with MultipartWriter("form-data", boundary="b") as writer:
        for _ in range(2000):
            part = writer.append("x")
            part.set_content_disposition("form-data", name="x")
    await refusal(await client.post("/api/upload", data=writer))
    assert files() == []
