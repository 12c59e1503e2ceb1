"""Names in addresses: none leads out of the folder of pictures, whatever it is made of."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest

from tests.service import picture_form, refusal

SECRET = b"a secret that is no picture"

# As bytes of a request line: no client library may tidy them up.
PATHS = """
    ../secret.txt ..%2fsecret.txt ..%2Fsecret.txt %2e%2e/secret.txt %2e%2e%2fsecret.txt
    ..%252fsecret.txt ..%5csecret.txt ..\\secret.txt ....//secret.txt ..;/secret.txt
    ../../../../../../etc/passwd ..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd
    %2fetc%2fpasswd //etc/passwd /etc/passwd file:///etc/passwd ./jobs.db ../jobs.db ..%2fjobs.db
    ..%c0%afjobs.db ..%e0%80%afjobs.db %c0%ae%c0%ae/jobs.db ..%u2215jobs.db ../media/../jobs.db
    ../unfinished/ . .. %2e %2e%2e ~ ~root %00 a%00.png secret.txt%00.png {key}%00 {key}%00.txt
    {key}/ {key}/.. {key}%2f.. ./{key} %2e/{key} ../media/{key} ..%2fmedia%2f{key} media/{key}
    {key}. {key}%20 %20{key} {key}::$DATA {key}:stream {key}:Zone.Identifier {key}%3a$DATA
    CON con.png CON.png PRN AUX nul.png NUL COM1 com1.png LPT1.txt CONIN$ CLOCK$ \\\\.\\con
    \\\\?\\C:\\x \\\\host\\share\\x C:\\x C:/x c:x %43:%5cx {KEY} link.png link.mp4 folder.png
    client-id jobs.db jobs.db-wal .hidden .png a.b.c {key}.bak * ? %3f %2a {key}?x {key}%0d%0a
    {key}%0d%0aX-Injected:%20yes %ff%fe %f0%9f%92%a9.png %d0%ba%d0%be%d1%82.png
"""
GOOD = {"{key}?x"}  # a query changes nothing


@pytest.fixture
async def key(client, png, settings) -> str:
    """The name of a stored picture; beside it lies what must not be served."""
    response = await client.post("/api/upload", data=picture_form(png))
    (settings.data_dir / "secret.txt").write_bytes(SECRET)
    (settings.data_dir / "media" / "folder.png").mkdir()
    return (await response.json())["imageUrl"].rpartition("/")[2]


async def asked(client, path: bytes, method: bytes = b"GET") -> tuple[int, bytes, bytes]:
    """Ask by raw bytes; return status, head and body."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(
        method + b" " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    head, _, body = (await reader.read(200_000)).partition(b"\r\n\r\n")
    while piece := await reader.read(65536):
        body += piece
    writer.close()
    return int(head.split(b" ")[1]), head, body


async def test_no_name_leads_anywhere_else(client, key, png):
    for text in PATHS.split():
        name = text.format(key=key, KEY=key.upper()).encode()
        for path in (
            b"/api/files/" + name,
            b"/api/jobs/" + name,
            b"/api/jobs/" + name + b"/events",
        ):
            status, head, body = await asked(client, path)
            if body == png:
                assert text in GOOD or text.strip("./%2efmdia{}ky") == "", path
                continue
            assert (path, status in (400, 403, 404, 405)) == (path, True), body[:300]
            said = json.loads(body)
            assert said["error"]
            assert b"X-Injected" not in head
            assert SECRET not in body
            assert b"root:" not in body


@pytest.mark.parametrize("length", [151, 255, 256, 4000, 7000])
async def test_a_very_long_name_is_not_there(client, key, length):
    for name in (b"a" * length + b".png", b"%61" * (length // 3) + b".png", b"../" * (length // 3)):
        status, _, body = await asked(client, b"/api/files/" + name)
        assert status in (400, 404)
        assert json.loads(body)["error"]


@pytest.mark.skipif(sys.platform == "win32", reason="making a link needs rights there")
async def test_a_link_in_the_folder_is_not_followed(client, generate, key, settings, files):
    media = settings.data_dir / "media"
    secret = settings.data_dir / "secret.txt"
    for name, target in {
        "link.png": secret,
        "link.mp4": secret,
        "link-to-a-link.png": media / "link.png",
        "nowhere.png": media / "none.png",
        "itself.png": media / "itself.png",
        f"{'a' * 64}.png": media / key,
    }.items():
        (media / name).symlink_to(target)
        for method in (b"GET", b"HEAD"):
            status, _, body = await asked(client, f"/api/files/{name}".encode(), method)
            assert (name, status) == (name, 404)
            assert SECRET not in body
        body = await refusal(await generate(imageUrl=f"/api/files/{name}"))
        assert body["code"] == "unknown_image"
    assert secret.read_bytes() == SECRET


@pytest.mark.skipif(sys.platform == "win32", reason="making a link needs rights there")
async def test_a_link_where_a_picture_would_lie_is_replaced_not_written_through(
    client, key, png, settings
):
    place, victim = settings.data_dir / "media" / key, settings.data_dir / "secret.txt"
    place.unlink()
    place.symlink_to(victim)
    response = await client.post("/api/upload", data=picture_form(png))
    assert response.status == 200
    assert victim.read_bytes() == SECRET
    assert not place.is_symlink()
    assert place.read_bytes() == png


async def test_no_imageurl_that_is_a_path_leads_anywhere_else(client, generate, key):
    for name in PATHS.split():
        for address in ("/api/files/{}", "/{}", "./{}"):
            spelt = address.format(name.format(key="none.png", KEY="NONE.PNG"))
            body = await refusal(await generate(imageUrl=spelt))
            assert body["code"] in {"unknown_image", "image_not_fetched"}
