"""When two requests are one: keys and digests."""

from __future__ import annotations

import pytest

from sidecar.errors import BadRequest
from sidecar.fingerprint import asked_hash, read_key, request_hash
from sidecar.values import GenerateRequest


def order(**more):
    params = {"text": "x", "seconds": 5.0, "seed": 1234, "fps": 24}
    return GenerateRequest(
        **{"image": "a.png", "text": "x", "pipeline": "p", "params": params, **more}
    )


FIELDS = {"imageUrl": "http://a/a.png", "text": "x", "seconds": "5"}


@pytest.mark.parametrize("key", ["a", "x" * 255, "8e03978e-40d5-43dd-bc93-6894a57f9324", "a b!~"])
def test_keys(key):
    assert read_key([key]) == read_key([f'"{key}"']) == read_key([f" {key}\t"]) == key


def test_no_key():
    assert read_key([]) is None


@pytest.mark.parametrize(
    "values", [[""], [" "], ['""'], ["x" * 256], ["\u044f"], ["a\x7f"], ["a", "a"]]
)
def test_keys_that_are_refused(values):
    with pytest.raises(BadRequest) as caught:
        read_key(values)
    assert caught.value.code == "invalid_idempotency_key"


def test_how_it_was_asked_is_a_matter_of_the_words_only():
    assert asked_hash({"b": "2", "a": " 1 "}) == asked_hash({"a": "1", "b": "2"})
    assert asked_hash({"a": "1", "b": "2"}) != asked_hash({"a": "12", "b": ""})
    assert asked_hash({"a": "1"}) != asked_hash({"a": "2"})


def test_what_is_to_be_made_depends_on_the_picture_not_on_its_address():
    first = request_hash(order(), FIELDS)
    assert request_hash(order(), {**FIELDS, "imageUrl": "http://b/b.png"}) == first
    assert request_hash(order(image="b.png"), FIELDS) != first


def test_numbers_count_by_value_and_what_we_drew_or_chose_does_not_count():
    first = request_hash(order(), FIELDS)
    assert request_hash(order(), {**FIELDS, "seconds": "5.00"}) == first
    drawn = {"text": "x", "seconds": 5.0, "seed": 99, "fps": 30}
    assert request_hash(order(params=drawn, pipeline="q", server="http://s"), FIELDS) == first


@pytest.mark.parametrize(
    "more",
    [
        {"seed": "1234"},
        {"comfyPipeline": "p"},
        {"serverUrl": "http://s"},
        {"webhookUrl": "https://hooks.example/"},
    ],
)
def test_every_field_given_counts(more):
    assert request_hash(order(), {**FIELDS, **more}) != request_hash(order(), FIELDS)
