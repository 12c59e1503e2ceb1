"""`promptreel render`: files whole or not at all, by the engine or a service; what is said."""

from __future__ import annotations

import asyncio
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from sidecar.app import create_app
from sidecar.cli.program import main
from sidecar.cli.progress import Bar
from sidecar.engine import probe
from sidecar.settings import Settings
from tests.cli.conftest import PROGRAM, environment

NOBODY = "http://127.0.0.1:9"
QUICK = ("--seconds", "0.5", "--fps", "8", "--resolution", "480p")


PUSH_IN = "\u043d\u0430\u0435\u0437\u0434"


def _files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


@pytest.mark.parametrize("suffix", ["mp4", "webm", "webp", "gif"])
def test_makes_the_format_that_the_name_says(program, photo, tmp_path, suffix):
    out, still = tmp_path / f"out.{suffix}", tmp_path / "still.png"
    done = program("render", photo, PUSH_IN, "-o", out, "--still", still, *QUICK)
    assert done.returncode == 0, done.stderr
    info = probe(out)
    assert (info.frames, info.extent.height) == (4, 480)
    assert _size(still) == (info.extent.width, 480)
    assert "Understood: \u041a\u0430\u043c\u0435\u0440\u0430" in done.stderr
    assert "\x1b" not in done.stderr
    assert "\r" not in done.stderr
    assert done.stdout.startswith(f"{out}: 0.5 s, {info.extent.width}x480, ")
    assert _files(tmp_path) == {"here", "photo.png", f"out.{suffix}", "still.png"}


def test_reads_stdin_and_prints_one_line_of_json(program, photo, tmp_path):
    out = tmp_path / "out.mp4"
    with photo.open("rb") as file:
        done = program(
            "render", "-", "night, pan left", "-o", out, "--json", "--quiet", *QUICK, stdin=file
        )
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    told = json.loads(line)
    assert told["file"] == str(out)
    assert (told["seconds"], told["frames"], told["height"]) == (0.5, 4, 480)
    assert told["bytes"] == out.stat().st_size
    assert "pans left" in told["understood"]
    assert told["pipeline"] == "camera-motion"


