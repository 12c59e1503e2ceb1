"""A full or broken disk: a clear answer with its own code, no traceback, and on when it can."""

from __future__ import annotations

import asyncio
import errno
import shutil
import sqlite3
from collections import namedtuple

import pytest
from av.error import FFmpegError

from sidecar import disk
from sidecar.keys import MEDIA, STORE
from tests.service import picture_form, refusal

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "x"), "disk_full"),
        (OSError(errno.EFBIG, "x"), "disk_full"),
        (OSError(errno.EROFS, "x"), "storage_failed"),
        (OSError(errno.EIO, "x"), "storage_failed"),
        (sqlite3.OperationalError("database or disk is full"), "disk_full"),
        (sqlite3.OperationalError("disk I/O error"), "storage_failed"),
        (sqlite3.DatabaseError("database disk image is malformed"), "storage_failed"),
        (FFmpegError(errno.ENOSPC, "x"), "disk_full"),
        (OSError(errno.ECONNRESET, "x"), None),
        (FileNotFoundError(errno.ENOENT, "x"), None),
        (sqlite3.OperationalError("no such column: x"), None),
        (ValueError("disk is full"), None),
        (None, None),
    ],
)
def test_what_is_the_disks_fault(error, code):
    found = disk.trouble(error)
    assert (found and found.code) == code


def test_the_cause_counts_too():
    error = RuntimeError("the encoder failed")
    error.__cause__ = OSError(errno.ENOSPC, "x")
    assert disk.trouble(error) is disk.DISK_FULL


def test_a_folder_is_looked_at_by_what_is_free_and_by_writing(tmp_path, monkeypatch):
    assert disk.look(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    assert disk.look(tmp_path / "gone") is disk.STORAGE_FAILED
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, disk.SPARE - 1))
    assert disk.look(tmp_path) is disk.DISK_FULL


async def test_a_job_that_cant_be_stored_is_refused_and_taken_later(
    client, generate, upload, caplog
):
    image = await upload()
    db = client.app[STORE]._db
    await db.execute_fetchall("pragma max_page_count = 1")
    text = "pan left " * 5000  # more than the file's last page takes
    response = await generate(imageUrl=image, text=text)
    body = await refusal(response, 500)
    assert body["code"] == "disk_full"
    assert "free some space" in body["error"]
    assert "Traceback" not in caplog.text
    await db.execute_fetchall("pragma max_page_count = 1000000")
    assert (await generate(imageUrl=image, text=text)).status == 200


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
async def test_a_picture_that_cant_be_stored_is_refused(client, png, caplog, monkeypatch, number):
    media = client.app[MEDIA]
    put_file = media.put_file

    async def fails(key, path):
        raise OSError(number, "x", str(path))

    monkeypatch.setattr(media, "put_file", fails)
    body = await refusal(await client.post("/api/upload", data=picture_form(png)), 500)
    assert body["code"] == ("disk_full" if number == errno.ENOSPC else "storage_failed")
    assert "/" not in body["error"] + body["details"]
    assert "Traceback" not in caplog.text
    monkeypatch.setattr(media, "put_file", put_file)
    assert (await client.post("/api/upload", data=picture_form(png))).status == 200


async def test_ready_says_no_without_room_and_yes_again(client, monkeypatch):
    assert (await client.get("/api/ready")).status == 200
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, 0))
        body = await refusal(await client.get("/api/ready"), 503)
        assert body["code"] == "disk_full"
        assert (await client.get("/api/health")).status == 200
    await asyncio.sleep(0)
    assert (await client.get("/api/ready")).status == 200
