"""Whether a video file can be played, told from real files: whole, cut, and what is none."""

from __future__ import annotations

import io
import tempfile
import time
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from sidecar.backends.frames import save_first_frame
from sidecar.backends.playable import CUT_SHORT, EMPTY, NO_VIDEO, fault

FRAMES = [np.random.default_rng(n).integers(0, 255, (64, 96, 3), dtype=np.uint8) for n in range(6)]
HTML = b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>"
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nother.mp4\n#EXT-X-ENDLIST\n"


def encoded(kind: str, codec: str, *, sound: bool = False, **options: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        encode(path, kind, codec, sound=sound, **options)
        return path.read_bytes()


def encode(path: Path, kind: str, codec: str, *, sound: bool, **options: str) -> None:
    with av.open(str(path), "w", format=kind, options=options) as container:
        stream = container.add_stream(codec, rate=12)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        audio = container.add_stream("aac", rate=16000) if sound else None
        for array in FRAMES:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(array)))
        container.mux(stream.encode(None))
        if audio is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
            silence.sample_rate = 16000
            container.mux(audio.encode(silence))
            container.mux(audio.encode(None))


def animated(kind: str) -> bytes:
    file = io.BytesIO()
    first, *rest = map(Image.fromarray, FRAMES)
    first.save(file, kind, save_all=True, append_images=rest, duration=80)
    return file.getvalue()


WHOLE = {
    "mp4": encoded("mp4", "libx264"),
    "faststart.mp4": encoded("mp4", "libx264", movflags="faststart"),
    "sound.mp4": encoded("mp4", "libx264", sound=True, movflags="faststart"),
    "pieces.mp4": encoded("mp4", "libx264", movflags="frag_keyframe+empty_moov"),
    "webm": encoded("webm", "libvpx-vp9"),
    "webp": animated("webp"),
    "gif": animated("gif"),
}


@pytest.fixture
def put(tmp_path):
    """Return a function that writes a file."""

    def write(name: str, data: bytes):
        path = tmp_path / f"a.{name.rpartition('.')[2]}"
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize("name", WHOLE)
def test_whole_files_play(name, put, tmp_path):
    path = put(name, WHOLE[name])
    assert fault(path) == ""
    assert save_first_frame(path, tmp_path / "image.png")


@pytest.mark.parametrize("part", [0.02, 0.3, 0.5, 0.9, 0.99, 1])
@pytest.mark.parametrize("name", WHOLE)
def test_no_file_plays_that_was_cut(name, part, put):
    data = WHOLE[name]
    assert fault(put(name, data[: int(len(data) * part) - 1])) in (CUT_SHORT, NO_VIDEO)


@pytest.mark.parametrize("name", ["mp4", "webm", "webp", "gif"])
def test_what_is_no_video_does_not_play(name, put):
    assert fault(put(name, b"")) == EMPTY
    for data in (HTML, PLAYLIST, b"x", bytes(5000), b"\xff" * 5000):
        assert fault(put(name, data)) == NO_VIDEO


def test_a_head_alone_does_not_play(put):
    heads = {"mp4": b"\0\0\0\x08ftyp", "webm": b"\x1a\x45\xdf\xa3", "gif": b"GIF89a"}
    for name, head in heads.items():
        for more in (b"", b"\0", b"\xff" * 9, bytes(99)):
            assert fault(put(name, head + more)), (name, more)


def test_a_picture_or_a_sound_is_no_video(put):
    assert fault(put("mp4", WHOLE["gif"])) == NO_VIDEO
    assert fault(put("gif", WHOLE["mp4"])) == NO_VIDEO
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=16000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
        silence.sample_rate = 16000
        for packet in (*stream.encode(silence), *stream.encode(None)):
            container.mux(packet)
    assert fault(put("mp4", file.getvalue())) == NO_VIDEO


@pytest.mark.parametrize("name", WHOLE)
def test_something_after_the_end_does_no_harm(name, put):
    if name != "pieces.mp4":
        assert fault(put(name, WHOLE[name] + b"\0\0\0\0more")) == ""


def test_a_playlist_opens_no_other_file(put, tmp_path):
    (tmp_path / "other.mp4").write_bytes(WHOLE["mp4"])
    assert fault(put("mp4", PLAYLIST)) == NO_VIDEO
    assert not save_first_frame(put("mp4", PLAYLIST), tmp_path / "image.png")


@pytest.mark.parametrize("name", ["mp4", "webm", "webp", "gif"])
def test_it_is_quick(name, put):
    path = put(name, WHOLE[name])
    times = []
    for _ in range(10):
        begun = time.perf_counter()
        fault(path)
        times.append(1000 * (time.perf_counter() - begun))
    print(f"{name}: {min(times):.2f} ms")
    assert min(times) < 25  # 2 ms on a machine that does nothing else
