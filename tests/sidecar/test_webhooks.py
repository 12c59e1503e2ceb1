"""Webhooks told: signed, again and again until they arrive, and never in a job's way."""

from __future__ import annotations

import asyncio
import base64
import socket
from datetime import datetime, timezone

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from standardwebhooks import Webhook as Verifier

from sidecar.bus import LocalBus
from sidecar.store import open_store
from sidecar.values import JobState, Webhook
from sidecar.webhooks.post import NotPosted, Poster
from sidecar.webhooks.secret import is_secret
from sidecar.webhooks.sender import Pace, Sender
from sidecar.webhooks.sign import Signer
from tests.sidecar.conformance.implementations import Clock
from tests.sidecar.conformance.jobs_made import run, spec
from tests.sidecar.hook_server import SECRET, receiving
from tests.waiting import eventually, found

FAST = Pace(tick_s=0.01)
LOCAL = ("127.0.0.1",)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def store(tmp_path, clock):
    async with open_store(tmp_path / "jobs.db", LocalBus(), clock) as opened:
        yield opened


def sender(store, pace=FAST, post=None):
    post = post or Poster(seconds=5, allowed=LOCAL)
    return Sender(store.outbox, store, Signer([SECRET]), post, pace).serving()


def hook(receiver, host="127.0.0.1"):
    return Webhook(receiver.url, host, "http://reel.example")


async def fates(store):
    return [row[0] for row in await store._all("select state from webhooks order by rowid")]


async def settled(store, *wanted):
    async def look():
        return await fates(store) == list(wanted)

    await found(look)


async def waits(store, clock):
    """Return how long the one webhook waits for its next attempt, once that is settled."""

    async def look():
        rows = await store._all("select next_at - :now as s from webhooks", now=clock.now)
        held = not rows or rows[0]["s"] <= 0 or abs(rows[0]["s"] - FAST.hold_s) < 0.001
        return 0 if held else rows[0]["s"]

    return await found(look)


async def test_the_end_of_a_job_is_told_signed(store):
    async with receiving() as receiver, sender(store):
        await run(store, "a", webhook=hook(receiver))
        await settled(store, "delivered")
    (message,) = receiver.got
    assert message["type"] == "job.succeeded"
    assert message["data"]["id"] == "a"
    assert message["data"]["status"] == "succeeded"
    assert message["data"]["result"]["video"] == "http://reel.example/api/files/a.mp4"
    assert message["timestamp"] == message["data"]["finishedAt"]
    assert receiver.ids[0].startswith("msg_")


async def test_it_is_told_again_until_it_arrives_with_the_same_id_and_body(store, clock):
    async with receiving(500, 404, 301) as receiver, sender(store):
        await run(store, "a", webhook=hook(receiver))
        for count in (1, 2, 3):
            await eventually(lambda count=count: len(receiver.got) == count)
            await waits(store, clock)
            clock.now += 24 * 3600
        await settled(store, "delivered")
    assert len(receiver.got) == 4
    assert len(set(receiver.ids)) == len(set(receiver.bodies)) == 1


async def test_the_waits_grow_to_hours_and_end_after_days(store, clock):
    async with receiving(*[500] * 20) as receiver, sender(store):
        await run(store, "a", webhook=hook(receiver))
        began = clock.now
        found = []
        for count in range(1, len(FAST.waits) + 1):
            await eventually(lambda count=count: len(receiver.got) == count)
            found.append(await waits(store, clock))
            clock.now += found[-1] + 1
        await settled(store, "exhausted")
    for real, usual in zip(found, FAST.waits, strict=True):
        assert 0.89 * usual < real < 1.11 * usual
    assert 2 * 86400 < clock.now - began < 5 * 86400


async def test_an_address_that_is_gone_is_left_alone(store, clock):
    async with receiving(410) as receiver, sender(store):
        await run(store, "a", webhook=hook(receiver))
        await settled(store, "gone")
        clock.now += 1e6
        await asyncio.sleep(0.1)
    assert len(receiver.got) == 1


async def test_a_redirect_is_not_followed(store):
    async with receiving() as other:
        headers = {"Location": other.url}
        async with receiving(307, headers=headers) as receiver, sender(store):
            await run(store, "a", webhook=hook(receiver))
            await eventually(lambda: receiver.got)
            await asyncio.sleep(0.1)
        assert other.got == []
        assert await fates(store) == ["pending"]


async def test_an_address_may_ask_for_time(store, clock):
    async with receiving(429, headers={"Retry-After": "7200"}) as receiver, sender(store):
        await run(store, "a", webhook=hook(receiver))
        assert await waits(store, clock) == pytest.approx(7200)


