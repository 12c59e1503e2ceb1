"""`promptreel models pull` as people run it: a process, a Hub, Ctrl-C in the middle."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import signal
import struct
import subprocess
import sys
import termios

import pytest

from tests.fake_hub import FakeHub

DATA = random.Random(2).randbytes(25_000_000)


@pytest.fixture
def fake():
    with FakeHub() as hub:
        yield hub


@pytest.fixture
def start(fake, tmp_path):
    """Return a function that starts the command on a pipeline of one model."""
    place = tmp_path / "mine" / "my-wan"
    place.mkdir(parents=True)
    (tmp_path / "ComfyUI" / "models").mkdir(parents=True)
    graph = {"1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}}}
    source = fake.add("Org/Repo/wan.safetensors", DATA)
    manifest = {
        "mapping": {"image": [["1", "image"]], "text": []},
        "outputs": {"video": "1"},
        "models": [{"name": "wan.safetensors", "folder": "diffusion_models", "source": source}],
    }
    (place / "graph.json").write_text(json.dumps(graph), encoding="utf-8")
    (place / "pipeline.json").write_text(json.dumps(manifest), encoding="utf-8")

    def run(stderr=subprocess.PIPE, **environment: str) -> subprocess.Popen[str]:
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith(("HF_", "PROMPTREEL_"))
        }
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "sidecar", "models", "pull", "my-wan"),
                *("--comfyui", str(tmp_path / "ComfyUI"), "--pipelines-dir", str(place.parent)),
            ],
            env={**inherited, "HF_ENDPOINT": fake.url, "HF_HOME": str(tmp_path), **environment},
            stdout=subprocess.PIPE,
            stderr=stderr,
            encoding="utf-8",
        )

    return run


def models(tmp_path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "ComfyUI/models/diffusion_models").iterdir())


def test_ctrl_c_keeps_what_has_arrived_and_the_next_run_goes_on(fake, start, tmp_path):
    fake.faults.hold_after = 22_000_000
    process = start()
    assert fake.held.wait(60)
    while not any(p.stat().st_size for p in (tmp_path / "ComfyUI").rglob("*.part")):
        pass  # the first 10 MB are on their way to the disk
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.splitlines()[-1] == (
        "promptreel: interrupted: what has arrived is kept, the same command goes on from there."
    )
    assert "Traceback" not in err
    (part,) = models(tmp_path)
    assert part.endswith(".part")
    fake.release.set()
    fake.faults.hold_after = None
    process = start()
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "are there) -> models/diffusion_models" in out
    assert out.splitlines()[-1] == "my-wan has all its 1 files."
    assert models(tmp_path) == ["wan.safetensors"]
    assert (tmp_path / "ComfyUI/models/diffusion_models/wan.safetensors").read_bytes() == DATA
    first, second = fake.gets()
    assert first == ""
    assert int(second[len("bytes=") : -1]) >= 10_000_000


def test_what_failed_is_said_and_the_status_is_1(fake, start):
    fake.faults.gated = True
    process = start()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.startswith("promptreel: The Hub refuses Org/Repo (401)")
    assert err.count("\n") == 1


def test_a_file_that_arrived_damaged_is_no_success(fake, start, tmp_path):
    fake.faults.other_bytes = True
    process = start()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.startswith("promptreel: wan.safetensors arrived damaged (its SHA-256 is")
    assert "has all" not in out
    assert models(tmp_path) == []


def test_a_connection_that_is_cut_again_and_again_is_one_sentence(fake, start):
    fake.faults.cut_after = [120_000] + [0] * 20
    process = start()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.startswith("promptreel: The Hub can't be reached")
    assert err.count("\n") == 1


def test_a_token_of_the_environment_opens_a_gated_repository(fake, start):
    fake.faults.gated = True
    process = start(HF_TOKEN="good")
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert fake.tokens_elsewhere == 0


@pytest.mark.parametrize(
    "environment",
    [
        {"http_proxy": "nonsense://user:secret@proxy"},
        {"HF_TOKEN": "\u0436"},
        {"HF_ENDPOINT": "http://[::bad"},
    ],
    ids=lambda environment: next(iter(environment)),
)
def test_settings_that_can_not_be_used_are_one_sentence(start, environment):
    process = start(**environment)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.startswith("promptreel: The Hub can't be asked with these settings (")
    assert err.count("\n") == 1
    assert "secret" not in err


def test_a_missing_library_is_one_sentence_with_the_command(start, tmp_path):
    (tmp_path / "shadow" / "huggingface_hub").mkdir(parents=True)
    (tmp_path / "shadow" / "huggingface_hub" / "__init__.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'huggingface_hub'\", name='huggingface_hub')"
    )
    process = start(PYTHONPATH=str(tmp_path / "shadow"))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err == (
        "promptreel: Downloading needs the library huggingface_hub: "
        f"{sys.executable} -m pip install huggingface_hub\n"
    )


def test_a_terminal_sees_a_bar(start):
    screen, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    process = start(stderr=terminal)
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):  # how a pseudo terminal ends
        while block := os.read(screen, 1 << 16):
            shown += block
    os.close(screen)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert b"wan.safetensors: 100%" in shown
    assert b"25.0M/25.0M" in shown
