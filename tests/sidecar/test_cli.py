"""The command line: what it says, how fast, with which exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from sidecar.__main__ import main as module_main
from sidecar.cli.program import COMMANDS, main
from sidecar.cli.speech import size, table

BIG = ("aiohttp", "huggingface_hub", "numpy", "cv2", "av", "yaml")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in list(os.environ):
        if name.startswith("PROMPTREEL_"):
            monkeypatch.delenv(name)


@pytest.fixture
def mine(tmp_path):
    """A folder with a pipeline of one's own."""
    place = tmp_path / "mine" / "my-wan"
    place.mkdir(parents=True)
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
        "2": {"class_type": "SaveVideo", "inputs": {"video": ["1", 0]}},
    }
    manifest = {
        "title": "My Wan",
        "rank": 7,
        "vram": "8 GB",
        "mapping": {"image": [["1", "image"]], "text": []},
        "outputs": {"video": "2"},
        "models": [
            {
                "name": "wan.safetensors",
                "folder": "unet",
                "bytes": 9_310_000_000,
                "licence": "Apache-2.0",
                "source": "https://huggingface.co/a/b/resolve/main/wan.safetensors",
            },
            {"name": "sub/v.safetensors", "folder": "vae"},
        ],
    }
    (place / "graph.json").write_text(json.dumps(graph), encoding="utf-8")
    (place / "pipeline.json").write_text(json.dumps(manifest), encoding="utf-8")
    return place.parent


def test_the_help_shows_each_command_with_one_line_and_the_exit_statuses(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for name, command in COMMANDS.items():
        assert f"  {name:<11}{command.help}\n" in out
    for words in ("0    done", "1    failed", "2    wrong usage", "130  interrupted"):
        assert words in out


def test_without_a_command_the_help_is_shown_as_wrong_usage(capsys):
    assert main([]) == 2
    told = capsys.readouterr()
    assert "commands:" in told.err
    assert told.out == ""


def test_the_version_is_told(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("promptreel 0.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["modles"], "there is no command 'modles'. Did you mean 'models'? Known are serve, "),
        (["xyz"], f"there is no command 'xyz'. Known are {', '.join(COMMANDS)}."),
        (["models", "pul"], "there is no command 'models pul'. Did you mean 'pull'? Known are "),
        (["pipelines", "lits"], "there is no command 'pipelines lits'. Did you mean 'list'?"),
        (["models", "pull", "x"], "required: --comfyui"),
        (["models", "list", "--jsn"], "unrecognized arguments: --jsn"),
        (["--nope"], "unrecognized arguments: --nope"),
    ],
)
@pytest.mark.parametrize("start", [main, module_main])
def test_what_is_unknown_is_told_with_the_nearest(capsys, arguments, said, start):
    if start is module_main and arguments == ["--nope"]:
        said = "promptreel serve: error: unrecognized"
    assert start(arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_help(capsys, name):
    for arguments in ([name, "--help"], ["help", name]):
        assert main(arguments) == 0
        assert f"usage: promptreel {name}" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["models", "pipelines"])
def test_a_group_without_a_command_shows_its_help(capsys, name):
    assert main([name]) == 2
    assert "list" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        *([name, "--help"] for name in ("serve", "render", "models", "doctor", "completion")),
        ["models", "list"],
        ["completion", "bash"],
        ["modles"],
    ],
)
def test_nothing_big_is_loaded_for_an_answer_at_once(arguments):
    code = (
        "import sys; from sidecar.cli.program import main;"
        f"main({arguments!r}); loaded = sorted(set({BIG!r}) & set(sys.modules));"
        "sys.exit(f'loaded: {loaded}' if loaded else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert (done.returncode, b"loaded:" in done.stderr) == (0, False), done.stderr


def test_a_misspelt_setting_is_one_line_at_the_start(capsys, monkeypatch):
    monkeypatch.setenv("PROMPTREEL_API_KYE", "secret-value")
    monkeypatch.setenv("PROMPTREEL_TEST_CACHE", "x")
    assert module_main(["--port", "x"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == (
        "promptreel: warning: these environment variables are no settings and change nothing: "
        "PROMPTREEL_API_KYE (did you mean PROMPTREEL_API_KEY?)."
    )
    assert "--port must be a number" in second


def test_pipelines_are_listed_the_preferred_first(capsys, mine, monkeypatch):
    monkeypatch.setenv("PROMPTREEL_PIPELINES_DIR", str(mine))
    assert main(["pipelines", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (own,) = [line for line in lines if line.startswith("my-wan")]
    assert own.split() == ["my-wan", "7", "2", "files", "My", "Wan"]
    assert any(line.startswith("camera-motion") for line in lines)
    assert main(["pipelines", "list", "--json", "--pipelines-dir", str(mine)]) == 0
    rows = json.loads(capsys.readouterr().out)
    ranks = [row["rank"] for row in rows]
    assert ranks == sorted(ranks, reverse=True)
    (row,) = [row for row in rows if row["name"] == "my-wan"]
    assert (row["vram"], row["models"][0]["size"]) == ("8 GB", 9_310_000_000)


def test_what_a_pipeline_needs_is_listed(capsys, mine):
    assert main(["models", "list", "my-wan", "--pipelines-dir", str(mine)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "my-wan: My Wan (8 GB)",
        "  models/diffusion_models/wan.safetensors  9.31 GB  Apache-2.0",
        "  models/vae/sub/v.safetensors             ?",
    ]


def test_what_a_comfyui_has_is_listed(capsys, mine, tmp_path):
    comfy = tmp_path / "ComfyUI"
    (comfy / "models" / "vae" / "sub").mkdir(parents=True)
    (comfy / "models" / "vae" / "sub" / "v.safetensors").write_bytes(b"x" * 5)
    asked = ["models", "list", "my-wan", "--pipelines-dir", str(mine), "--comfyui", str(comfy)]
    assert main(asked) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["missing", "there"]
    assert main([*asked, "--json"]) == 0
    ((row,),) = [json.loads(capsys.readouterr().out)]
    assert [model["state"] for model in row["models"]] == ["missing", "there"]
    assert row["models"][1]["onDisk"] == 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["models", "list", "nope"], "There is no pipeline 'nope': known are "),
        (["models", "list", "--pipelines-dir", "/nowhere"], "There is no folder of pipelines"),
        (["pipelines", "list", "--pipelines-dir", "/nowhere"], "There is no folder of pipelines"),
        (["models", "list", "--comfyui", "/nowhere"], "/nowhere is no ComfyUI folder"),
        (["models", "pull", "camera-motion", "--comfyui", "/nowhere"], "is no ComfyUI folder"),
    ],
)
def test_what_can_not_be_done_is_one_sentence_and_status_1(capsys, arguments, said):
    assert main(arguments) == 1
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_a_pipeline_without_models_needs_no_download(capsys, tmp_path):
    (tmp_path / "models").mkdir()
    assert main(["models", "pull", "camera-motion", "--comfyui", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "camera-motion needs no model.\n"


def test_sizes_are_told_as_model_pages_do():
    assert [size(count) for count in (None, 5, 242_000_000, 13_310_000_000, 1_100_000_000_000)] == [
        "?",
        "5 B",
        "242 MB",
        "13.3 GB",
        "1.1 TB",
    ]


def test_columns_are_as_wide_as_their_longest_cell():
    assert table([("a", "bb"), ("ccc", "")]) == "a    bb\nccc"


@pytest.mark.skipif(os.name == "nt", reason="a closed pipe is of POSIX")
def test_a_reader_that_has_seen_enough_is_no_failure():
    command = f"{sys.executable} -m sidecar models list --json | head -c 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[", "")
