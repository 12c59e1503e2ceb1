from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence
from promptreel.engine.clip import compose
from promptreel.engine.encode import Job, encode, write_video
from promptreel.engine.errors import EncodeError, ParameterError
from promptreel.engine.formats import FORMATS, format_named
from promptreel.engine.planes import blank_frame, plane_values
from promptreel.engine.probe import probe
from promptreel.engine.scene import parse_scene
from promptreel.engine.values import Extent

SMALL = Extent(96, 64)
# Rec. 709 limited range of sRGB (200, 40, 40).
RED_YUV = (80, 112, 198)
RED_RGB = (200, 40, 40)


def frames(
    count: int, extent: Extent = SMALL, fail_at: int | None = None
) -> Iterator[av.VideoFrame]:
    for index in range(count):
        if index == fail_at:
            raise KeyError("the renderer broke")
        frame = blank_frame(extent)
        for values, level in zip(plane_values(frame), RED_YUV, strict=True):
            values[:] = level
        plane_values(frame)[0][:8, :8] = 16 + 200 * (index % 2)  # no two neighbours are the same
        yield frame


def job(name: str = "mp4", count: int = 12, fps: Fraction = Fraction(24), **more) -> Job:
    return Job(more.pop("extent", SMALL), fps, count, format_named(name), **more)


def no_threads_left() -> bool:
    return not any(thread.name == "ahead" for thread in threading.enumerate())


def decoded(path: Path) -> list[np.ndarray]:
    if path.suffix == ".webp":
        with Image.open(path) as image:
            return [np.asarray(f.convert("RGB")) for f in ImageSequence.Iterator(image)]
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_holds_what_was_asked(tmp_path: Path, name: str):
    path = tmp_path / f"out.{format_named(name).extension}"
    fps = Fraction(25)
    told = encode(frames(10, fail_at=None), job(name, 10, fps), path)
    found = probe(path)
    assert (found.extent, found.frames, found.fps) == (SMALL, 10, fps)
    assert (told.extent, told.frames, told.fps) == (SMALL, 10, fps)
    assert found.seconds == pytest.approx(0.4, abs=0.01)
    assert told.bytes == found.bytes == path.stat().st_size
    assert (told.container, told.codec) == (found.container, found.codec)
    for picture in decoded(path):
        assert np.abs(picture[16:, 16:].reshape(-1, 3).mean(axis=0) - RED_RGB).max() < 6
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(30000, 1001), Fraction(60), Fraction(5, 2)])
def test_mp4_keeps_rate_and_count_exactly(tmp_path: Path, fps: Fraction):
    path = tmp_path / "out.mp4"
    encode(frames(31), job(count=31, fps=fps), path)
    found = probe(path)
    assert (found.fps, found.frames) == (fps, 31)
    assert (found.codec, found.pix_fmt, found.container) == ("h264", "yuv420p", "mp4")
    assert found.seconds == pytest.approx(float(31 / fps), abs=1e-3)


def test_mp4_is_tagged_and_starts_fast(tmp_path: Path):
    path = tmp_path / "out.mp4"
    encode(frames(12), job(metadata={"prompt": '{"1": {}}', "workflow": "{}"}), path)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        tags = (context.colorspace, context.color_primaries, context.color_trc)
        assert tuple(int(tag) for tag in tags) == (1, 1, 1)  # ITU-T H.273: BT.709
        assert int(context.color_range) == 1  # limited
        assert container.metadata["prompt"] == '{"1": {}}'
        assert container.metadata["workflow"] == "{}"


def test_a_binary_file_is_as_good_as_a_path(tmp_path: Path):
    out = io.BytesIO()
    told = encode(frames(5), job(count=5), out)
    path = tmp_path / "copy.mp4"
    path.write_bytes(out.getvalue())
    assert probe(path).frames == 5
    assert told.bytes == len(out.getvalue())


