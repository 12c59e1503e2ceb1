"""Work ahead in a thread: what makes rendering and encoding overlap.

Knows threads and iterators. Must not know what is made.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")

_POLL_S = 0.05  # how often a full queue looks whether its reader has gone


class _End:
    """The last thing in the queue: `error` is what the source raised, if it did."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


@contextmanager
def ahead(items: Iterable[Item], depth: int = 4) -> Generator[Iterator[Item], None, None]:
    """Give an iterator over `items` that a thread fills at most `depth` items in advance.

    What the source raises is raised by the iterator. Leaving the block, early or not, ends the
    thread and closes the source.
    """
    line: queue.Queue[Item | _End] = queue.Queue(depth)
    stop = threading.Event()
    thread = threading.Thread(target=_fill, args=(items, line, stop), name="ahead", daemon=True)
    thread.start()
    try:
        yield _drain(line)
    finally:
        stop.set()
        thread.join()


def _fill(items: Iterable[Item], line: queue.Queue[Item | _End], stop: threading.Event) -> None:
    end = _End()
    try:
        _feed(items, line, stop)
    except BaseException as error:  # noqa: BLE001  handed over to the reader, whatever it is
        end = _End(error)
    _put(line, end, stop)


def _feed(items: Iterable[Item], line: queue.Queue[Item | _End], stop: threading.Event) -> None:
    iterator = iter(items)
    try:
        for item in iterator:
            if not _put(line, item, stop):
                break
    finally:
        if isinstance(iterator, Generator):
            iterator.close()


def _put(line: queue.Queue[Item | _End], item: Item | _End, stop: threading.Event) -> bool:
    while not stop.is_set():
        try:
            line.put(item, timeout=_POLL_S)
        except queue.Full:
            continue
        return True
    return False


def _drain(line: queue.Queue[Item | _End]) -> Iterator[Item]:
    while True:
        item = line.get()
        if isinstance(item, _End):
            if item.error is not None:
                raise item.error
            return
        yield item
