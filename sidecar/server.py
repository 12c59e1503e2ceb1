"""Listen, say where, and leave in good order on SIGTERM or SIGINT.

Knows sockets and signals. Must not know what the application does.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys

from aiohttp import web

from .app import create_app, drain
from .http.protocol import listen
from .http.slow import Patience
from .keys import ACCESS, PICTURES, SERVERS
from .observe.tracing import Tracing
from .settings import Settings

_LOOK_S = 2.0  # for a ComfyUI to answer before the start is told
_SHUTDOWN_S = 5.0  # for bytes under way, after the answers' grace time


async def serve(settings: Settings, tracing: Tracing | None = None) -> None:
    """Serve until a signal comes. Raises OSError if the port or the data folder can't be used."""
    stopping = asyncio.Event()
    _on_signals(stopping)
    app = create_app(settings, tracing=tracing)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        _settle()
        listening = await listen(
            runner, settings.host.strip("[]"), settings.port, _patience(settings)
        )
        url = _url(settings, listening)
        said = start_lines(url, settings, await _situation(app), locked=app[ACCESS].locked)
        with contextlib.suppress(OSError):  # a full disk under the log must not end the service
            sys.stdout.write(said)
            sys.stdout.flush()
        warming = asyncio.create_task(_warm(app), name="warm")
        await stopping.wait()
        warming.cancel()
        listening.close()
        await drain(app)
    finally:
        await runner.cleanup()


def _patience(settings: Settings) -> Patience:
    """Return how long slow clients are borne, and how many clients."""
    return Patience(
        stall_s=settings.stall_seconds,
        body_s=settings.body_seconds,
        most=settings.max_connections,
    )


def _settle() -> None:
    """Let no collection of garbage look again at what the start has made: it stays, and that look
    would hold up the event loop for 50 ms.
    """
    gc.collect()
    gc.freeze()


async def _warm(app: web.Application) -> None:
    await app[PICTURES].warm()
    gc.freeze()  # the engine's modules; no collection before it, for requests are being answered


async def _situation(app: web.Application) -> str:
    """Say which ComfyUI there is; one that accepts and then says nothing must not delay us."""
    try:
        return await asyncio.wait_for(app[SERVERS].situation(), _LOOK_S)
    except asyncio.TimeoutError:
        return "ComfyUI is slow to answer"


def start_lines(url: str, settings: Settings, situation: str, *, locked: bool) -> str:
    """Return what is said at the start: one line, and commands to try in any shell."""
    key = ' -H "Authorization: Bearer KEY"' if locked else ""
    curl = f"  {'curl.exe' if sys.platform == 'win32' else 'curl'}{key} -F"
    return (
        f"PromptReel listens on {url} ({situation}; data in {settings.data_dir})\n"
        f"Open {url} in a browser, or try it from here, with the imageUrl that the first call\n"
        "answers in the second one:\n"
        f"{curl} image=@picture.jpg {url}/api/upload\n"
        f'{curl} imageUrl=PASTE_IT_HERE -F "text=slow push in, golden hour" {url}/api/generate\n'
    )


def _url(settings: Settings, listening: asyncio.Server) -> str:
    host, port = listening.sockets[0].getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    if host in ("0.0.0.0", "::"):  # noqa: S104  asked for; shown so that it can be clicked
        shown = "127.0.0.1"
    return settings.public_url or f"http://{shown}:{port}"


def _on_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stopping.set)
