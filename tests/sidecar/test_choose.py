"""Who gets a job: the least loaded server that can run it, and when it must wait."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sidecar.pool.choose import Standing, Wish, choose, could_run

A = Standing("a", 2, alive=True, runs={"p", "q"})
B = Standing("b", 2, alive=True, runs={"p"})
FULL = replace(A, ours=2, depth=2)
AWAY = replace(A, alive=False)
LOST = replace(AWAY, lost=True)
P = Wish("p")


@pytest.mark.parametrize(
    ("wish", "servers", "chosen"),
    [
        (P, [A, B], "a"),
        (P, [replace(A, ours=1), B], "b"),
        (P, [replace(A, depth=7), B], "b"),  # others' prompts count too
        (P, [replace(A, most=4, ours=1), replace(B, ours=1)], "a"),
        (P, [A, replace(B, last="p")], "b"),  # its models are loaded
        (P, [FULL, replace(B, ours=1, depth=9)], "b"),
        (P, [FULL], None),
        (P, [], None),
        (P, [AWAY], None),
        (P, [replace(A, stuck=True), B], "b"),
        (P, [replace(A, runs=None)], None),  # not known yet
        (Wish("q"), [A, B], "a"),
        (Wish("q"), [FULL, B], None),  # waits for the one that can
        (Wish("q"), [AWAY, B], None),
        (Wish("x"), [A, B], "a"),  # nobody can: it gets a true refusal
        (Wish("x"), [AWAY, B], None),
        (Wish("p", begun="b"), [A, replace(B, ours=2)], "b"),
        (Wish("p", begun="a"), [AWAY, B], "a"),  # it may come back
        (Wish("p", begun="a"), [LOST, B], "b"),
        (Wish("p", begun="gone"), [A], "a"),
        (Wish("p", begun="a"), [replace(A, stuck=True), B], "b"),
        (Wish("p", begun="a"), [replace(A, stuck=True)], "a"),
        (Wish("p", pinned="b"), [A, B], "b"),
        (Wish("p", pinned="a"), [AWAY, B], "a"),
        (Wish("p", pinned="a"), [FULL, B], None),
        (Wish("p", pinned="a", begun="a"), [FULL, B], "a"),
    ],
)
def test_who_gets_it(wish, servers, chosen):
    assert choose(wish, servers) == chosen


def test_who_else_could_run_it():
    assert could_run(P, [A, FULL, replace(B, ours=2)], "a")  # full now, but it could
    assert not could_run(P, [A], "a")
    assert not could_run(P, [A, replace(B, alive=False)], "a")
    assert not could_run(Wish("q"), [A, B], "a")
    assert not could_run(Wish("p", pinned="a"), [A, B], "a")
