"""The files in deploy/ say what the service does; its own program reads each where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from sidecar.settings_table import SETTINGS
from tests.needs import lacking

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "systemd" / "promptreel.service"
DOCKER = DEPLOY / "docker"
DEFAULTS = {row.name: row.default for row in SETTINGS}


def text(path: Path) -> str:
    return path.read_text("utf-8")


def compose() -> dict:
    return yaml.safe_load(text(DOCKER / "compose.yaml"))


@pytest.mark.parametrize("path", sorted(each for each in DEPLOY.rglob("*") if each.is_file()))
def test_settings_that_are_named_exist(path: Path):
    known = {row.env for row in SETTINGS}
    assert set(re.findall(r"\b(?:PROMPTREEL_[A-Z_]+|COMFYUI_SERVER_URL)\b", text(path))) <= known


def test_systemd_takes_the_unit(tmp_path: Path):
    program = shutil.which("systemd-analyze")
    if program is None:
        lacking("There is no systemd-analyze here.")
    fake = tmp_path / "promptreel"
    fake.write_text("#!/bin/sh\n", encoding="utf-8")
    fake.chmod(0o755)
    unit = tmp_path / "promptreel.service"
    changed = text(UNIT).replace("/opt/promptreel/bin/promptreel", str(fake))
    unit.write_text(changed, encoding="utf-8")
    run = subprocess.run([program, "verify", str(unit)], capture_output=True, text=True, timeout=60)
    said = [line for line in run.stderr.splitlines() if "promptreel" in line]
    assert not said, run.stderr


def test_there_is_time_to_shut_down():
    seconds = float(DEFAULTS["shutdown_seconds"]) + 5  # server._SHUTDOWN_S
    unit = re.search(r"^TimeoutStopSec=(\d+)$", text(UNIT), re.MULTILINE)
    assert unit is not None
    assert float(unit[1]) > seconds
    assert "KillSignal=SIGTERM" in text(UNIT)
    grace = compose()["services"]["promptreel"]["stop_grace_period"]
    assert float(grace.removesuffix("s")) > seconds
    assert "STOPSIGNAL SIGTERM" in text(DOCKER / "Dockerfile")


@pytest.mark.parametrize("name", ["Dockerfile", "comfyui.Dockerfile"])
def test_images_run_as_nobody_in_particular_and_tell_their_health(name: str):
    lines = text(DOCKER / name).splitlines()
    (user,) = [line for line in lines if line.startswith("USER ")]
    assert re.fullmatch(r"USER 1\d{4}", user)
    assert any(line.startswith("HEALTHCHECK ") for line in lines)
    (check,) = [line.strip() for line in lines if line.startswith("    CMD [")]
    assert "ProxyHandler({})" in check  # Docker hands its own proxy's address to each container
    assert not any(":latest" in line for line in lines)


@pytest.mark.parametrize("name", ["Dockerfile", "comfyui.Dockerfile"])
def test_what_an_image_copies_is_there_and_not_ignored(name: str):
    allowed = re.findall(r"(?m)^!(.+)$", text(DOCKER / f"{name}.dockerignore"))
    copies = re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", text(DOCKER / name))
    paths = [path for line in copies for path in line.split()]
    assert paths
    for path in paths:
        assert (ROOT / path).exists(), path
        assert path in allowed


def test_the_image_has_what_the_wheel_is_built_of():
    copied = text(DOCKER / "Dockerfile")
    built = re.findall(r'(?m)^"([\w/.]+)" = "', text(ROOT / "pyproject.toml"))
    for path in built:
        assert any(f"COPY {part}" in copied for part in (path, str(Path(path).parent))), path


def test_the_parts_of_the_composition_fit():
    whole = compose()
    services = whole["services"]
    assert set(services) == {"promptreel", "comfyui"}
    for service in services.values():
        context = (DOCKER / service["build"]["context"]).resolve()
        assert context == ROOT
        assert (context / service["build"]["dockerfile"]).is_file()
        volumes = {volume.partition(":")[0] for volume in service["volumes"]}
        assert volumes <= set(whole["volumes"])
    assert "ports" not in services["comfyui"]
    assert all(port.startswith("127.0.0.1:") for port in services["promptreel"]["ports"])
    assert "comfyui:8188" in services["promptreel"]["environment"]["COMFYUI_SERVER_URL"]
    (device,) = services["comfyui"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
