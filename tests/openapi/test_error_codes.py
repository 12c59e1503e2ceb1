"""The table of error codes, both ways: each raised one is in it, each in it is really raised.

A row without a case that provokes it fails, and so does a case that provokes something else.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.error_codes import CODES, page
from tests.openapi import failing, limited, refused
from tests.openapi.provoking import ALL, Provoking, World
from tests.openapi.raised import all_codes, codes_in, codes_of_jobs

ROOT = Path(__file__).parents[2]
KINDS = ("request", "job")
assert failing
assert limited
assert refused


def test_each_code_of_the_source_is_in_the_table():
    assert all_codes() == {row.code for row in CODES}


def test_each_code_that_the_source_gives_to_jobs_is_one_of_jobs():
    assert codes_of_jobs() == {row.code for row in CODES if row.job}


def test_the_reader_of_the_source_finds_all_ways():
    source = """
def _bad(sentence, code):
    return BadRequest(sentence, code=code)
_HINTS: tuple = ((("x",), "hinted", "y"),)
def f(a):
    raise _bad("x", "placed")
    raise NotFound("x", code="named" if a else "other")
    raise TooManyRequests("x")
    code = "assigned"
    return JobError("of_job", "x")
"""
    ways = {"hinted", "placed", "named", "other", "queue_full", "of_job", "assigned"}
    assert codes_in(source) == ways


def test_the_page_is_made_from_the_table():
    assert (ROOT / "docs" / "errors.md").read_text(encoding="utf-8") == page()


def test_rows_are_sentences():
    for row in CODES:
        assert row.meaning.endswith("."), row
        assert row.hint.endswith("."), row


@pytest.mark.parametrize("kind", KINDS)
def test_each_row_has_a_case_that_provokes_it(kind):
    rows = {row.code for row in CODES if getattr(row, kind)}
    provoked = [code for one in ALL if one.kind == kind for code in one.codes]
    assert set(provoked) == rows


@pytest.fixture
def world(aiohttp_client, settings, monkeypatch, tmp_path) -> World:
    return World(aiohttp_client, settings, monkeypatch, tmp_path)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.case.__name__)
async def test_a_case_provokes_its_codes(world, one: Provoking):
    assert await one.case(world) == one.codes
