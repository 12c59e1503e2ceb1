"""The shared socket: routing, previews, and every way in which it can die."""

from __future__ import annotations

import asyncio
import struct

import pytest

from sidecar.comfy.client import ComfyClient, new_session
from sidecar.comfy.events import Event, Events, Preview, parse_binary
from tests.fake_comfy import GRAPH
from tests.waiting import eventually


@pytest.fixture
async def events(fake):
    async with new_session() as session:
        client = ComfyClient(fake.url, session)
        made = Events(client, "me", silence_s=0.2, first_pause_s=0.02)
        yield made
        await made.close()


async def post(events, prompt_id):
    sent_at = asyncio.get_running_loop().time()
    await events._client.submit(GRAPH, prompt_id=prompt_id, client_id="me", extra_data={})
    events.submitted(sent_at)


async def until_terminal(subscription):
    seen = []
    while True:
        message = await subscription.next(2.0)
        assert message is not None
        seen.append(message)
        if isinstance(message, Event) and message.type == "executing" and message.terminal:
            return seen


async def test_two_prompts_share_one_socket_and_get_only_their_own(fake, events):
    with events.subscribe("p1") as one, events.subscribe("p2") as two:
        assert await events.ready(2.0)
        await post(events, "p1")
        await post(events, "p2")
        for prompt_id, subscription in (("p1", one), ("p2", two)):
            seen = await until_terminal(subscription)
            assert {message.data["prompt_id"] for message in seen} == {prompt_id}
            assert seen[0].type == "execution_start"
    assert fake.socket_count == 1


async def test_who_was_seen_to_end_is_a_witness_as_long_as_the_connection_lasts(fake, events):
    with events.subscribe("p1") as one:
        assert await events.ready(2.0)
        assert events.witness == ""
        await post(events, "p1")
        await until_terminal(one)
        assert events.witness == "p1"
        assert "p1" in fake.history
        await fake.cut_sockets()
        await eventually(lambda: events.epoch == 2 and events.connected)
        assert events.witness == ""


async def test_previews_come_with_their_type(fake, events):
    with events.subscribe("p1") as subscription:
        assert await events.ready(2.0)
        await fake.send_preview("me", "p1", b"picture")
        assert await subscription.next(2.0) == Preview(b"picture", "image/png")


def test_binary_frames_of_both_kinds_and_broken_ones():
    assert parse_binary(struct.pack(">II", 1, 1) + b"x") == (Preview(b"x", "image/jpeg"), None)
    assert parse_binary(struct.pack(">II", 1, 2) + b"x") == (Preview(b"x", "image/png"), None)
    assert parse_binary(b"\0\0") is None
    assert parse_binary(struct.pack(">II", 3, 1) + b"text") is None
    assert parse_binary(struct.pack(">II", 4, 999) + b"short") is None
    assert parse_binary(struct.pack(">II", 4, 2) + b"{]" + b"x") is None


async def test_a_cut_socket_is_connected_again(fake, events):
    with events.subscribe("p1") as subscription:
        assert await events.ready(2.0)
        await fake.cut_sockets()
        await eventually(lambda: events.epoch == 2)
        await post(events, "p1")
        await until_terminal(subscription)


async def test_an_orphaned_socket_is_noticed_by_its_silence(fake, events):
    with events.subscribe("p1"), events.subscribe("p2") as second:
        assert await events.ready(2.0)
        await asyncio.sleep(0.05)  # the first status must not count as an answer to the post
        fake.orphan_sockets()
        await post(events, "p1")
        await eventually(lambda: events.epoch == 2)
        await eventually(lambda: "me" in fake.sockets)
        await post(events, "p2")
        await until_terminal(second)


async def test_a_socket_that_speaks_is_left_alone(fake, events):
    with events.subscribe("p1") as subscription:
        assert await events.ready(2.0)
        await post(events, "p1")
        await until_terminal(subscription)
        await asyncio.sleep(0.4)
    assert events.epoch == 1


async def test_a_refused_socket_backs_off_and_is_not_ready(fake, events):
    fake.faults.refuse_sockets = True
    with events.subscribe("p1"):
        assert not await events.ready(0.3)
        attempts = sum(path == "/ws" for _, path, _ in fake.requests)
        assert 2 <= attempts <= 6
        fake.faults.refuse_sockets = False
        assert await events.ready(3.0)


async def test_a_slow_reader_loses_the_oldest_not_the_newest(events):
    with events.subscribe("p1") as subscription:
        for number in range(1000):
            subscription.put(Event("progress", {"value": number}))
        subscription.put(Event("executing", {"node": None}))
        messages = [await subscription.next(0.1) for _ in range(256)]
    assert isinstance(messages[-1], Event)
    assert messages[-1].terminal
