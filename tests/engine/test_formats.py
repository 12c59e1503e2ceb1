from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import pytest
from promptreel.engine import formats, limits
from promptreel.engine.errors import ParameterError
from promptreel.engine.formats import FORMATS, Format
from promptreel.engine.values import Extent

ROWS = pytest.mark.parametrize("row", FORMATS.values(), ids=lambda row: row.name)


def test_there_is_one_file_for_each_format():
    files = Path(formats.__file__).with_name("formats").glob("*")
    assert sorted(path.name for path in files) == sorted(f"{name}.json" for name in FORMATS)
    assert {"mp4", "webm", "webp", "gif"} <= set(FORMATS)


@ROWS
def test_a_row_names_what_exists(row: Format):
    encoder = av.Codec(row.encoder, "w")
    assert encoder.canonical_name == row.codec
    assert row.pix_fmt in {form.name for form in encoder.video_formats or ()}
    assert row.container in av.formats_available
    assert row.mime.split("/")[0] in {"video", "image"}
    assert row.mime.endswith(row.extension)
    assert all(isinstance(value, str) for value in row.options.values())


@ROWS
def test_limits_are_met_exactly(row: Format):
    row.check(Extent(row.max_side, row.max_side), Fraction(row.max_fps))
    with pytest.raises(ParameterError, match=f"at most {row.max_fps} fps"):
        row.check(Extent(64, 64), row.max_fps + Fraction(1, 100))
    with pytest.raises(ParameterError, match=f"at most {row.max_side} pixels a side"):
        row.check(Extent(64, row.max_side + 2), Fraction(24))
    assert row.max_fps <= limits.MAX_FPS
    assert row.max_side <= limits.MAX_SIDE


def test_adding_a_file_adds_a_format(tmp_path: Path):
    source = Path(formats.__file__).with_name("formats") / "mp4.json"
    row = json.loads(source.read_text(encoding="utf-8"))
    (tmp_path / "mov.json").write_text(json.dumps({**row, "container": "mov"}), encoding="utf-8")
    made = formats.load(tmp_path)
    assert (made["mov"].name, made["mov"].container) == ("mov", "mov")
