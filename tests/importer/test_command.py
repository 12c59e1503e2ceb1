"""`promptreel pipelines add` as a person meets it: table, questions, files, refusals."""

from __future__ import annotations

import asyncio
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from promptreel.publish.models import model_rows
from promptreel.publish.writing import name_of

from sidecar.cli.program import main as promptreel
from sidecar.manifest import load_pipeline
from tests.fake_comfy import FakeComfy
from tests.importer.foreign import graph, record, view

WAN = "by-hand/wan21_i2v"
UNSURE = "0.33.0/video_minimax_h3_r2v"


class Terminal(io.StringIO):
    """What a person types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of one's own pipelines; nobody sits at the terminal."""
    monkeypatch.setenv("PROMPTREEL_PIPELINES_DIR", str(tmp_path / "own"))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return tmp_path / "own"


def saved(own: Path, value: Any, name: str = "my graph.json") -> str:
    own.parent.mkdir(exist_ok=True)
    file = own.parent / name
    file.write_text(json.dumps(value), encoding="utf-8")
    return str(file)


def add(*arguments: str) -> int:
    return promptreel(["pipelines", "add", *arguments])


def listed(folder: Path) -> list[str]:
    return (
        sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))
        if folder.exists()
        else []
    )


def test_table_files_and_name(own: Path, capsys: pytest.CaptureFixture[str]):
    assert add(saved(own, graph(WAN)), "--title", "Mine", "--requires", "0.3.75") == 0
    said = capsys.readouterr().out
    assert re.search(r"^text +6\.text +CLIPTextEncode +a red fox moving", said, re.MULTILINE)
    assert "diffusion_models  wan2.1_i2v_480p_14B_fp16.safetensors" in said
    assert listed(own) == ["my-graph", "my-graph/graph.json", "my-graph/pipeline.json"]
    pipeline = load_pipeline(own / "my-graph")
    assert (pipeline.title, pipeline.requires_comfyui, pipeline.rank) == ("Mine", "0.3.75", 0)
    assert json.loads((own / "my-graph" / "graph.json").read_text(encoding="utf-8")) == graph(WAN)
    frames = next(param for param in pipeline.params if param.name == "frames")
    assert (frames.type, frames.default) == ("integer", 9)
    assert "4n + 1" in frames.help


def test_dry_run_writes_nothing(own: Path, capsys: pytest.CaptureFixture[str]):
    assert add(saved(own, graph(WAN)), "--dry-run") == 0
    assert "6.text" in capsys.readouterr().out
    assert not own.exists()


def test_what_is_there_is_kept_unless_forced(own: Path, capsys: pytest.CaptureFixture[str]):
    file = saved(own, graph(WAN))
    assert add(file, "--name", "x") == 0
    (own / "x" / "note.txt").write_text("mine", encoding="utf-8")
    assert add(file, "--name", "x", "--title", "New") == 1
    assert "There is a pipeline 'x' already" in capsys.readouterr().err
    assert load_pipeline(own / "x").title == "x"
    assert add(file, "--name", "x", "--title", "New", "--force") == 0
    assert load_pipeline(own / "x").title == "New"
    assert listed(own) == ["x", "x/graph.json", "x/pipeline.json"]


def test_name_of_a_pipeline_that_comes_along(own: Path, capsys: pytest.CaptureFixture[str]):
    assert add(saved(own, graph(WAN)), "--name", "camera-motion") == 1
    assert "comes with PromptReel: choose another by --name" in capsys.readouterr().err
    assert not own.exists()


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".x", "x" * 65])
def test_name_that_is_no_folder(own: Path, name: str, capsys: pytest.CaptureFixture[str]):
    file = saved(own, graph(WAN), "@.json") if not name else saved(own, graph(WAN))
    status = add(file, "--name", name) if name else add(file)
    assert status == (1 if name else 0)
    assert "its name may hold only" in capsys.readouterr().err or not name