def test_the_same_seed_gives_the_same_file(program, photo, tmp_path):
    for name in ("a.mp4", "b.mp4"):
        given = ("--seed", "7", "--quiet", *QUICK)
        assert program("render", photo, "handheld", "-o", tmp_path / name, *given).returncode == 0
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_never_overwrites_unless_told_to(photo, tmp_path, capsys):
    out = tmp_path / "out.mp4"
    out.write_text("mine")
    assert main(["render", str(photo), "pan left", "-o", str(out), *QUICK]) == 2
    assert f"{out} is there already: say --force" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert main(["render", str(photo), "pan left", "-o", str(out), "-y", "--quiet", *QUICK]) == 0
    assert probe(out).frames == 4


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        (("photo.png", "x", "-o", "out.avi"), 2, "must end with one of .gif, .mp4, .webm, .webp"),
        (("photo.png", "x", "-o", "no/out.mp4"), 2, "There is no folder no"),
        (("photo.png", "x", "-o", "."), 2, "promptreel: . must end with"),
        (("gone.png", "x", "-o", "out.mp4"), 2, "There is no picture gone.png"),
        (("photo.png", "  ", "-o", "out.mp4"), 2, "The text is blank"),
        (("photo.png", "x", "-o", "out.mp4", "--still", "s.jpg"), 2, "end with .png"),
        (("photo.png", "x", "-o", "out.mp4", "--seconds", "99"), 2, "from 0.5 to 60"),
        (("photo.png", "x", "-o", "out.mp4", "--seed", "1.5"), 2, "whole number"),
        (("photo.png", "x", "-o", "out.mp4", "--aspect", "2:1"), 2, "invalid choice"),
        (("photo.png", "x", "-o", "out.mp4", "--pipeline", "wan2.1-i2v"), 2, "--server"),
        (("photo.png", "x", "-o", "out.mp4", "--server", NOBODY), 1, "reached: "),
        (("photo.png", "x", "-o", "out.mp4", "--server", "notaurl"), 2, "takes an address"),
        (("photo.png", "x", "-o", "out.mp4", "--server", "http://[::1"), 2, "takes an address"),
        (("photo.png", "x", "-o", "out.webm", "--server", NOBODY), 2, ".mp4"),
        (("photo.png", "x", "-o", "out.mp4", "--key", "k"), 2, "unrecognized arguments: --key"),
        (("photo.png", "x"), 2, "required: -o"),
        (("broken.png", "x", "-o", "out.mp4"), 1, "picture"),
        (("empty.png", "x", "-o", "out.mp4"), 2, "empty"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_leaves_no_file(
    photo, tmp_path, monkeypatch, capsys, given, status, said
):
    (tmp_path / "broken.png").write_bytes(photo.read_bytes()[:200])
    (tmp_path / "empty.png").write_bytes(b"")
    before = _files(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["render", *given]) == status
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""
    assert not any(word in told.err for word in ("Traceback", "urlopen"))
    assert _files(tmp_path) == before


@pytest.mark.skipif(sys.platform == "win32", reason="a console's Ctrl-C can't be sent there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing(photo, tmp_path, number):
    out = tmp_path / "out.mp4"
    long = ("--seconds", "60", "--fps", "60", "--resolution", "1080p")
    command = [*PROGRAM, "render", str(photo), "push in", "-o", str(out), *long]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stderr
        assert process.stderr.readline().startswith("Understood: ")
        while not list(tmp_path.glob(".promptreel-*/.video.*.part")):
            time.sleep(0.02)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "promptreel: interrupted."
    assert _files(tmp_path) == {"photo.png"}


@pytest.fixture
async def service(aiohttp_server, tmp_path, monkeypatch):
    """A sidecar with a key, on a port of its own."""
    settings = Settings(data_dir=tmp_path / "data", local_comfyui_url="", api_key="sesame")
    return await aiohttp_server(create_app(settings))


async def _asked(service, *arguments: str | Path) -> tuple[int, str, str]:
    url = f"http://127.0.0.1:{service.port}"
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        "render",
        *map(str, arguments),
        "--server",
        url,
        stdout=-1,
        stderr=-1,
        env=environment(),
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_a_service_makes_it_with_the_key_of_the_environment(
    service, photo, tmp_path, monkeypatch
):
    out, still = tmp_path / "out.mp4", tmp_path / "still.png"
    given = (photo, "slow pan left", "-o", out, "--still", still, *QUICK)
    status, _, said = await _asked(service, *given)
    assert status == 1
    assert "PROMPTREEL_API_KEY" in said
    assert _files(tmp_path) == {"photo.png", "data"}
    monkeypatch.setenv("PROMPTREEL_API_KEY", "sesame")
    status, told, said = await _asked(service, *given, "--json")
    assert status == 0, said
    assert json.loads(told)["pipeline"] == "camera-motion"
    assert "Understood: The camera slowly pans left" in said
    assert probe(out).frames == 4
    assert _size(still)[1] == 480
    assert _files(tmp_path) == {"photo.png", "data", "out.mp4", "still.png"}


async def test_a_services_refusal_is_told(service, photo, tmp_path, monkeypatch):
    monkeypatch.setenv("PROMPTREEL_API_KEY", "sesame")
    given = (photo, "pan", "-o", tmp_path / "o.mp4", "--seconds", "99")
    status, _, said = await _asked(service, *given)
    assert (status, "from 0.5 to 60" in said) == (2, True), said
    given = (photo, "pan", "-o", tmp_path / "o.mp4", "--pipeline", "nope")
    status, _, said = await _asked(service, *given)
    assert (status, "There is no pipeline 'nope'" in said) == (2, True), said
    assert _files(tmp_path) == {"photo.png", "data"}


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_a_bar_that_goes_away():
    screen = _Terminal()
    with Bar(screen, clock=iter(range(9)).__next__) as bar:
        bar.note("Understood: x")
        bar.show(0.5, "Frame 5 of 10")
    assert "Understood: x\n" in screen.getvalue()
    assert "[############............]  50%  Frame 5 of 10" in screen.getvalue()
    assert screen.getvalue().endswith("\r\x1b[K")


def test_elsewhere_lines_come_seldom_and_quiet_says_nothing():
    paper = io.StringIO()
    with Bar(paper, clock=iter(range(0, 900, 10)).__next__) as bar:
        for frame in range(4):
            bar.show(frame / 4, f"Frame {frame}")
    assert paper.getvalue() == " 25%  Frame 1\n 75%  Frame 3\n"
    silent = _Terminal()
    with Bar(silent, quiet=True) as bar:
        bar.note("x")
        bar.show(0.5, "y")
    assert silent.getvalue() == ""
