"""The program as people start it: what it says, how fast, and how it leaves."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import aiohttp
import pytest

from sidecar.__main__ import main


async def started(*arguments, **environment):
    """Start the program; return it and the first line it says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sidecar", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PROMPTREEL_LOCAL_COMFYUI_URL": "", **environment},
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    return process, line


@pytest.fixture
def data(tmp_path):
    return str(tmp_path / "data")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_says_where_it_is_answers_and_leaves_in_good_order(data, number):
    process, line = await started("--port", "0", "--data-dir", data)
    try:
        assert line.startswith("PromptReel listens on http://127.0.0.1:")
        assert "built-in engine" in line
        url = line.split()[3]
        async with aiohttp.ClientSession() as session:
            assert (await session.get(f"{url}/api/health")).status == 200
    finally:
        process.send_signal(number)
        out, err = await process.communicate()
    assert process.returncode == 0
    assert "Traceback" not in err.decode()
    assert f"{url}/api/generate" in out.decode()


async def test_the_picture_libraries_are_not_loaded_before_they_are_needed(data):
    code = (
        "import sys, sidecar.server;"
        "print(sorted({'cv2', 'av', 'numpy', 'PIL', 'torch'} & set(sys.modules)))"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out.decode().strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "environment", "word"),
    [
        (["--host", "0.0.0.0"], {}, "PROMPTREEL_API_KEY"),
        ([], {"PROMPTREEL_MODE": "fast"}, "PROMPTREEL_MODE"),
        (["serve", "--port", "x"], {"PROMPTREEL_PORT": "y"}, "--port must be a number, not 'x'."),
    ],
)
def test_a_wrong_setting_is_one_sentence(capsys, monkeypatch, arguments, environment, word):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert word in err
    assert err.count("\n") == 1


def test_help_names_every_flag(capsys):
    for arguments in (["serve", "--help"], ["--help"]):
        assert main(arguments) == 0
        assert "--data-dir" in capsys.readouterr().out


async def test_a_taken_port_and_an_impossible_folder_are_one_sentence(tmp_path, data):
    first, line = await started("--port", "0", "--data-dir", data)
    port = line.split()[3].rpartition(":")[2]
    (tmp_path / "file").write_text("x")
    try:
        for arguments in (
            ["--port", port],
            ["--port", "0", "--data-dir", str(tmp_path / "file/x")],
        ):
            process, _ = await started("--data-dir", data, *arguments)
            _, err = await process.communicate()
            assert process.returncode == 1
            assert err.decode().count("\n") == 1
            assert "can't start" in err.decode()
    finally:
        first.terminate()
        await first.communicate()


@pytest.mark.parametrize("broken", ["jobs", "pipeline"])
async def test_what_is_broken_at_the_start_is_one_sentence(tmp_path, broken):
    if broken == "jobs":
        (tmp_path / "jobs.db").write_bytes(b"not a database" * 100)
    else:
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "pipeline.json").write_text("{", encoding="utf-8")
    process, _ = await started(
        *("--port", "0", "--data-dir", str(tmp_path), "--pipelines-dir", str(tmp_path))
    )
    _, err = await process.communicate()
    assert process.returncode == 1
    assert err.decode().count("\n") == 1
    assert broken in err.decode()


async def test_two_on_one_folder_do_not_disturb_each_other(data):
    first, _ = await started("--port", "0", "--data-dir", data)
    second, line = await started("--port", "0", "--data-dir", data)
    try:
        assert line.startswith("PromptReel listens")
    finally:
        for process in (first, second):
            process.terminate()
            await process.communicate()
            assert process.returncode == 0
