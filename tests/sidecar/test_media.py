"""The store of files: whole or not at all, and only under keys of ours."""

from __future__ import annotations

import hashlib

import pytest

from sidecar.media import LocalMediaStore, TooLarge, is_key, save_stream


@pytest.fixture
async def media(tmp_path):
    store = LocalMediaStore(tmp_path)
    await store.open(alone=True)
    return store


async def chunks(*pieces):
    for piece in pieces:
        yield piece


def files(tmp_path):
    return sorted(path.name for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a",
        ".png",
        "a.",
        "../a.png",
        "a/b.png",
        "a\\b.png",
        "A.png",
        "a.b.png",
        "a.png\n",
        "а.png",
        "a%2e.png",
        "~.png",
        "a.png/",
        "a" * 151 + ".png",
        "a.\x00",
    ],
)
async def test_only_our_own_kind_of_name_is_a_key(media, text):
    assert not is_key(text)
    assert await media.stat(text) is None
    with pytest.raises(KeyError):
        async with media.local(text):
            pass
    with pytest.raises(KeyError):
        await media.put_stream(text, chunks(b"x"))


async def test_a_stream_is_stored_whole_and_replaces_what_was_there(media, tmp_path):
    await media.put_stream("a.png", chunks(b"old"))
    info = await media.put_stream("a.png", chunks(b"new ", b"bytes"))
    assert (info.size, info.content_type) == (9, "image/png")
    assert await media.stat("a.png") == info
    async with media.local("a.png") as path:
        assert path.read_bytes() == b"new bytes"
    assert files(tmp_path) == ["a.png"]


async def test_a_broken_or_too_long_stream_leaves_nothing(media, tmp_path):
    async def broken():
        yield b"x" * 600_000
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await media.put_stream("a.png", broken())
    with pytest.raises(TooLarge):
        await media.put_stream("a.png", chunks(b"x" * 10, b"x"), max_bytes=10)
    assert await media.stat("a.png") is None
    assert files(tmp_path) == []


async def test_exactly_the_limit_is_allowed(media):
    assert (await media.put_stream("a.png", chunks(b"x" * 10), max_bytes=10)).size == 10


async def test_save_stream_tells_the_hash(tmp_path):
    data = bytes(range(256)) * 3000
    digest = await save_stream(tmp_path / "x", chunks(data[:7], data[7:500_000], data[500_000:]))
    assert digest == hashlib.sha256(data).hexdigest()
    assert (tmp_path / "x").read_bytes() == data


async def test_a_prefix_is_deleted_and_nothing_else(media):
    for key in ("a-1-x.png", "a-1-y.mp4", "a-11-x.png"):
        await media.put_stream(key, chunks(b"x"))
    assert await media.delete_prefix("a-1-") == 2
    assert await media.stat("a-11-x.png") is not None


async def test_a_start_alone_clears_what_was_left_unfinished(media, tmp_path):
    await media.put_stream("a.png", chunks(b"x"))
    left = tmp_path / "unfinished" / "left"
    left.mkdir()
    (left / "half.mp4").write_bytes(b"x")
    await LocalMediaStore(tmp_path).open(alone=False)
    assert files(tmp_path) == ["a.png", "half.mp4"]
    await LocalMediaStore(tmp_path).open(alone=True)
    assert files(tmp_path) == ["a.png"]


@pytest.fixture
def link(tmp_path):
    """Return a function that puts a link among the files, where the system has links."""

    def put(key: str, target):
        try:
            (tmp_path / "media" / key).symlink_to(target)
        except OSError:
            pytest.skip("this system lets nobody make symlinks")

    return put


async def test_a_symlink_among_the_files_is_nothing(media, link, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    await media.put_stream("b.png", chunks(b"x"))
    link("a.png", secret)
    link("c.png", tmp_path / "nowhere")
    (tmp_path / "media" / "d.png").mkdir()
    for key in ("a.png", "c.png", "d.png"):
        assert await media.stat(key) is None
        assert not await media.touch(key)
        with pytest.raises(KeyError):
            async with media.local(key):
                pass
    assert [one.key for one in await media.listing()] == ["b.png"]
    await media.put_stream("a.png", chunks(b"ours"))
    assert secret.read_bytes() == b"secret", "the link was replaced and not written through"
    assert await media.stat("a.png") is not None
