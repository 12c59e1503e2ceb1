"""The count at the end: what clients saw, the files, the ledgers and the rows must agree.

Every rule is a function that returns sentences about what is wrong; none of them repairs anything.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.chaos.ledger import Film, Ledger, Line
from tests.chaos.plan import Fault
from tests.chaos.record import OVER, Record, Seen
from tests.chaos.world import Done

# Which failures a fault may cause; every other fault must be survived.
MAY_FAIL = {
    "removed_in_comfyui": (Fault.DELETE_QUEUED, Fault.CLEAR_HISTORY),
    "interrupted_in_comfyui": (Fault.INTERRUPT,),
}
NEAR_S = 3.0


def ends(record: Record) -> Iterator[str]:
    """Every accepted job is over, known, and one per key."""
    for name, seen in record.seen.items():
        if not seen.ends:
            yield f"{name}: never came to an end: {seen.last or seen.ids}"
        if len(seen.ids) != 1:
            yield f"{name}: one idempotency key, but the jobs {sorted(seen.ids)}"
        if len(seen.results) > 1:
            yield f"{name}: two results: {sorted(seen.results)}"
        if "canceled" in seen.ends and not seen.canceled_asked and seen.wish.cancel_after is None:
            yield f"{name}: canceled, though nobody asked for it"


def failures(record: Record, done: Sequence[Done]) -> Iterator[str]:
    """A job may fail only by a fault that excuses it, and only near it."""
    for name, seen in record.seen.items():
        if "failed" not in seen.ends:
            continue
        error = seen.last.get("error") or {}
        code = error.get("code", "?")
        if not _excused(code, seen.last, done):
            yield f"{name}: failed without an excuse: {code}: {error.get('error')}"


def _excused(code: str, job: dict[str, Any], done: Sequence[Done]) -> bool:
    begun, ended = _epoch(job["createdAt"]), _epoch(job["finishedAt"])
    return any(
        one.blow.fault in MAY_FAIL.get(code, ())
        and one.begun < ended + NEAR_S
        and one.ended > begun - NEAR_S
        for one in done
    )


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def films(record: Record, shown: dict[str, Film], ledger: Ledger) -> Iterator[str]:
    """Each succeeded job's video is one that ComfyUI made for this very job."""
    ran = ledger.by_name("ran")
    for name, seen in record.seen.items():
        for video, result in seen.results.items():
            film = shown.get(video)
            if film is None:
                yield f"{name}: succeeded, but {video} can't be played"
                continue
            if seen.wish.pipeline != "ledger":
                if (film.size, film.frames) != ((640, 480), 6):
                    yield f"{name}: {video} has {film.frames} frames of {film.size}"
                continue
            own = {line.number: line.prompt_id for line in ran[seen.wish.said]}
            if film.number not in own:
                yield f"{name}: {video} shows {film.number}, its runs were {sorted(own)}"
            elif seen.wish.said in _echoed(record):
                continue  # ComfyUI's cache may give what it made for the other
            elif result["workflowResponse"]["prompt_id"] != own[film.number]:
                yield f"{name}: the answer names another prompt than the one that made the video"


def once(record: Record, ledger: Ledger, done: Sequence[Done]) -> Iterator[str]:
    """No ComfyUI ran a job twice to its end, nor was asked to, unless it lost what it had."""
    forgot = _times(done, Fault.CLEAR_HISTORY, Fault.DELETE_QUEUED, Fault.EMPTY_OUTPUT)
    emptied = _times(done, Fault.EMPTY_INPUT)  # then the first post ends at a missing picture
    alone = {seen.wish.said for seen in record.seen.values()} - _echoed(record)
    for name, lines in ledger.by_name("ran").items():
        for boot, times in Counter(line.boot for line in lines).items():
            if times > 1 and name in alone and not _between(lines, forgot):
                yield f"{name}: ran to its end {times} times on the ComfyUI {boot}"
    for name, lines in ledger.by_name("posted").items():
        if name not in alone or _between(lines, forgot):
            continue
        for prompt, times in Counter((line.boot, line.prompt_id) for line in lines).items():
            if times > 1:
                yield f"{name}: posted {times} times as {prompt}"
        prompts = Counter(boot for boot, _ in {(line.boot, line.prompt_id) for line in lines})
        if any(times > 1 for times in prompts.values()) and not _after(lines, emptied):
            yield f"{name}: posted to one ComfyUI as several prompts: {dict(prompts)}"


def _echoed(record: Record) -> set[str]:
    """Return the texts that several wishes share."""
    return {seen.wish.text for seen in record.seen.values() if seen.wish.text}


def _times(done: Sequence[Done], *faults: Fault) -> list[Done]:
    return [one for one in done if one.blow.fault in faults]


def _between(lines: Sequence[Line], done: Sequence[Done]) -> bool:
    """Whether one of the faults lay between the first and the last line."""
    return any(one.begun < lines[-1].at and one.ended > lines[0].at for one in done)


def _after(lines: Sequence[Line], done: Sequence[Done]) -> bool:
    return any(one.begun < lines[-1].at for one in done)


def doubles(record: Record, ledger: Ledger) -> int:
    """Return how many jobs came to an end in ComfyUI more than once (after it had lost them)."""
    ran, shared = ledger.by_name("ran"), _echoed(record)
    return sum(len(lines) > 1 for name, lines in ran.items() if name not in shared)


def rows(data_dir: Path, record: Record) -> Iterator[str]:
    """In the database too: one row a key, each over, and none that no client knows."""
    with closing(sqlite3.connect(data_dir / "jobs.db")) as db:
        found = db.execute("select id, state, idempotency_key from jobs").fetchall()
    for key, times in Counter(key for _, _, key in found if key).items():
        if times > 1:
            yield f"the key {key} has {times} rows"
    known = {job_id for seen in record.seen.values() for job_id in seen.ids}
    for job_id, state, key in found:
        if state not in OVER:
            yield f"the row {job_id} ({key}) is {state}"
        if job_id not in known:
            yield f"the row {job_id} ({key}) belongs to no client"


def leaks(
    data_dir: Path, record: Record, pictures: Sequence[str], inputs: Sequence[Path]
) -> Iterator[str]:
    """No file without an owner: not in the store, not half-made, not in ComfyUI's inputs."""
    owned = {picture.rpartition("/")[2] for picture in pictures}
    for seen in record.seen.values():
        owned |= _files(seen)
    stored = {path.name for path in (data_dir / "media").rglob("*") if path.is_file()}
    for name in sorted(stored - owned):
        yield f"{name} belongs to no job"
    for name in sorted(owned - stored):
        yield f"{name} is not there any more"
    for place in (data_dir / "unfinished", *(folder / "promptreel" for folder in inputs)):
        for path in place.rglob("*") if place.is_dir() else ():
            yield f"{place.name}/{path.name} was left behind"


def _files(seen: Seen) -> set[str]:
    return {
        str(result[kind]).rpartition("/")[2]
        for result in seen.results.values()
        for kind in ("image", "video")
    }
