"""Proof that the chaos suite can fail: the handling of each fault removed, one at a time.

    python -m tests.chaos.plants [NAME ...]

Each plant is put into a copy of the checkout, and a short run of the suite there must go red.
tests/chaos/README.md tells which assertion it is that does. Takes a minute or two for each plant.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ("sidecar", "custom_nodes", "workflows", "tests", "pyproject.toml", "README.md")


@dataclass(frozen=True)
class Plant:
    """A text of a file replaced; `says`: what must then be found wrong (a regular expression);
    `faults`: the only ones that strike. `suite`: the file that must notice it.
    """

    name: str
    says: str
    path: str
    old: str
    new: str
    faults: str
    also: tuple[tuple[str, str, str], ...] = ()  # other handlings of it: file, text, text instead
    jobs: int = 50
    cut_bytes: int = 15_000
    calm: int = 40  # seconds for the jobs to come to their end
    suite: str = "test_chaos.py"


def _plants() -> Iterator[Plant]:
    job, follow = "sidecar/backends/comfy_job.py", "sidecar/comfy/follow.py"
    yield Plant(
        "a restart forgets what was posted",
        r"ran to its end \d times|as several prompts",
        job,
        "self._ledger = read_ledger(context.job.ledger)",
        "self._ledger = read_ledger({})",
        "KILL_SIDECAR," * 4,
    )
    yield Plant(
        "a restarted ComfyUI is taken for one whose queue was cleared",
        r"without an excuse: removed_in_comfyui",
        follow,
        "await restarted(",
        "False and await restarted(",
        "KILL_COMFYUI," * 3,
        jobs=120,
        calm=150,
    )
    yield Plant(
        "a lost answer is taken for a refusal",
        r"without an excuse: comfyui_failed",
        follow,
        "        except UnknownOutcome:\n",
        "        except UnknownOutcome:\n            raise RunFailed(_PLANTED) from None\n",
        "CUT_ALL",
    )
    yield Plant(
        "a ComfyUI that is away is not waited for",
        r"without an excuse: comfyui_unreachable",
        "sidecar/comfy/patience.py",
        "if left <= 0:",
        "if True:",
        "REFUSE,STALL",
    )
    yield Plant(
        "a full disk is a fault of the program",
        r"without an excuse: internal_error",
        "sidecar/attempt.py",
        "        found = trouble(error)\n",
        "        found = None\n",
        "FULL_DISK," * 6,
    )
    yield Plant(
        "what is nowhere is looked for for ever",
        r"never came to an end",
        follow,
        "if found is None and absent:",
        "if False:",
        "CLEAR_HISTORY,DELETE_QUEUED,DELETE_QUEUED,DELETE_QUEUED",
    )
    yield Plant(
        "an interrupted prompt is taken for a success",
        r"without an excuse: no_output",
        "sidecar/comfy/failures.py",
        'if status.get("status_str", "success") == "success":',
        "if True:",
        "INTERRUPT," * 6,
    )
    yield Plant(
        "a file that is gone is not made again",
        r"without an excuse: no_output",
        job,
        "                if not left:\n",
        "                if True:\n",
        "EMPTY_OUTPUT," * 16,
        jobs=120,
    )
    yield Plant(
        "a picture that is gone is not brought again",
        r"without an excuse: (graph_rejected|node_failed)",
        job,
        "await self._server.inputs.check(self._context.request.image)",
        "True",
        "EMPTY_INPUT," * 6,
    )
    yield Plant(
        "the idempotency key is not stored",
        r"one idempotency key, but the jobs",
        "sidecar/api/generate.py",
        "        idempotency_key=key,\n",
        "",
        "KILL_SIDECAR",
    )
    yield Plant(
        "SIGTERM never ends",
        r"SIGTERM ended",
        "sidecar/server.py",
        "        await drain(app)\n",
        "        await drain(app)\n        await asyncio.sleep(1000)\n",
        "STOP_SIDECAR",
    )
    yield Plant(
        "the stream begins anew instead of going on",
        r"the events of .* after",
        "sidecar/api/events.py",
        'read_id(request.headers.get("Last-Event-ID", ""))',
        'read_id("")',
        "KILL_SIDECAR," * 6,
    )
    yield Plant(
        "a video cut short is taken for a whole one",
        r"can't be played",
        "sidecar/comfy/client.py",
        "            async for chunk in response.content.iter_chunked(CHUNK):\n",
        "            async for chunk in _whole(response):\n",
        "CUT_ALL",
        (
            (
                "sidecar/backends/collect.py",
                "await self._fault(key) if kind == VIDEO",
                "'' if True",
            ),
            (
                "sidecar/backends/collect.py",
                "if not await asyncio.to_thread(_save_first_frame, video, target):",
                "if not target.write_bytes(b'picture'):",
            ),
        ),
        jobs=80,
        cut_bytes=5000,
    )
    yield Plant(
        "a canceled job goes on in ComfyUI",
        r"still works on a job that was canceled",
        job,
        "            await stop(client, self.prompt_id, self._pace.stop_s)\n",
        "            await asyncio.sleep(0)\n",
        "CUT_ALL",
    )
    yield Plant(
        "a failed attempt's files stay",
        r"belongs to no job",
        "sidecar/housekeeping/keeper.py",
        "            [one for one in await self._leftovers(stored) if one.key not in gone]",
        "            []",
        "KILL_FETCHING," * 6,
    )
    yield Plant(
        "a lease that was lost may still write",
        r"was succeeded, and is",
        "sidecar/store.py",
        " where id = :id and attempt = :attempt and state = 'running' returning *",
        " where id = :id and attempt >= :attempt returning *",
        "",
        suite="test_suspended.py",
    )


MORE = {
    "a lost answer is taken for a refusal": """