def test_report_counts_and_cancels_without_a_trace(tmp_path: Path):
    class Canceled(Exception):
        pass

    seen: list[tuple[int, int]] = []

    def report(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 4:
            raise Canceled

    with pytest.raises(Canceled):
        encode(frames(500), job(count=500), tmp_path / "out.mp4", report)
    assert seen == [(1, 500), (2, 500), (3, 500), (4, 500)]
    assert list(tmp_path.iterdir()) == []
    assert no_threads_left()


def test_a_failing_renderer_leaves_nothing_and_speaks_for_itself(tmp_path: Path):
    with pytest.raises(KeyError, match="the renderer broke"):
        encode(frames(50, fail_at=9), job(count=50), tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []
    assert no_threads_left()


@pytest.mark.parametrize("kind", [ValueError, OSError, SystemExit, KeyboardInterrupt])
def test_errors_of_the_renderer_and_of_the_report_keep_their_type(
    tmp_path: Path, kind: type[BaseException]
):
    """Only what the encoder and the disk say becomes an EncodeError."""

    def source() -> Iterator[av.VideoFrame]:
        yield from frames(3)
        raise kind("from the renderer")

    def report(done: int, total: int) -> None:
        raise kind("from the report")

    with pytest.raises(kind, match="from the renderer"):
        encode(source(), job(), tmp_path / "out.mp4")
    with pytest.raises(kind, match="from the report"):
        encode(frames(3), job(), tmp_path / "out.mp4", report)
    assert list(tmp_path.iterdir()) == []
    assert no_threads_left()


def test_a_frame_that_cannot_be_encoded_is_an_encode_error(tmp_path: Path):
    def source() -> Iterator[av.VideoFrame]:
        yield from frames(2)
        yield av.VideoFrame(0, 0, "yuv420p")

    with pytest.raises(EncodeError, match=r"^The encoder failed.*again\.$") as caught:
        encode(source(), job(), tmp_path / "out.mp4")
    assert "disk" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert no_threads_left()


def test_a_folder_in_the_way_is_an_encode_error(tmp_path: Path):
    (tmp_path / "out.mp4").mkdir()
    with pytest.raises(EncodeError, match="can't be saved") as caught:
        encode(frames(3), job(), tmp_path / "out.mp4")
    assert str(tmp_path) not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_nothing_is_seen_under_the_name_before_the_end(tmp_path: Path):
    seen: set[str] = set()

    def report(done: int, total: int) -> None:
        seen.update(path.name for path in tmp_path.iterdir())

    encode(frames(60), job(count=60), tmp_path / "out.mp4", report)
    (part,) = seen
    assert part.startswith(".out.")
    assert part.endswith(".part")


@pytest.mark.parametrize("name", ["mp4", "gif"])
def test_the_same_frames_give_the_same_bytes(tmp_path: Path, name: str):
    for copy in ("one", "two"):
        encode(frames(20), job(name, 20), tmp_path / copy)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_two_encodes_at_once_do_not_mix(tmp_path: Path):
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(encode, frames(40 + n, size), job(extent=size), tmp_path / f"{n}.mp4")
            for n, size in enumerate((SMALL, Extent(128, 96)))
        ]
    assert [probe(tmp_path / f"{n}.mp4").frames for n in range(2)] == [40, 41]
    assert [done.result().extent for done in jobs] == [SMALL, Extent(128, 96)]


def test_a_long_and_foreign_name_is_kept(tmp_path: Path):
    path = tmp_path / (chr(0x1F305) * 62 + ".mp4")  # 252 bytes of the 255 that a name may have
    encode(frames(2), job(count=2), path)
    assert probe(path).frames == 2


def test_the_renderer_is_closed_when_the_encode_ends_early(tmp_path: Path):
    closed = threading.Event()

    def source() -> Iterator[av.VideoFrame]:
        try:
            yield from frames(1000)
        finally:
            closed.set()

    def report(done: int, total: int) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        encode(source(), job(count=1000), tmp_path / "out.mp4", report)
    assert closed.is_set()


def test_an_existing_file_stays_until_the_new_one_is_complete(tmp_path: Path):
    path = tmp_path / "out.mp4"
    path.write_bytes(b"the old one")
    with pytest.raises(KeyError):
        encode(frames(50, fail_at=9), job(count=50), path)
    assert path.read_bytes() == b"the old one"
    encode(frames(3), job(count=3), path)
    assert probe(path).frames == 3


def test_a_missing_folder_is_one_sentence_without_a_path(tmp_path: Path):
    with pytest.raises(EncodeError, match="folder is missing") as caught:
        encode(frames(3), job(), tmp_path / "no" / "out.mp4")
    assert str(tmp_path) not in str(caught.value)
    assert "disk space" not in str(caught.value)


def test_a_full_disk_is_an_encode_error():
    full = Path("/dev/full")
    if not full.exists():
        full = Path("NUL:")
    with full.open("wb", buffering=0) as out, pytest.raises(EncodeError, match="disk"):
        encode(frames(30), job(count=30), out)


def test_no_frames_is_an_error(tmp_path: Path):
    with pytest.raises(EncodeError, match="no frame"):
        encode(frames(0), job(count=0), tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("extent", [Extent(97, 64), Extent(8, 8), Extent(5000, 64)])
def test_sizes_out_of_the_limits_are_refused(tmp_path: Path, extent: Extent):
    with pytest.raises(ParameterError, match="sides must be even"):
        encode(frames(1, extent), job(extent=extent), tmp_path / "out.mp4")


def test_a_format_knows_its_limits(tmp_path: Path):
    with pytest.raises(ParameterError, match="Animated GIF holds at most 50 fps"):
        encode(frames(1), job("gif", fps=Fraction(60)), tmp_path / "out.gif")
    with pytest.raises(ParameterError, match=r"Unknown format 'avi': use one of gif, mp4"):
        format_named("avi")


def test_write_video_renders_a_clip(tmp_path: Path):
    source = np.zeros((200, 300, 3), np.uint8)
    source[:, :150] = RED_RGB
    clip = compose(source, parse_scene("push in, 1 second"), extent=SMALL, fps=12)
    assert write_video(clip, tmp_path / "out.mp4").frames == clip.frames == 12
    assert probe(tmp_path / "out.mp4").seconds == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("data", [b"", b"no video", b"\0\0\0\x18ftypmp42" + b"\0" * 99])
@pytest.mark.parametrize("suffix", ["mp4", "webp"])
def test_probe_refuses_what_is_no_video(tmp_path: Path, data: bytes, suffix: str):
    path = tmp_path / f"broken.{suffix}"
    path.write_bytes(data)
    with pytest.raises(EncodeError, match="not a video"):
        probe(path)
