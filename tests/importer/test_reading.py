"""Files that hold a graph, and files that do not: each kind of wrong file is one sentence."""

from __future__ import annotations

import json
import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from promptreel.publish.errors import NotAGraph

from sidecar.importer.reading import LARGEST, read_source
from tests.importer.foreign import FOREIGN

GRAPH = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "\u044f"}},
}
WORKFLOW = {
    "nodes": [{"id": 1, "type": "LoadImage", "properties": {}}],
    "definitions": {
        "subgraphs": [
            {
                "nodes": [
                    {
                        "properties": {
                            "models": [
                                {"name": "a.safetensors", "url": "https://x/a", "directory": "vae"},
                                {"name": 5},
                            ]
                        }
                    }
                ]
            }
        ]
    },
}


def write(path: Path, value: Any) -> Path:
    text = value if isinstance(value, str) else json.dumps(value)
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


@pytest.mark.parametrize("name", ["still.png", "film.png", "film.webp", "film.webm", "video.mp4"])
def test_file_that_comfyui_saved(name: str):
    source = read_source(FOREIGN / "saved" / name)
    assert source.graph["1"] == {"class_type": "LoadImage", "inputs": {"image": "start.png"}}
    assert all(node.keys() <= {"class_type", "inputs", "_meta"} for node in source.graph.values())


@pytest.mark.parametrize("name", ["still.png", "video.mp4"])
def test_models_of_the_workflow_beside_it(name: str):
    (row,) = read_source(FOREIGN / "saved" / name).models
    assert (row["name"], row["directory"]) == ("a.safetensors", "vae")


def test_exported_graph(tmp_path: Path):
    assert read_source(write(tmp_path / "a.json", GRAPH)).graph == GRAPH


def test_body_of_a_prompt_and_a_byte_order_mark(tmp_path: Path):
    path = write(tmp_path / "a.json", "\ufeff" + json.dumps({"prompt": GRAPH, "client_id": "x"}))
    assert read_source(path).graph == GRAPH


def test_a_node_called_prompt(tmp_path: Path):
    graph = {"prompt": GRAPH["1"]}
    assert read_source(write(tmp_path / "a.json", graph)).graph == graph


@pytest.mark.parametrize("kind", ["tEXt", "zTXt", "iTXt", "iTXt packed"])
def test_every_kind_of_png_text(tmp_path: Path, kind: str):
    texts = PngImagePlugin.PngInfo()
    add = texts.add_itxt if kind.startswith("iTXt") else texts.add_text
    add("prompt", json.dumps(GRAPH), zip=kind in ("zTXt", "iTXt packed"))
    texts.add_text("workflow", json.dumps(WORKFLOW))
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png", pnginfo=texts)
    source = read_source(tmp_path / "a.png")
    assert source.graph == GRAPH
    assert [row["url"] for row in source.models] == ["https://x/a"]


@pytest.mark.parametrize("name", ["a.jpg", "a.webp"])
def test_exif(tmp_path: Path, name: str):
    exif = Image.Exif()
    exif[0x0110] = "prompt:" + json.dumps(GRAPH)
    exif[0x010F] = "workflow:" + json.dumps(WORKFLOW)
    Image.new("RGB", (4, 4)).save(tmp_path / name, exif=exif)
    source = read_source(tmp_path / name)
    assert source.graph == GRAPH
    assert len(source.models) == 1


@pytest.mark.parametrize("inner", [str, dict], ids=["texts", "objects"])
def test_video_with_both_in_its_comment(tmp_path: Path, inner: type):
    both = {"prompt": GRAPH, "workflow": WORKFLOW}
    if inner is str:
        both = {key: json.dumps(value) for key, value in both.items()}
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        container.metadata["comment"] = json.dumps(both)
        stream = container.add_stream("mpeg4", rate=Fraction(4))
        stream.width = stream.height = 32
        picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        container.mux([*stream.encode(picture), *stream.encode()])
    assert read_source(tmp_path / "a.mp4").graph == GRAPH


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I4s", len(data), kind) + data + b"\0\0\0\0" for kind, data in chunks
    )


