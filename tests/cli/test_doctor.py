"""`promptreel doctor`: what it says of a machine with this and without that."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from typing import Any

import pytest
from aiohttp import web

from sidecar.app import create_app
from sidecar.cli.program import main
from sidecar.settings import Settings
from tests.cli.conftest import PROGRAM, environment
from tests.fake_comfy import FakeComfy


@pytest.fixture
def doctor(tmp_path, monkeypatch):
    """Return a function that asks the doctor; no ComfyUI is looked for unless one is named."""
    monkeypatch.setenv("PROMPTREEL_LOCAL_COMFYUI_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PROMPTREEL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PROMPTREEL_PORT", str(_free_port()))

    async def ask(*arguments: str) -> tuple[int, list[dict[str, str]], str]:
        process = await asyncio.create_subprocess_exec(
            *PROGRAM, "doctor", "--json", *arguments, stdout=-1, stderr=-1, env=environment()
        )
        out, err = await process.communicate()
        assert not err, err.decode()
        told: dict[str, Any] = json.loads(out)
        bad = any(row["state"] == "bad" for row in told["findings"])
        assert told["ok"] is not bad
        assert (process.returncode == 1) is bad
        assert all(row["do"] for row in told["findings"] if row["state"] == "bad")
        return process.returncode or 0, told["findings"], "\n".join(map(_line, told["findings"]))

    return ask


def _line(row: dict[str, str]) -> str:
    return f"{row['state']} {row['area']}: {row['text']} {row['do']}".strip()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_alone_all_that_is_needed_works(doctor, tmp_path):
    status, findings, said = await doctor()
    assert status == 0, said
    assert "note sidecar: No sidecar runs at http://127.0.0.1:" in said
    assert f"ok data: {tmp_path / 'data'} is writable; " in said
    assert "ok keys: Only this machine can connect; no key is asked for." in said
    assert "note comfyui: No ComfyUI answers at http://127.0.0.1:9: the built-in engine" in said
    assert {row["text"].partition(":")[0] for row in findings if row["area"] == "encoders"} == {
        "gif",
        "mp4",
        "webm",
        "webp",
    }
    assert "bad" not in {row["state"] for row in findings}
    assert not (tmp_path / "data").exists()  # it changes nothing


async def test_a_running_sidecar_is_asked(doctor, aiohttp_server, tmp_path, monkeypatch):
    settings = Settings(data_dir=tmp_path / "data", local_comfyui_url="", api_key="sesame")
    server = await aiohttp_server(create_app(settings))
    _, _, said = await doctor("--port", str(server.port))
    assert f"runs at http://127.0.0.1:{server.port}." in said
    monkeypatch.setenv("PROMPTREEL_API_KEY", "sesame")
    _, _, said = await doctor("--port", str(server.port))
    assert "ok sidecar: It is ready (mode auto: no ComfyUI found, the built-in" in said
    assert "1 keys may use it" in said


async def test_something_else_on_the_port_is_bad(doctor, aiohttp_server):
    server = await aiohttp_server(web.Application())
    status, _, said = await doctor("--port", str(server.port))
    assert status == 1
    assert "bad sidecar: Something else than a sidecar answers at" in said


async def test_a_named_comfyui_that_is_away_is_bad(doctor):
    status, _, said = await doctor("--comfyui-url", "http://127.0.0.1:9")
    assert status == 1
    assert "bad comfyui: The ComfyUI http://127.0.0.1:9 was named, but does not answer." in said
    status, _, said = await doctor("--mode", "comfyui")
    assert (status, "forbids the built-in engine" in said) == (1, True)
    status, _, said = await doctor("--mode", "demo")
    assert (status, "ok comfyui: Mode demo" in said) == (0, True)


async def test_a_comfyui_is_asked_for_the_pack_and_models(doctor):
    async with FakeComfy() as fake:
        _, _, said = await doctor("--comfyui-url", fake.url)
    assert f"answers at {fake.url}." in said
    assert "pack: The PromptReel nodes are " in said
    assert "models: wan2.1-i2v can't run in" in said
    assert "promptreel models pull wan2.1-i2v --comfyui PATH." in said
    assert " Update ComfyUI, then: promptreel models pull kandinsky-5 --comfyui PATH." in said


async def test_settings_that_can_not_be_used_are_told(doctor, monkeypatch):
    status, _, said = await doctor("--host", "0.0.0.0")
    assert status == 1
    assert "bad settings: Listening on 0.0.0.0 lets other machines in" in said
    status, _, said = await doctor("--host", "0.0.0.0", "--insecure")
    assert (status, "note keys: Everybody who reaches 0.0.0.0" in said) == (0, True), said
    monkeypatch.setenv("PROMPTREEL_API_KYE", "x")
    _, _, said = await doctor()
    assert "did you mean PROMPTREEL_API_KEY?" in said


def test_an_option_that_is_none_gets_the_doctors_own_usage(capsys):
    assert main(["doctor", "--nosuch"]) == 2
    assert "promptreel doctor: error: unrecognized arguments: --nosuch" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="rights are others there")
async def test_a_data_folder_that_can_not_be_written_is_bad(doctor, tmp_path):
    place = tmp_path / "file"
    place.write_text("")
    status, _, said = await doctor("--data-dir", str(place / "data"))
    assert status == 1, said
    assert "bad data: " in said


async def test_for_people_it_is_lines_with_marks(tmp_path):
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, "doctor", "--comfyui-url", "http://127.0.0.1:9", stdout=-1, env=environment()
    )
    out, _ = await process.communicate()
    lines = out.decode().splitlines()
    assert any(line.startswith("ok   encoders  mp4: five frames") for line in lines)
    assert any(line.startswith("BAD  comfyui   The ComfyUI http") for line in lines)
    assert lines[-1] == "1 thing to mend: see BAD above."
