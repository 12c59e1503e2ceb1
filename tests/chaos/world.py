"""The system under fire: ComfyUI servers behind proxies, one sidecar, and who does the damage.

Knows processes, proxies and faults. Must not know clients or what is counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.plan import Blow, Fault, Plan
from tests.chaos.processes import SidecarProcess
from tests.chaos.proxy import Malice, Proxy
from tests.e2e.comfyui import Installation
from tests.e2e.comfyui_server import ComfyUI

HERE = Path(__file__).parent
FETCHING_S = 3.0  # that a kill waits at most for a video to come in
KILLS = (
    Fault.KILL_SIDECAR,
    Fault.KILL_FETCHING,
    Fault.STOP_SIDECAR,
    Fault.KILL_COMFYUI,
    Fault.KILL_BOTH,
)
EMPTIED_S = 0.25  # between two times that somebody empties a folder
OPTIONS = ("--max-queued", "5000", "--log-level", "info")


@dataclass(frozen=True)
class Done:
    """A fault that happened: from when to when (epoch seconds)."""

    blow: Blow
    begun: float
    ended: float


@dataclass
class Server:
    """A ComfyUI, the proxy in front of it, and a lock for those who kill or start it."""

    comfyui: ComfyUI
    proxy: Proxy
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class World:
    """Everything that runs; `strike` does one fault and repairs what it broke."""

    def __init__(self, servers: list[Server], sidecar: SidecarProcess) -> None:
        self.servers = servers
        self.sidecar = sidecar
        self.done: list[Done] = []
        self.wrong: list[str] = []  # what happened and should not have
        self._lock = asyncio.Lock()

    async def suffer(self, plan: Plan) -> None:
        """Do all that is planned, each at its time."""
        begun = asyncio.get_running_loop().time()
        for server in self.servers:
            server.proxy.malice = plan.malice
            server.proxy.cut_all()  # those that are open already would be spared

        async def later(blow: Blow) -> None:
            await asyncio.sleep(begun + blow.at - asyncio.get_running_loop().time())
            await self.strike(blow)

        await asyncio.gather(asyncio.sleep(plan.seconds), *map(later, plan.blows))
        for server in self.servers:
            server.proxy.malice = Malice()

    async def strike(self, blow: Blow) -> None:
        """Do one fault; return when it is over and what it ended runs again."""
        begun = time.time()
        await self._strike(blow, self.servers[blow.server])
        self.done.append(Done(blow, begun, time.time()))

    async def _strike(self, blow: Blow, server: Server) -> None:
        if blow.fault in KILLS:
            await self._kill(blow, server)
        elif blow.fault is Fault.FULL_DISK:
            await self._full_disk(blow)
        elif blow.fault in (Fault.EMPTY_OUTPUT, Fault.EMPTY_INPUT):
            await self._emptied(blow, server.comfyui)
        elif blow.fault in (Fault.CUT_ALL, Fault.STALL, Fault.REFUSE):
            await _disturb(blow, server.proxy)
        else:
            await asyncio.to_thread(somebody, server.comfyui, blow.fault)

    async def _kill(self, blow: Blow, server: Server) -> None:
        if blow.fault is Fault.KILL_FETCHING:
            await self._fetching()
        kills: list[Awaitable[None]] = []
        if blow.fault is not Fault.KILL_COMFYUI:
            kills.append(self._again(blow.seconds, gently=blow.fault is Fault.STOP_SIDECAR))
        if blow.fault in (Fault.KILL_COMFYUI, Fault.KILL_BOTH):
            kills.append(self._comfyui_again(server, blow.seconds))
        await asyncio.gather(*kills)

    async def _emptied(self, blow: Blow, comfyui: ComfyUI) -> None:
        folder = comfyui.output_dir if blow.fault is Fault.EMPTY_OUTPUT else comfyui.input_dir
        end = time.time() + blow.seconds
        while time.time() < end:  # a file is fetched a moment after it was made
            await asyncio.to_thread(empty, folder)
            await asyncio.sleep(EMPTIED_S)

    async def _fetching(self) -> None:
        """Wait, but not for long, until a video comes into the sidecar's store."""
        end = time.time() + FETCHING_S
        before = self._videos()
        while self._videos() <= before and time.time() < end:  # noqa: ASYNC110  no event tells
            await asyncio.sleep(0.002)

    def _videos(self) -> set[str]:
        return {path.name for path in (self.sidecar.data_dir / "media").glob("*-video.*")}

    async def _again(self, pause: float, *, gently: bool = False) -> None:
        async with self._lock:
            if gently:
                status, seconds = await self.sidecar.stop()
                if status != 0:
                    self.wrong.append(f"SIGTERM ended it with {status} after {seconds:.1f} s")
            else:
                self.sidecar.kill()
            await asyncio.sleep(pause)
            await self.sidecar.start()

    async def _comfyui_again(self, server: Server, pause: float) -> None:
        async with server.lock:
            server.comfyui.kill()
            await asyncio.sleep(pause)
            await asyncio.to_thread(boot, server.comfyui)

    async def _full_disk(self, blow: Blow) -> None:
        async with self._lock:
            self.sidecar.limit_files(blow.most)
            await asyncio.sleep(blow.seconds)
            if self.sidecar.running:
                self.sidecar.limit_files(None)
            else:
                await self.sidecar.start()