UI = {"nodes": [{"id": 1}], "links": []}
DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.json", UI, "a.json is a workflow of the editor, .* Workflow > Export .API."),
        ("a.json", "", "a.json holds no valid JSON"),
        ("a.json", "{", "a.json holds no valid JSON"),
        ("a.json", b"\xff\xfe\x00", "a.json is no JSON file"),
        ("a.json", DEEP, "a.json is nested too deeply"),
        ("a.json", '{"a": ' * 50_000 + "1" + "}" * 50_000, "a.json is nested too deeply"),
        ("a.json", '{"1": {"class_type": "A", "inputs": {"x": NaN}}}', "a number that is none"),
        ("a.json", '{"1": {"class_type": "A", "inputs": {"x": -Infinity}}}', "that is none"),
        ("a.json", "1" * 5000, "a.json holds no"),
        ("a.json", [GRAPH], "a.json holds no graph"),
        ("a.json", "null", "a.json holds no graph"),
        ("a.json", {}, "a.json holds no graph"),
        ("a.json", {"a": 1, "b": {"c": 2}}, "a.json holds no graph"),
        ("a.json", {**GRAPH, "3": {"class_type": "A"}}, "node '3' of a.json has no class_type or"),
        ("a.json", {**GRAPH, "3": 7}, "node '3' of a.json has no class_type"),
        ("a.json", {"1": {"class_type": "A", "inputs": {"x": ["9", 0]}}}, "comes from node '9'"),
        ("a.json", {"1": {"class_type": "A", "inputs": {"x": "\ud800"}}}, "not valid Unicode"),
        ("a.json", {str(n): GRAPH["1"] for n in range(5001)}, "more than 5000 nodes"),
        ("a.png", "no picture", "There is no graph in a.png|a.png can't be read"),
        ("a.png", png((b"IHDR", b"\0" * 13)), "There is no graph in a.png"),
        ("a.png", png((b"tEXt", b"prompt\0{")), "a.png holds no valid JSON"),
        ("a.png", png((b"tEXt", b"workflow\0{}")), "the editor's workflow only.*Export .API."),
        ("a.png", png((b"zTXt", b"prompt\0\0garbage")), "a.png can't be read"),
        ("a.png", b"\x89PNG\r\n\x1a\n\xff\xff\xff\xfftEXt", "There is no graph in a.png"),
        ("a.mp4", b"\0\0\0\x18ftypisom", "a.mp4 can't be read"),
        ("a.webp", b"RIFF\0\0\0\0WEBPVP8 ", "a.webp can't be read"),
        ("a.jpg", b"\xff\xd8\xff\xe1\xff\xff", "a.jpg can't be read"),
    ],
)
def test_wrong_file_is_one_sentence(tmp_path: Path, name: str, content: Any, sentence: str):
    path = tmp_path / name
    path.write_bytes(content) if isinstance(content, bytes) else write(path, content)
    with pytest.raises(NotAGraph, match=sentence) as refused:
        read_source(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("definitions", [[1], "x", 5, {"subgraphs": 5}, {"subgraphs": [5]}])
def test_workflow_of_another_shape_has_no_models(tmp_path: Path, definitions: Any):
    texts = PngImagePlugin.PngInfo()
    texts.add_text("prompt", json.dumps(GRAPH))
    texts.add_text("workflow", json.dumps({"nodes": [], "definitions": definitions}))
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png", pnginfo=texts)
    source = read_source(tmp_path / "a.png")
    assert (source.graph, source.models) == (GRAPH, ())


def test_picture_that_says_it_is_immense(tmp_path: Path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg")
    data = bytearray((tmp_path / "a.jpg").read_bytes())
    size = data.index(b"\xff\xc0") + 5
    data[size : size + 4] = b"\xff\xff\xff\xff"
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(NotAGraph, match=r"a\.jpg can't be read as a picture or a video"):
        read_source(tmp_path / "a.jpg")


def test_text_that_unpacks_to_too_much(tmp_path: Path):
    bomb = zlib.compress(b" " * (40 << 20))
    (tmp_path / "a.png").write_bytes(png((b"zTXt", b"prompt\0\0" + bomb)))
    with pytest.raises(NotAGraph, match="can't be read"):
        read_source(tmp_path / "a.png")


def test_too_large(tmp_path: Path):
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(NotAGraph, match="too large"):
        read_source(tmp_path / "a.json")


def test_missing_file_and_folder(tmp_path: Path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(NotAGraph):
            read_source(path)
