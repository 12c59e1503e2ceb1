"""Large JSON in small steps: what json.loads reads and refuses, and others get their turn."""

from __future__ import annotations

import gc
import json
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.comfy import gently

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(VALUES, st.sampled_from([None, 0, 2]))
def test_it_reads_what_json_reads(value, indent):
    assert gently.loads(json.dumps(value, indent=indent)) == value


@given(st.dictionaries(st.text(), VALUES))
def test_names_are_those_of_the_members(value):
    assert list(gently.names(json.dumps(value))) == list(value)


@given(VALUES, st.integers(0, 200), st.sampled_from(["", "x", ",", "]", "}", '"', ":", "0"]))
def test_it_refuses_what_json_refuses(value, at, put):
    text = json.dumps(value)
    text = text[:at] + put + text[at + 1 :]
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011  of any text
            gently.loads(text)
    else:
        assert gently.loads(text) == expected


@pytest.mark.parametrize("text", ["", "[]", "1", '{"a": 1', '{"a" 1}', "{1: 2}", '{"a": 1} x'])
def test_names_of_what_is_no_object_are_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011  of any text
        list(gently.names(text))


def test_others_get_their_turn():
    node = {"input": {f"x{n}": ["INT", {"default": n, "tooltip": "t" * 80}] for n in range(12)}}
    text = json.dumps({f"Node{n}": node for n in range(4000)})
    at_once = _longest_call(lambda: json.loads(text))
    assert _longest_call(lambda: list(gently.names(text))) < at_once / 10
    assert _longest_call(lambda: gently.loads(text)) < at_once / 10


def _longest_call(read) -> float:
    """Return the processor time of json's longest step: no other thread runs in it."""
    longest = began = 0.0

    def note(frame, event, arg):
        nonlocal longest, began
        if frame.f_code is not json.JSONDecoder.raw_decode.__code__:
            return
        if event == "call":
            began = time.thread_time()
        elif event == "return":
            longest = max(longest, time.thread_time() - began)

    gc.collect()
    gc.disable()  # a collection in the middle of a step would count as the step's
    sys.setprofile(note)
    try:
        read()
    finally:
        sys.setprofile(None)
        gc.enable()
    return longest
