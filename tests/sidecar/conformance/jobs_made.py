"""Short ways to make and take jobs in these tests."""

from __future__ import annotations

from sidecar.jobs import JobSpec
from sidecar.values import JobError, Progress, Webhook

OOPS = JobError("oops", "It broke.")
HOOK = Webhook("https://hooks.example/x", "hooks.example", "http://reel.example")


def spec(name, **more):
    return JobSpec(id=name, payload={"text": "hi \u044f", "image": f"{name}.png"}, **more)


def take(store, worker="w", lane="demo", lease_s=30.0, wait_s=0.0, **more):
    return store.lease(worker, lane, lease_s=lease_s, wait_s=wait_s, **more)


async def run(store, name, result=None, **more):
    """Submit a job and complete it."""
    await store.submit(spec(name, **more))
    lease = await take(store)
    while lease.job.id != name:
        lease = await take(store)
    return await store.complete(lease, result or {"image": f"{name}-i.png", "video": f"{name}.mp4"})


async def taken_order(store, count, **more):
    leases = [await take(store, **more) for _ in range(count)]
    return [lease.job.id for lease in leases if lease]


def half(value=0.5, **more):
    return Progress(value, "half", **more)
