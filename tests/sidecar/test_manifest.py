"""Pipeline folders: what is right is read whole, what is wrong is one sentence that says where."""

from __future__ import annotations

import json

import pytest

from sidecar.manifest import PipelineError, bundled_folder, load_pipelines
from sidecar.pipelines import ModelFile, Slot

GRAPH = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
    "2": {"class_type": "Encode", "inputs": {"text": "", "cfg": 3.5, "image": ["1", 0]}},
    "9": {"class_type": "SaveVideo", "inputs": {"video": ["2", 0], "filename_prefix": "x"}},
}
MANIFEST = {
    "title": "Mine",
    "rank": 5,
    "requires": "0.3.64",
    "params": {"cfg": {"type": "number", "minimum": 1, "maximum": 10, "help": "Guidance."}},
    "mapping": {"image": [["1", "image"]], "text": [["2", "text"]], "cfg": [["2", "cfg"]]},
    "outputs": {"video": "9"},
    "nodes": ["Inner"],
    "models": [{"name": "a.safetensors", "folder": "vae", "size": 5, "licence": "MIT"}],
}


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a pipeline folder and gives the folder above it."""

    def make(manifest=MANIFEST, graph=GRAPH, name="mine", where="own"):
        place = tmp_path / where / name
        place.mkdir(parents=True)
        for file, value in (("pipeline.json", manifest), ("graph.json", graph)):
            if value is not None:
                text = value if isinstance(value, str) else json.dumps(value)
                (place / file).write_text(text, encoding="utf-8")
        return tmp_path / where

    return make


def test_a_mapped_pipeline_is_read_whole(write):
    mine = load_pipelines([write()])["mine"]
    assert (mine.title, mine.rank, mine.requires_comfyui) == ("Mine", 5, "0.3.64")
    assert mine.mapping["text"] == (Slot("2", "text"),)
    assert mine.nodes == ("LoadImage", "Encode", "SaveVideo", "Inner")
    assert mine.models == (ModelFile("a.safetensors", "vae", size=5, licence="MIT"),)
    assert (mine.image_output, mine.video_output) == (None, "9")
    (cfg,) = mine.params
    assert (cfg.name, cfg.default, cfg.help) == ("cfg", 3.5, "Guidance.")


def test_our_own_needs_no_mapping():
    ours = load_pipelines([bundled_folder()])["camera-motion"]
    assert ours.rank > 0
    assert (ours.image_output, ours.video_output) == ("5", "5")
    names = [param.name for param in ours.params]
    assert names == ["seconds", "aspect", "resolution", "fps", "seed", "negative"]


def test_of_one_name_the_earlier_folder_counts(write):
    first, second = write(), write({**MANIFEST, "title": "Other"}, where="second")
    assert load_pipelines([first, second])["mine"].title == "Mine"
    assert load_pipelines([second, first])["mine"].title == "Other"


def test_other_folders_and_files_are_passed_over(write):
    folder = write()
    (folder / "README.md").write_text("x")
    (folder / "empty").mkdir()
    assert list(load_pipelines([folder])) == ["mine"]


def without(value, *path):
    copied = json.loads(json.dumps(value))
    inner = copied
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return copied


def changed(value, new, *path):
    copied = json.loads(json.dumps(value))
    inner = copied
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return copied


@pytest.mark.parametrize(
    ("manifest", "graph", "said"),
    [
        ("{", GRAPH, "its pipeline.json is not JSON"),
        ("[]", GRAPH, "its pipeline.json must hold a JSON object"),
        (MANIFEST, None, "it has no graph.json"),
        (MANIFEST, {}, "graph.json is empty"),
        (MANIFEST, {"nodes": [], "links": []}, "Export (API)"),
        (MANIFEST, {"1": {"class_type": "X"}}, "node '1' of graph.json has no class_type"),
        (MANIFEST, changed(GRAPH, ["7", 0], "9", "inputs", "video"), "comes from node '7'"),
        (changed(MANIFEST, 1, "titel"), GRAPH, "has an unknown 'titel'"),
        (changed(MANIFEST, 1, "title"), GRAPH, '"title" must be a text'),
        (changed(MANIFEST, "high", "rank"), GRAPH, '"rank" must be a whole number'),
        (changed(MANIFEST, "new", "requires"), GRAPH, '"requires" must be a version'),
        (changed(MANIFEST, [], "params"), GRAPH, '"params" must be an object'),
        (changed(MANIFEST, [], "mapping"), GRAPH, '"mapping" must be an object'),
        (without(MANIFEST, "mapping", "image"), GRAPH, "nothing takes the image"),
        (changed(MANIFEST, [], "mapping", "image"), GRAPH, "nothing takes the image"),
        (without(MANIFEST, "mapping", "text"), GRAPH, "nothing takes the text"),
        (changed(MANIFEST, [["2"]], "mapping", "text"), GRAPH, "must hold pairs of texts"),
        (changed(MANIFEST, [["3", "text"]], "mapping", "text"), GRAPH, "no such widget"),
        (changed(MANIFEST, [["2", "txt"]], "mapping", "text"), GRAPH, "no such widget"),
        (changed(MANIFEST, [["2", "image"]], "mapping", "text"), GRAPH, "is a link"),
        (changed(MANIFEST, [["2", "cfg"]], "mapping", "steps"), GRAPH, "does not declare it"),
        (without(MANIFEST, "mapping", "cfg"), GRAPH, '"params.cfg" has no widget'),
        (without(MANIFEST, "params", "cfg", "type"), GRAPH, '"params.cfg" needs a "type"'),
        (changed(MANIFEST, "float", "params", "cfg", "type"), GRAPH, 'needs a "type"'),
        (changed(MANIFEST, "enum", "params", "cfg", "type"), GRAPH, 'needs "choices"'),
        (changed(MANIFEST, "1", "params", "cfg", "minimum"), GRAPH, "must be numbers"),
        (changed(MANIFEST, 11, "params", "cfg", "default"), GRAPH, "is not one of its values"),
        (changed(MANIFEST, 1, "params", "cfg", "min"), GRAPH, "has an unknown 'min'"),
        (without(MANIFEST, "outputs"), GRAPH, "which node makes the video?"),
        (changed(MANIFEST, "8", "outputs", "video"), GRAPH, "output node '8' is not in graph"),
        (changed(MANIFEST, [{"name": "a"}], "models"), GRAPH, 'a "name" and a "folder"'),
        (changed(MANIFEST, "x", "nodes"), GRAPH, '"nodes" must be a list'),
        (changed(MANIFEST, 8, "vram"), GRAPH, '"vram" must be a text'),
        (
            changed(MANIFEST, MANIFEST["models"] * 2, "models"),
            GRAPH,
            "a.safetensors in vae is twice",
        ),
        (changed(MANIFEST, ["a"], "models"), GRAPH, '"models" must be an object'),
    ],
)
def test_a_mistake_is_one_sentence_with_the_pipelines_name(write, manifest, graph, said):
    with pytest.raises(PipelineError) as caught:
        load_pipelines([write(manifest, graph)])
    message = str(caught.value)
    assert message.startswith("The pipeline 'mine' can't be used: ")
    assert said in message
    assert message.endswith(".")


def test_a_common_parameter_keeps_its_type_and_may_have_narrower_limits(write):
    mapping = {**MANIFEST["mapping"], "fps": [["2", "cfg"]]}
    manifest = {**MANIFEST, "mapping": mapping, "params": {"fps": {"maximum": 16}, **CFG}}
    fps = load_pipelines([write(manifest)])["mine"].params[0]
    assert (fps.type, fps.minimum, fps.maximum, fps.default) == ("number", 1, 16, 3.5)
    wrong = {**manifest, "params": {"fps": {"type": "integer"}, **CFG}}
    with pytest.raises(PipelineError, match="is always 'number'"):
        load_pipelines([write(wrong, where="wrong")])


CFG = {"cfg": MANIFEST["params"]["cfg"]}


def test_a_strange_name_and_a_missing_folder(write, tmp_path):
    with pytest.raises(PipelineError, match="only letters"):
        load_pipelines([write(name="a b")])
    with pytest.raises(PipelineError, match="no folder of pipelines at") as raised:
        load_pipelines([tmp_path / "nowhere"])
    assert str(raised.value).endswith(f"{tmp_path / 'nowhere'}.")


ROW = {"name": "a.safetensors", "folder": "vae"}


def read_row(write, **more):
    (model,) = load_pipelines([write(changed(MANIFEST, [{**ROW, **more}], "models"))])[
        "mine"
    ].models
    return model


def test_a_models_row_is_read_whole(write):
    model = read_row(
        write,
        name="sub\\a.safetensors",
        folder="unet",
        bytes=5,
        licence="MIT",
        source="https://huggingface.co/a/b/resolve/main/a.safetensors",
        sha256="A" * 64,
    )
    assert model == ModelFile(
        "sub/a.safetensors",
        "diffusion_models",  # ComfyUI's present name
        size=5,
        licence="MIT",
        source="https://huggingface.co/a/b/resolve/main/a.safetensors",
        sha256="a" * 64,
    )


def test_null_is_what_is_not_known(write):
    row = {"licence": None, "source": None, "sha256": None, "bytes": None}
    assert read_row(write, **row) == ModelFile("a.safetensors", "vae")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"name": "../a.safetensors"}, "must be a file name"),
        ({"name": "/etc/a"}, "must be a file name"),
        ({"name": "C:\\a"}, "must be a file name"),
        ({"name": "..\\..\\a"}, "must be a file name"),
        ({"name": "a//b"}, "must be a file name"),
        ({"name": "a\nb"}, "must be a file name"),
        ({"name": ""}, 'a "name" and a "folder"'),
        ({"name": 5}, '"name" of a model must be a text'),
        ({"folder": "vae/sub"}, '"folder" of a.safetensors must be the name of a models folder'),
        ({"folder": ".."}, "must be the name of a models folder"),
        ({"bytes": "5 GB"}, '"bytes" of a.safetensors must be a whole number'),
        ({"bytes": 0}, "must be a whole number above 0"),
        ({"bytes": True}, "must be a whole number"),
        ({"licence": 1}, '"licence" of a model must be a text'),
        ({"source": "huggingface.co/a"}, '"source" of a.safetensors must be an address'),
        ({"source": "file:///etc/passwd"}, "must be an address"),
        ({"sha256": "abc"}, '"sha256" of a.safetensors must have 64 hexadecimal digits'),
        ({"license": "MIT"}, "has an unknown 'license': known are name, folder, bytes"),
    ],
)
def test_a_wrong_models_row_is_one_sentence(write, more, said):
    with pytest.raises(PipelineError) as caught:
        read_row(write, **more)
    assert said in str(caught.value)
    assert str(caught.value).endswith(".")
