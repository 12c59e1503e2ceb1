"""How long to fuzz: a few examples in each run, thousands where PROMPTREEL_TEST_HOSTILE=1."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

LONG = bool(os.environ.get("PROMPTREEL_TEST_HOSTILE"))


def examples(few: int, many: int = 3000) -> settings:
    """Return the settings of a fuzz test; the same examples each time unless it is a long run."""
    return settings(
        max_examples=many if LONG else few,
        derandomize=not LONG,
        database=None,
        deadline=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.filter_too_much,
            HealthCheck.data_too_large,
            HealthCheck.function_scoped_fixture,
        ],
    )