async def test_nobody_there_is_tried_again(store, clock, unused_tcp_port):
    async with sender(store):
        url = f"http://127.0.0.1:{unused_tcp_port}/"
        await run(store, "a", webhook=Webhook(url, "127.0.0.1", ""))
        assert 4 < await waits(store, clock) < 6


async def test_a_silent_address_is_given_up_after_a_while(store):
    async with receiving(hold=asyncio.Event()) as receiver:
        headers = Signer([SECRET]).headers("m", datetime.now(timezone.utc), "{}")
        with pytest.raises(NotPosted, match="no answer"):
            await Poster(seconds=0.2, allowed=LOCAL).post(receiver.url, "{}", headers)


async def test_few_calls_at_once_and_a_slow_host_does_not_hold_up_another(store):
    pace = Pace(tick_s=0.01, most=3, most_per_host=2)
    async with (
        receiving(hold=asyncio.Event()) as slow,
        receiving() as quick,
        sender(store, pace),
    ):
        for number in range(6):
            await run(store, f"slow{number}", webhook=hook(slow, "slow"))
        for number in range(4):
            await run(store, f"quick{number}", webhook=hook(quick, "quick"))
        await eventually(lambda: len(quick.got) == 4)
        assert (len(slow.got), slow.most_at_once) == (2, 2)


async def test_a_kill_in_the_middle_loses_nothing(tmp_path, clock):
    path = tmp_path / "jobs.db"
    async with (
        receiving(hold=asyncio.Event()) as slow,
        open_store(path, LocalBus(), clock) as store,
        sender(store),
    ):
        await run(store, "a", webhook=hook(slow))
        await eventually(lambda: slow.got)
    async with open_store(path, LocalBus(), clock) as store:
        assert await fates(store) == ["pending"]
        async with receiving() as receiver:
            await store._all(f"update webhooks set url = '{receiver.url}'")
            clock.now += FAST.hold_s + 1
            async with sender(store):
                await settled(store, "delivered")
    assert receiver.ids == slow.ids


async def test_a_store_that_fails_for_a_while_ends_nothing(store, monkeypatch, caplog):
    claim = store.outbox.claim
    failures = [OSError("disk full"), OSError("disk full")]

    async def failing(**more):
        if failures:
            raise failures.pop()
        return await claim(**more)

    monkeypatch.setattr(store.outbox, "claim", failing)
    async with receiving() as receiver, sender(store):
        job = await run(store, "a", webhook=hook(receiver))
        await settled(store, "delivered")
    assert job.state is JobState.SUCCEEDED
    assert "disk full" in caplog.text


async def test_a_job_without_webhook_stays_silent(store):
    async with receiving() as receiver, sender(store):
        await store.submit(spec("a"))
        await store.cancel("a")
        await asyncio.sleep(0.1)
    assert receiver.got == []


class Rebound(AbstractResolver):
    """A name that was public when it was checked, and is not when it is called."""

    async def resolve(self, host, port=0, family=socket.AF_INET):
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self):
        pass


@pytest.mark.parametrize("allowed", [(), ("hooks.example",)])
async def test_the_address_is_checked_again_at_each_call(allowed):
    async with receiving() as receiver:
        port = receiver.url.rsplit(":", 1)[1]
        poster = Poster(seconds=5, allowed=allowed, resolver=Rebound())
        headers = Signer([SECRET]).headers("m", datetime.now(timezone.utc), "{}")
        url = f"http://hooks.example:{port}"
        if allowed:
            assert (await poster.post(url, "{}", headers)).status == 200
            return
        with pytest.raises(NotPosted):
            await poster.post(url, "{}", headers)
        for literal in (receiver.url, receiver.url.replace("127.0.0.1", "[::ffff:127.0.0.1]")):
            with pytest.raises(NotPosted, match="not public"):
                await poster.post(literal, "{}", headers)
    assert receiver.got == []


def test_with_two_secrets_either_proves_the_sender():
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    moment = datetime.now(timezone.utc)
    headers = Signer([SECRET, other]).headers("m", moment, '{"a": 1}')
    for secret in (SECRET, other):
        assert Verifier(secret).verify('{"a": 1}', headers) == {"a": 1}


@pytest.mark.parametrize("size", [24, 25, 32, 64])
def test_secrets(size):
    text = "whsec_" + base64.b64encode(bytes(size)).decode()
    assert is_secret(text)
    assert is_secret(text.rstrip("="))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        "secret",
        "whsec_" + "A" * 31,
        "whsec_" + "A" * 90,
        "whsec_" + "!" * 32,
        "whsec_" + "A" * 33,
        base64.b64encode(bytes(32)).decode(),
    ],
)
def test_what_is_no_secret(text):
    assert not is_secret(text)