async def _disturb(blow: Blow, proxy: Proxy) -> None:
    """Do something to the connections."""
    if blow.fault is Fault.CUT_ALL:
        proxy.cut_all()
    elif blow.fault is Fault.STALL:
        await proxy.stall(blow.seconds)
    else:
        await proxy.refuse()
        proxy.cut_all()
        await asyncio.sleep(blow.seconds)
        await proxy.start()


def boot(comfyui: ComfyUI) -> None:
    """Start it; twice more if the machine was too busy for it to answer in time."""
    for _ in range(2):
        with contextlib.suppress(RuntimeError):
            return comfyui.start()
    return comfyui.start()


def somebody(comfyui: ComfyUI, fault: Fault) -> None:
    """Do in ComfyUI what another user of it may do."""
    with contextlib.suppress(OSError, ValueError):  # it may be dead just now
        if fault is Fault.CLEAR_HISTORY:
            comfyui.post("/history", {"clear": True})
        elif fault is Fault.DELETE_QUEUED:
            comfyui.post("/queue", {"clear": True})
        elif fault is Fault.INTERRUPT:
            comfyui.post("/interrupt", {})


def empty(folder: Path) -> None:
    """Delete all files in a folder: a node that writes one must find its own folder again."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink(missing_ok=True)


@asynccontextmanager
async def world(
    installation: Installation, base: Path, seed: int, servers: int = 1
) -> AsyncIterator[World]:
    """Start everything; in the end nothing runs any more."""
    rng = random.Random(seed + 1)
    made = [_server(installation, base / f"comfyui-{n}", rng) for n in range(servers)]
    sidecar: SidecarProcess | None = None
    try:
        await asyncio.gather(*(asyncio.to_thread(boot, one.comfyui) for one in made))
        for one in made:
            await one.proxy.start()
        urls = ",".join(one.proxy.url for one in made)
        places = ("--comfyui-url", urls, "--pipelines-dir", str(HERE / "pipelines"))
        sidecar = SidecarProcess(base, *places, *OPTIONS)
        await sidecar.start()
        yield World(made, sidecar)
    finally:
        if sidecar is not None:
            sidecar.kill()
        for one in made:
            await one.proxy.stop()
            one.comfyui.kill()


def _server(installation: Installation, base: Path, rng: random.Random) -> Server:
    comfyui = ComfyUI(installation, base)
    comfyui.link_pack()
    (comfyui.custom_nodes / "chaos_ledger").symlink_to(HERE / "ledger_pack")
    return Server(comfyui, Proxy(comfyui.port, rng))
