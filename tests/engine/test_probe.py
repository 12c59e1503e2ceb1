from __future__ import annotations

import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from promptreel.engine.encode import Job, encode
from promptreel.engine.errors import EncodeError
from promptreel.engine.formats import FORMATS, format_named
from promptreel.engine.planes import blank_frame, plane_values
from promptreel.engine.probe import probe
from promptreel.engine.values import Extent

from tests.pictures import picture, saved

SIZE = Extent(96, 64)


def noise(count: int) -> Iterator[av.VideoFrame]:
    """Yield frames that can't be compressed well, so that a cut hits them."""
    chance = np.random.default_rng(3)
    for _ in range(count):
        frame = blank_frame(SIZE)
        for values in plane_values(frame):
            values[:] = chance.integers(16, 235, values.shape)
        yield frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second of noise in every format."""
    folder = tmp_path_factory.mktemp("videos")
    for name, row in FORMATS.items():
        job = Job(SIZE, Fraction(24), 24, row)
        encode(noise(24), job, folder / f"noise.{name}")
    return folder


@pytest.mark.parametrize("name", FORMATS)
def test_it_tells_what_the_file_holds(folder: Path, name: str):
    found, row = probe(folder / f"noise.{name}"), format_named(name)
    assert (found.extent, found.frames) == (SIZE, 24)
    assert float(found.fps) == pytest.approx(24, rel=0.002)  # WebP counts whole milliseconds
    assert found.seconds == pytest.approx(1, abs=0.002)
    assert (found.container, found.codec) == (row.container, row.codec)


@pytest.mark.parametrize("name", FORMATS)
def test_the_name_does_not_matter(folder: Path, tmp_path: Path, name: str):
    renamed = tmp_path / "video.bin"
    shutil.copy(folder / f"noise.{name}", renamed)
    assert probe(renamed).frames == 24
    assert probe(renamed).codec == format_named(name).codec


@pytest.mark.parametrize("part", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("name", FORMATS)
def test_a_file_cut_short_is_refused(folder: Path, tmp_path: Path, name: str, part: float):
    data = (folder / f"noise.{name}").read_bytes()
    path = tmp_path / f"cut.{name}"
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(EncodeError, match=r"(not a video|cut short|no frame).*: make it again\.$"):
        probe(path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"])
def test_a_still_picture_is_no_video(tmp_path: Path, kind: str):
    path = tmp_path / "still.mp4"
    path.write_bytes(saved(picture(), kind))
    with pytest.raises(EncodeError, match="not a video"):
        probe(path)


@pytest.mark.parametrize("suffix", ["mp4", "m3u8", "txt", "ffconcat"])
@pytest.mark.parametrize("head", ["#EXTM3U\n#EXTINF:1,\n", "ffconcat version 1.0\nfile "])
def test_a_playlist_opens_no_other_file(folder: Path, tmp_path: Path, suffix: str, head: str):
    path = tmp_path / f"list.{suffix}"
    path.write_text(f"{head}{folder / 'noise.mp4'}\n", encoding="utf-8")
    with pytest.raises(EncodeError, match="not a video"):
        probe(path)


def test_a_missing_file_is_told_without_its_path(tmp_path: Path):
    with pytest.raises(EncodeError, match="no such video file") as caught:
        probe(tmp_path / "no" / "nowhere.mp4")
    assert str(tmp_path) not in str(caught.value)


def test_sound_alone_is_no_video(tmp_path: Path):
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(EncodeError, match="not a video"):
        probe(path)
