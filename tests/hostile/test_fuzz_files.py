"""Whatever stands in an operator's files: a clear sentence, or a value; never another failure.

Pipelines (graph.json, pipeline.json), the TOML file of servers, and pictures that are imported.
"""

from __future__ import annotations

import copy
import json
import struct
import tempfile
import zlib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from promptreel.publish.errors import NotAGraph

from sidecar.importer.reading import read_source
from sidecar.manifest import PipelineError, bundled_folder, load_pipeline
from sidecar.pipelines import Pipeline
from sidecar.pool.rows import ServerRow, read_servers
from sidecar.settings import Settings, SettingsError
from tests.hostile.profile import examples
from tests.pictures import picture, saved

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["1", "image", "text", "seed", "video", "PromptReelRequest", "", "\x00", "\ud800"]
    )
)
JSONS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
DEEP = "[" * 100_000 + "]" * 100_000
MANIFESTS = [
    json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(bundled_folder().glob("*/pipeline.json"))
]
GRAPHS = [
    json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(bundled_folder().glob("*/graph.json"))
]
MAPPED = {
    "title": "Mine",
    "rank": 1,
    "requires": "0.3",
    "vram": "8 GB",
    "params": {"cfg": {"type": "number", "minimum": 1, "maximum": 9, "default": 3, "help": "x"}},
    "mapping": {"image": [["1", "image"]], "text": [["2", "text"]], "cfg": [["2", "cfg"]]},
    "outputs": {"video": "9", "image": "2"},
    "nodes": ["Inner"],
    "models": [{"name": "a.safetensors", "folder": "vae", "size": 5, "licence": "MIT"}],
}
GRAPH = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
    "2": {"class_type": "Encode", "inputs": {"text": "", "cfg": 3.5, "image": ["1", 0]}},
    "9": {"class_type": "SaveVideo", "inputs": {"video": ["2", 0], "filename_prefix": "x"}},
}


def places(value: object) -> list[tuple[object, ...]]:
    """Return the path of every inner value."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [()] + [(key, *rest) for key, inner in items for rest in places(inner)]


@st.composite
def spoilt(draw: st.DrawFn, good: list[object]) -> object:
    """Draw a right value with one to three places in it that are not."""
    value = copy.deepcopy(draw(st.sampled_from(good)))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = ("whole", *draw(st.sampled_from(places(value))))
        holder: object = {"whole": value}
        box = holder
        for key in way:
            box = box[key]  # type: ignore[index]
        if draw(st.booleans()) or not isinstance(box, dict):
            box[last] = draw(JSONS)  # type: ignore[index]
        else:
            del box[last]  # type: ignore[arg-type]
        value = holder.get("whole") if isinstance(holder, dict) else None
    return value


def loaded(manifest: bytes, graph: bytes) -> None:
    """Load a pipeline of these files: it is one, or the error is one sentence."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "mine"
        place.mkdir()
        (place / "pipeline.json").write_bytes(manifest)
        (place / "graph.json").write_bytes(graph)
        try:
            assert isinstance(load_pipeline(place), Pipeline)
        except PipelineError as error:
            sentence = str(error)
            assert sentence.startswith("The pipeline 'mine' can't be used: ")
            assert len(sentence) < 1500
            assert folder not in sentence


def told(value: object) -> bytes:
    return json.dumps(value).encode()


@examples(60)
@given(spoilt([MAPPED, *MANIFESTS]), st.sampled_from([GRAPH, *GRAPHS]))
@example({**MAPPED, "outputs": {"video": []}}, GRAPH)
@example({**MAPPED, "outputs": {"video": {}}}, GRAPH)
@example({**MAPPED, "models": [{"name": [], "folder": {}}]}, GRAPH)
def test_any_manifest_beside_a_right_graph(manifest, graph):
    loaded(told(manifest), told(graph))


@examples(60)
@given(st.sampled_from([MAPPED, *MANIFESTS]), spoilt([GRAPH, *GRAPHS]))
def test_any_graph_beside_a_right_manifest(manifest, graph):
    loaded(told(manifest), told(graph))


@examples(40)
@given(JSONS, JSONS)
def test_any_two_json_values(manifest, graph):
    loaded(told(manifest), told(graph))


@examples(60)
@given(st.binary(max_size=200), st.binary(max_size=200))
@example(DEEP.encode(), told(GRAPH))
@example(told(MAPPED), DEEP.encode())
@example(b'{"a": ' * 50_000, told(GRAPH))
@example(b"\xef\xbb\xbf" + told(MAPPED), told(GRAPH))
@example(told(MAPPED), b"1" * 5000)
@example(b"\xff\xfe{", b"\x00")
def test_any_bytes(manifest, graph):
    loaded(manifest, graph)