_PLANTED = JobError("comfyui_failed", "ComfyUI did not answer.")
""",
    "a video cut short is taken for a whole one": '''

async def _whole(response):
    """Give what comes, and take a broken connection for the end."""
    try:
        async for chunk in response.content.iter_chunked(CHUNK):
            yield chunk
    except aiohttp.ClientError:
        return
''',
}


def put(plant: Plant, root: Path) -> None:
    """Put it into a copy of the checkout. Raises ValueError where the code has changed."""
    for name, old, new in ((plant.path, plant.old, plant.new), *plant.also):
        path = root / name
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ValueError(f"{name} holds {text.count(old)} times: {old!r}")
        more = MORE.get(plant.name, "") if name == plant.path else ""
        path.write_text(text.replace(old, new) + more, encoding="utf-8")


def run(plant: Plant) -> tuple[bool, str]:
    """Return whether the suite went red for the plant's own reason, and what it found."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, root / part)
        put(plant, root)
        sizes = {"SECONDS": "15", "CALM": str(plant.calm), "MORE": "5", "SERVERS": "1"}
        sizes |= {"JOBS": str(plant.jobs), "CUT_BYTES": str(plant.cut_bytes)}
        sizes["FAULTS"] = plant.faults.strip(",")
        ours = {f"PROMPTREEL_TEST_CHAOS_{name}": value for name, value in sizes.items()}
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                f"tests/chaos/{plant.suite}",
                "-q",
                "-p",
                "no:cacheprovider",
            ],
            cwd=root,
            env={**os.environ, "CI": "1", **ours},
            capture_output=True,
            text=True,
        )
    lines = done.stdout.splitlines()
    said = [line[1:].strip() for line in lines if line.startswith("E  ")] or lines[-1:]
    own = [line for line in said if re.search(plant.says, line)]
    red = done.returncode == 1 and bool(own)
    return red, " / ".join(line[:160] for line in (own or said)[:4])


def main(names: list[str]) -> int:
    """Run the plants named, or all; return 1 if one was not noticed."""
    good = True
    for plant in _plants():
        if names and plant.name not in names:
            continue
        red, said = run(plant)
        good = good and red
        print(f"| {plant.name} | {'red' if red else 'NOT NOTICED'} | {said} |", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
