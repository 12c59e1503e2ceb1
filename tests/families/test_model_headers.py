from __future__ import annotations

from pathlib import Path

import pytest
from promptreel.families.errors import FamilyError
from promptreel.families.headers import Header, read_header
from weight_files import FILES, header_bytes, write


def test_a_header_tells_shapes_and_metadata(tmp_path: Path):
    path = write(tmp_path / "wan.safetensors", FILES["wan2.2_ti2v_5B_fp16"])
    header = read_header(path)
    assert header.name == "wan.safetensors"
    assert header.shapes["patch_embedding.weight"] == (5120, 48, 1, 2, 2)
    assert header.metadata == {"format": "pt"}


def test_a_header_bears_the_name_it_was_chosen_by(tmp_path: Path):
    path = write(tmp_path / "wan.safetensors", {})
    assert read_header(path, "sub/wan.safetensors").name == "sub/wan.safetensors"


@pytest.mark.parametrize("name", ["a.ckpt", "a.pt", "a.gguf", "a.pth", "none.bin"])
def test_other_formats_are_not_read(tmp_path: Path, name: str):
    assert read_header(tmp_path / name) == Header(name)


def _sized(header: bytes) -> bytes:
    return len(header).to_bytes(8, "little") + header


DAMAGED = {
    "empty": b"",
    "three bytes": b"abc",
    "a web page": b"<!DOCTYPE html><html>You need to log in</html>",
    "a pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 10\n",
    "longer than the file": (10**6).to_bytes(8, "little") + b"{}",
    "longer than any": (1 << 62).to_bytes(8, "little") + b"{}",
    "not json": _sized(b"{oops}"),
    "not utf-8": _sized(b"\xff\xfe{}"),
    "a list": _sized(b"[1, 2]"),
    "a row that is none": _sized(b'{"a": 1}'),
    "no shape": _sized(b'{"a": {"data_offsets": [0, 0]}}'),
    "no offsets": _sized(b'{"a": {"shape": [1]}}'),
    "a shape of words": _sized(b'{"a": {"shape": ["x"], "data_offsets": [0, 0]}}'),
    "an endless shape": _sized(b'{"a": {"shape": [1e999], "data_offsets": [0, 0]}}'),
    "metadata that is none": _sized(b'{"__metadata__": [1]}'),
    "nested": _sized(b"[" * 100_000),
    "cut off": _sized(b'{"a": {"shape": [9], "dtype": "F16", "data_offsets": [0, 18]}}')
    + b"0" * 17,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_gets_its_sentence(tmp_path: Path, content: bytes):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(FamilyError, match=r"^model\.safetensors can't be read .*again\.$"):
        read_header(path)


def test_a_file_that_is_gone_gets_its_sentence(tmp_path: Path):
    with pytest.raises(FamilyError, match="download it again"):
        read_header(tmp_path / "model.safetensors")


def test_a_folder_is_no_model(tmp_path: Path):
    (tmp_path / "model.safetensors").mkdir()
    with pytest.raises(FamilyError):
        read_header(tmp_path / "model.safetensors")


def test_the_weights_are_not_read(tmp_path: Path):
    header = header_bytes({"a": (1,)}).replace(b"[0, 0]", b"[0, %d]" % 10**12)
    path = tmp_path / "huge.safetensors"
    with path.open("wb") as file:
        file.write(_sized(header))
        file.truncate(8 + len(header) + 10**12)
    assert read_header(path).shapes == {"a": (1,)}