def rows_of(text: bytes) -> None:
    """Read a file of servers: rows, or one sentence."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "servers.toml"
        path.write_bytes(text)
        said = ""
        try:
            found = read_servers(Settings(servers_file=str(path)))
            assert found
            assert all(isinstance(row, ServerRow) for row in found)
        except SettingsError as error:
            said = str(error)
        assert said.startswith("PROMPTREEL_SERVERS_FILE" if said else "")
        assert folder not in said


TOML_LINES = st.sampled_from(
    [
        "[[server]]",
        "[server]",
        'url = "http://127.0.0.1:8188"',
        'url = "http://[::1"',
        'url = "http://[x]"',
        'url = "http://a:99999999"',
        'url = "http://\\u0000"',
        'url = "http://\\u2100"',
        "url = 1",
        'name = "a"',
        "max_in_flight = 0",
        "max_in_flight = true",
        "max_in_flight = 1.5",
        "max_in_flight = 99999999999999999999999",
        'input_dir = ["a"]',
        "x = 1979-05-27T07:32:00Z",
        "server.url = 1",
        '"" = 1',
    ]
)


@examples(60)
@given(st.lists(TOML_LINES | st.text(max_size=20), max_size=8).map("\n".join))
@example("x = " + "[" * 5000 + "]" * 5000)
@example("[[server]]\nurl = 'http://a'\n" * 2)
def test_any_file_of_servers(text):
    rows_of(text.encode("utf-8", "surrogatepass"))


@examples(60)
@given(st.binary(max_size=60))
@example(b"\xff\xfe")
@example(b"[[server]]\nurl = '\xff'\n")
def test_any_bytes_as_a_file_of_servers(data):
    rows_of(data)


def imported(name: str, data: bytes) -> None:
    """Read what somebody wants to import: a graph, or one sentence."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        said = ""
        try:
            assert read_source(path).graph
        except NotAGraph as error:
            said = str(error)
        assert "\n" not in said
        assert len(said) < 1500


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


PNG = saved(picture(8, 8), "PNG")
KINDS = st.sampled_from([b"tEXt", b"zTXt", b"iTXt", b"comf", b"eXIf"])
BODIES = st.binary(max_size=60) | st.builds(
    lambda key, between, text: key + between + text,
    st.sampled_from([b"prompt", b"workflow", b"PROMPT", b""]),
    st.sampled_from([b"\0", b"\0\0", b"\0\1\0\0\0", b"\0\0\0\0\0", b""]),
    st.sampled_from([told(GRAPH), zlib.compress(told(GRAPH)), b"{", b"[]", b"\xff", DEEP.encode()])
    | JSONS.map(told),
)


@examples(40)
@given(st.lists(st.tuples(KINDS, BODIES), max_size=4), st.none() | st.integers(0, 400))
@example([(b"tEXt", b"prompt\0" + DEEP.encode())], None)
@example([(b"zTXt", b"prompt\0\0" + zlib.compress(b"\0" * (40 << 20)))], None)
@example([(b"iTXt", b"prompt\0\1\0\0\0" + b"x" * 30)], None)
def test_any_picture_to_import(chunks, cut):
    data = PNG[:33] + b"".join(chunk(*one) for one in chunks) + PNG[33:]
    imported("a.png", data[:cut])


@examples(40)
@given(st.sampled_from(["a.webp", "a.jpg", "a.mp4", "a.gif", "a.json"]), st.binary(max_size=80))
@example("a.jpg", b"\xff\xd8\xff\xe1\xff\xffExif\0\0II*\0\x08\0\0\0\xff\xff")
@example("a.json", DEEP.encode())
@example("a.mp4", b"\0\0\0\x18ftypmp42" + b"\0" * 64)
def test_any_bytes_to_import(name, data):
    heads = {"a.webp": b"RIFF\x24\0\0\0WEBP", "a.jpg": b"\xff\xd8\xff", "a.mp4": b"\0\0\0\x18ftyp"}
    imported(name, data)
    imported(name, heads.get(name, b"{") + data)


@pytest.mark.parametrize("name", ["a.png", "a.json"])
@examples(40)
@given(graph=spoilt([GRAPH, *GRAPHS]))
def test_any_graph_to_import(name, graph):
    text = told(graph)
    data = PNG[:33] + chunk(b"tEXt", b"prompt\0" + text) + PNG[33:]
    imported(name, data if name == "a.png" else text)
