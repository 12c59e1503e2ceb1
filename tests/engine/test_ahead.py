from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from promptreel.engine.ahead import ahead


def threads() -> int:
    return sum(thread.name == "ahead" for thread in threading.enumerate())


def test_everything_arrives_in_order():
    with ahead(range(1000)) as items:
        assert list(items) == list(range(1000))
    assert threads() == 0


def test_it_works_in_another_thread_but_never_far_ahead():
    made: list[int] = []
    full = threading.Event()

    def source() -> Iterator[int]:
        for index in range(100):
            made.append(threading.get_ident())
            if index == 5:
                full.set()
            yield index

    with ahead(source(), depth=4) as items:
        assert next(items) == 0
        assert full.wait(10)
        assert len(made) == 6  # one taken, four in line, one in hand
        assert threading.get_ident() not in made


def test_the_error_of_the_source_comes_after_what_it_made():
    def source() -> Iterator[int]:
        yield 1
        raise LookupError("broken")

    seen: list[int] = []
    with pytest.raises(LookupError, match="broken"), ahead(source()) as items:
        seen.extend(items)
    assert seen == [1]
    assert threads() == 0


def test_what_cannot_be_iterated_is_an_error_not_a_hang():
    number: Any = 5
    with pytest.raises(TypeError, match="not iterable"), ahead(number) as items:
        next(items)
    assert threads() == 0


@pytest.mark.parametrize("taken", [0, 1, 7])
def test_leaving_early_closes_the_source_and_ends_the_thread(taken: int):
    closed = threading.Event()

    def source() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    with ahead(source()) as items:
        for _ in range(taken):
            next(items)
    assert threads() == 0
    assert closed.is_set() or taken == 0


def test_an_error_of_the_reader_ends_the_thread():
    with pytest.raises(ZeroDivisionError), ahead(iter(int, 1)) as items:
        math.log(1 / next(items))
    assert threads() == 0
