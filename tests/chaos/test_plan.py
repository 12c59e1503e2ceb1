"""The plan of a run comes from its seed alone, and leaves no fault out."""

from __future__ import annotations

from tests.chaos.plan import Fault, draw


def test_the_same_seed_gives_the_same_plan():
    assert draw(7, 50, 30, 2) == draw(7, 50, 30, 2)
    assert draw(7, 50, 30, 2) != draw(8, 50, 30, 2)


def test_every_fault_strikes_at_least_once_and_within_the_run():
    plan = draw(1, 200, 20, 2)
    assert {blow.fault for blow in plan.blows} == set(Fault)
    assert all(2 <= blow.at <= 20 and blow.server in (0, 1) for blow in plan.blows)
    assert all(0 <= wish.at <= 20 for wish in plan.wishes)


def test_an_echo_asks_for_the_very_same_video():
    wishes = {wish.name: wish for wish in draw(1, 300, 20, 2).wishes}
    echoes = [wish for wish in wishes.values() if wish.text and wishes[wish.text].text == ""]
    assert echoes
    for echo in echoes:
        other = wishes[echo.text]
        assert (echo.steps, echo.picture) == (other.steps, other.picture)


def test_only_the_faults_that_are_asked_for():
    plan = draw(1, 10, 20, 1, [Fault.STALL, Fault.STALL])
    assert [blow.fault for blow in plan.blows] == [Fault.STALL, Fault.STALL]