def test_nowhere_to_write(own: Path, monkeypatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.delenv("PROMPTREEL_PIPELINES_DIR")
    assert add(saved(own, graph(WAN))) == 2
    assert "Give --pipelines-dir PATH" in capsys.readouterr().err


def test_folder_that_is_a_file(own: Path, capsys: pytest.CaptureFixture[str]):
    file = saved(own, graph(WAN))
    assert add(file, "--pipelines-dir", file) == 1
    assert "can't be written" in capsys.readouterr().err


def test_unsure_and_nobody_there(own: Path, capsys: pytest.CaptureFixture[str]):
    file = saved(own, graph(UNSURE))
    assert add(file) == 1
    said = capsys.readouterr().err
    assert "--set image=137.image   137.image LoadImage red_superboy_on_city_roof.png" in said
    assert not own.exists()
    assert add(file, "--set", "image=139.image", "--name", "x") == 0
    assert load_pipeline(own / "x").mapping["image"][0].node == "139"


def test_unsure_and_somebody_chooses(own: Path, monkeypatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr("sys.stdin", Terminal("9\nno\n2\n\n"))
    assert add(saved(own, graph(UNSURE)), "--name", "x") == 0
    assert load_pipeline(own / "x").mapping["image"][0].node == "139"
    assert "  1  137.image LoadImage red_superboy" in capsys.readouterr().out


@pytest.mark.parametrize("typed", ["n\n", ""])
def test_somebody_says_no(own: Path, monkeypatch, typed: str):
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    assert add(saved(own, graph(WAN))) == 1
    assert not own.exists()


def test_yes_asks_nothing(own: Path, monkeypatch):
    monkeypatch.setattr("sys.stdin", Terminal(""))
    assert add(saved(own, graph(WAN)), "--yes") == 0
    assert add(saved(own, graph(UNSURE)), "--yes", "--name", "x") == 1


def test_settings_of_ones_own(own: Path):
    file = saved(own, graph("by-hand/svd_i2v"))
    given = ["motion=12.motion_bucket_id", "fps=", "still=26", "noise=12.augmentation_level"]
    assert add(file, *(part for text in given for part in ("--set", text)), "--name", "x") == 0
    pipeline = load_pipeline(own / "x")
    assert {p.name: p.type for p in pipeline.params}["motion"] == "integer"
    assert {p.name: p.type for p in pipeline.params}["noise"] == "number"
    assert pipeline.mapping["text"] == ()
    assert not pipeline.mapping.get("fps")
    assert pipeline.image_output == "26"


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("image", "it must look like --set image=NODE.INPUT"),
        ("image=99.image", "There is no node '99' in the graph"),
        ("image=52.picture", "Node '52' has no widget 'picture': it has image."),
        ("image=50.start_image", "Node '50' has no widget 'start_image': it has width"),
        ("video=99", "There is no node '99'"),
        ("im age=52.image", "it must look like"),
    ],
)
def test_wrong_setting(own: Path, setting: str, sentence: str, capsys: pytest.CaptureFixture[str]):
    assert add(saved(own, graph(WAN)), "--set", setting) == 2
    assert sentence in capsys.readouterr().err
    assert not own.exists()


def test_no_picture_at_all(own: Path, capsys: pytest.CaptureFixture[str]):
    assert add(saved(own, graph(WAN)), "--set", "image=") == 1
    assert "nothing takes the image" in capsys.readouterr().err


def test_file_of_the_editor(own: Path, capsys: pytest.CaptureFixture[str]):
    assert add(saved(own, {"nodes": [], "links": []})) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "choose Workflow > Export (API)" in said


def test_terminal_is_not_written_to_by_the_graph(own: Path, capsys: pytest.CaptureFixture[str]):
    changed = graph(WAN)
    changed["6"]["inputs"]["text"] = "\x1b]0;owned\x07 a\nb"
    changed["6"]["_meta"] = {"title": "\x1b[31mred"}
    changed["\x1b[2J"] = {"class_type": "SaveWEBM", "inputs": {"images": ["8", 0], "fps": 16.0}}
    assert add(saved(own, changed), "--set", "video=56", "--dry-run") == 0
    assert add(saved(own, changed)) == 1
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err


async def test_a_comfyui_is_asked(own: Path, capsys: pytest.CaptureFixture[str]):
    changed = graph(WAN)
    changed["52"] = {"class_type": "MyLoader", "inputs": {"photo": "a.png"}}
    file = saved(own, changed)
    async with FakeComfy() as fake:
        fake.nodes["MyLoader"] = {"input": {"required": {"photo": [[], {"image_upload": True}]}}}
        assert await asyncio.to_thread(add, file, "--comfyui", fake.url, "--name", "x") == 0
    assert load_pipeline(own / "x").mapping["image"][0].input == "photo"
    assert "lacks the nodes" in capsys.readouterr().out


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "ftp://x", "nonsense"])
def test_no_comfyui_there(own: Path, url: str, capsys: pytest.CaptureFixture[str]):
    assert add(saved(own, graph(WAN)), "--comfyui", url) == 1
    assert "ComfyUI" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("My Video (1)", "My-Video-1"),
        ("..", "pipeline"),
        ("\u043b\u0438\u0441\u0430", "\u043b\u0438\u0441\u0430"),
    ],
)
def test_name_made_of_a_file(stem: str, name: str):
    assert name_of(stem) == name


def test_models_with_their_sources():
    name = "0.33.0/video_kandinsky5_i2v"
    rows = model_rows(view(graph(name)), record(name)["models"])
    assert [row["folder"] for row in rows] == [
        "diffusion_models",
        "vae",
        "text_encoders",
        "text_encoders",
    ]
    assert all(row["source"].startswith("https://huggingface.co/") for row in rows)


def test_what_is_no_model_file_is_left_out():
    changed = graph(WAN)
    changed["39"]["inputs"]["vae_name"] = "taesd"
    changed["37"]["inputs"]["unet_name"] = "../../etc/x.safetensors"
    changed["49"]["inputs"]["clip_name"] = "sub\\clip.safetensors"
    rows = model_rows(
        view(changed),
        [{"name": "clip.safetensors", "url": "javascript:x", "directory": "clip_vision"}],
    )
    assert {(row["folder"], row["name"]) for row in rows} == {
        ("text_encoders", "umt5_xxl_fp8_e4m3fn_scaled.safetensors"),
        ("clip_vision", "sub/clip.safetensors"),
    }
    assert not any("source" in row for row in rows)
