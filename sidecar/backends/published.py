"""What was published on a ComfyUI: pipelines in its user's folder, read through its own /userdata.

Looked at often, read only when something has changed. Each is checked by the same rules as any
other pipeline, nothing in it is ever run or evaluated here, and one that is wrong does no harm to
the others. Bounded in number and bytes. Must not know jobs or routes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sidecar.comfy.client import ComfyClient
from sidecar.comfy.errors import ComfyError, NotFound, TooLarge, Unreachable
from sidecar.pipelines import Published, key_of, publish
from sidecar.rules import GRAPH, MANIFEST, MOST, NAME, SIZES, PipelineError, published

log = logging.getLogger(__name__)

FOLDER = "promptreel/pipelines"  # of the user "default"
MOST_BYTES = 16 << 20  # of one ComfyUI's
MOST_HELD = 64  # earlier versions that jobs may still want
LOOK_S = 5.0
LONGEST = 500  # characters of the reason why one can't be used

Stamps = Mapping[str, tuple[int, float]]  # of a pipeline's files: size, time of change


@dataclass
class Rack:
    """What is published on one ComfyUI. `now`: by name. `refused`: why one can't be used.

    `held`: by key, those of `now` and earlier ones, which accepted jobs may want. `version` changes
    with them.
    """

    now: dict[str, Published] = field(default_factory=dict[str, Published])
    refused: dict[str, str] = field(default_factory=dict[str, str])
    held: dict[str, Published] = field(default_factory=dict[str, Published])
    version: int = 0
    _seen: dict[str, Stamps] | None = None
    _read: dict[str, Stamps] = field(default_factory=dict[str, Stamps])
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self, client: ComfyClient) -> bool:
        """Read what has changed; return whether anything has. Of a ComfyUI that does not answer
        what was known stays.
        """
        async with self._asking:
            try:
                return await asyncio.wait_for(self._look(client), LOOK_S)
            except (ComfyError, asyncio.TimeoutError) as error:
                log.debug("what is published at %s can't be read: %s", client.url, error)
                return False

    async def _look(self, client: ComfyClient) -> bool:
        seen = await _listing(client)
        if seen == self._seen:
            return False
        refused = {name: why for name in seen if (why := _too_much(name, seen))}
        listed = {name: stamps for name, stamps in seen.items() if name not in refused}
        changed = [name for name, stamps in listed.items() if self._read.get(name) != stamps]
        found = {name: await _read(client, name) for name in changed}
        after = await _listing(client) if found else seen
        whole = [name for name in changed if after.get(name) == listed[name]]
        self._forget(seen, listed)
        for name, why in refused.items():
            self._refuse(name, why, client.url)
        for name in whole:
            self._set(name, found[name], client.url)
        known = {name: stamps for name, stamps in listed.items() if name not in changed}
        self._read = known | {name: listed[name] for name in whole}
        self._seen = seen if len(whole) == len(changed) else None  # others changed meanwhile
        self.version += 1
        return True

    def _forget(self, seen: Collection[str], listed: Collection[str]) -> None:
        """Drop what is not there any more, or is beyond the bounds."""
        for name in [name for name in self.now if name not in listed]:
            log.info("the published pipeline %r is gone", name)
            del self.now[name]
        self.refused = {name: why for name, why in self.refused.items() if name in seen}

    def _set(self, name: str, found: Published | str, url: str) -> None:
        if isinstance(found, str):
            self._refuse(name, found, url)
            return
        log.info("the pipeline %r is published at %s", name, url)
        self.refused.pop(name, None)
        self.now[name] = found
        self.held.pop(key_of(found), None)
        self.held[key_of(found)] = found
        while len(self.held) > MOST_HELD:
            del self.held[next(iter(self.held))]

    def _refuse(self, name: str, told: str, url: str) -> None:
        why = _short(told)
        if self.refused.get(name) != why:
            log.warning("the pipeline %r published at %s can't be used: %s", name, url, why)
        self.refused[name] = why
        self.now.pop(name, None)


async def _listing(client: ComfyClient) -> dict[str, Stamps]:
    """Return the stamps of each pipeline's files; none where there is no such folder."""
    try:
        rows = await client.user_files(FOLDER)
    except Unreachable:
        raise
    except (NotFound, ComfyError):  # several users, or no user data at all: nothing is published
        return {}
    found: dict[str, dict[str, tuple[int, float]]] = {}
    for row in rows:
        name, _, file = row.path.removeprefix(f"{FOLDER}/").partition("/")
        if file in SIZES and NAME.fullmatch(name):
            found.setdefault(name, {})[file] = (row.size, row.modified)
    return {name: found[name] for name in sorted(found)[: 2 * MOST]}  # of more nothing is told


async def _read(client: ComfyClient, name: str) -> Published | str:
    """Return the pipeline, or why it can't be used. Raises ComfyError if the server is away."""
    try:
        texts = {
            file: await client.user_file(f"{FOLDER}/{name}/{file}", SIZES[file]) for file in SIZES
        }
    except (NotFound, TooLarge):
        return f"its {GRAPH} or {MANIFEST} can't be read."
    try:
        return await asyncio.to_thread(_published, name, texts)
    except PipelineError as error:
        return str(error)
    except Exception:  # an edge: no file that somebody put there may harm the others
        log.exception("the published pipeline %r can't be read", name)
        return "it can't be read: it is not what the editor publishes."


def _short(why: str) -> str:
    """Return a reason on one line, whatever was in the files that it quotes."""
    plain = "".join(c if c.isprintable() else " " for c in why[:LONGEST])
    return plain if len(why) <= LONGEST else f"{plain}..."


def _published(name: str, texts: Mapping[str, bytes]) -> Published:
    return publish(*published(name, texts[MANIFEST], texts[GRAPH]))


def _too_much(name: str, listed: Mapping[str, Stamps]) -> str:
    """Return why one is not even read: no file, too large, or beyond what is read in all."""
    for file, most in SIZES.items():
        if file not in listed[name]:
            return f"it has no {file}."
        if listed[name][file][0] > most:
            return f"its {file} has more than {most} bytes."
    names = list(listed)
    before = names[: names.index(name) + 1]
    if len(before) > MOST:
        return f"there are more than {MOST} published pipelines on this ComfyUI."
    if sum(size for one in before for size, _ in listed[one].values()) > MOST_BYTES:
        return f"the published pipelines have more than {MOST_BYTES} bytes together."
    return ""
