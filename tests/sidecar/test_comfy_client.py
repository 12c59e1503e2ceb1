"""The client against a fake ComfyUI: answers, refusals, lost answers, hostile servers."""

from __future__ import annotations

import pytest

from sidecar.comfy.client import ComfyClient, FileRef, new_session, normalize_url
from sidecar.comfy.errors import (
    BadAnswer,
    NotFound,
    Rejected,
    TooLarge,
    UnknownOutcome,
    Unreachable,
)
from tests.fake_comfy import GRAPH


@pytest.fixture
async def client(fake):
    async with new_session() as session:
        yield ComfyClient(fake.url, session, answer_s=2.0)


def submit(client, prompt_id="p1"):
    return client.submit(GRAPH, prompt_id=prompt_id, client_id="c", extra_data={})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://h:8188/", "http://h:8188"),
        ("https://h/comfy/base/", "https://h/comfy/base"),
        ("  http://[::1]:8188 ", "http://[::1]:8188"),
    ],
)
def test_a_base_address_keeps_scheme_port_and_path(given, kept):
    assert normalize_url(given) == kept


@pytest.mark.parametrize(
    "url",
    ["h:8188", "ftp://h", "http://u:p@h", "http://u@h", "http://h/?a=1", "http://h:99999", ""],
)
def test_other_addresses_are_refused_with_a_sentence(url):
    with pytest.raises(ValueError, match=r"ComfyUI address .*\.$"):
        normalize_url(url)


async def test_submit_sends_the_ids_and_no_origin_and_no_number(fake, client):
    answer = await submit(client)
    assert answer == {"prompt_id": "p1", "number": 0, "node_errors": {}}
    assert set(fake.posts[0]) == {"prompt", "prompt_id", "client_id"}
    assert all("Origin" not in headers for _, _, headers in fake.requests)


async def test_a_lost_answer_is_an_unknown_outcome(fake, client):
    fake.faults.lose_answers = 1
    with pytest.raises(UnknownOutcome):
        await submit(client)
    assert len(fake.posts) == 1


async def test_a_500_is_an_unknown_outcome(fake, client):
    fake.faults.queue_then_500 = 1
    with pytest.raises(UnknownOutcome):
        await submit(client)


async def test_a_late_answer_is_an_unknown_outcome_of_a_post_and_unreachable_of_a_read(fake):
    fake.faults.slow = {"/prompt": 1.0, "/queue": 1.0}
    async with new_session() as session:
        hasty = ComfyClient(fake.url, session, answer_s=0.1)
        with pytest.raises(UnknownOutcome):
            await submit(hasty)
        with pytest.raises(Unreachable):
            await hasty.queue()


async def test_nobody_there_is_unreachable_even_for_a_post(fake, client):
    await fake.server.close()
    with pytest.raises(Unreachable):
        await submit(client)


async def test_a_refusal_carries_comfyuis_words(fake, client):
    fake.faults.reject = {"error": {"type": "invalid_prompt", "message": "m"}, "node_errors": {}}
    with pytest.raises(Rejected) as caught:
        await submit(client)
    assert caught.value.error["type"] == "invalid_prompt"


async def test_a_200_with_node_errors_is_a_refusal(fake, client):
    fake.faults.node_errors = {"1": {"errors": [], "class_type": "LoadImage"}}
    with pytest.raises(Rejected) as caught:
        await submit(client)
    assert "1" in caught.value.node_errors


async def test_queue_lists_running_first_then_pending_by_number(fake, client):
    fake.running = [[3, "r", {}, {}, []]]
    fake.pending = [[9, "b", {}, {}, []], [5, "a", {}, {}, []]]
    fake.worker.cancel()
    assert [item.prompt_id for item in await client.queue()] == ["r", "a", "b"]
    assert await client.queue_remaining() == 3


async def test_no_comfyui_is_a_bad_answer(fake, client):
    fake.faults.broken_json = True
    with pytest.raises(BadAnswer):
        await client.system_stats()


async def test_redirects_are_not_followed(fake, client):
    fake.faults.redirect = "http://169.254.169.254/"
    with pytest.raises(BadAnswer):
        await client.system_stats()
    assert len(fake.requests) == 1


async def test_upload_uses_the_answered_name(fake, client):
    ref = await client.upload_image(b"data", name="a.png", subfolder="promptreel")
    assert ref == FileRef("a.png", "promptreel", "input")
    assert ref.annotated == "promptreel/a.png"
    assert fake.files["input", "promptreel", "a.png"] == b"data"


async def test_view_streams_and_stops_at_the_limit(fake, client):
    fake.files["output", "", "v.mp4"] = b"x" * 300_000
    ref = FileRef("v.mp4")
    assert sum([len(chunk) async for chunk in client.view(ref, limit=300_000)]) == 300_000
    with pytest.raises(TooLarge):
        _ = [chunk async for chunk in client.view(ref, limit=299_999)]
    with pytest.raises(NotFound):
        _ = [chunk async for chunk in client.view(FileRef("no.mp4"), limit=10)]


async def test_models_of_an_unknown_folder_are_none(client):
    assert await client.models("checkpoints") == ("a.safetensors",)
    assert await client.models("nothing") == ()
