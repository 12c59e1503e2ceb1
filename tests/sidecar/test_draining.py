"""Told to stop: no new work, answers under way get their time, the rest waits for the next one."""

from __future__ import annotations

import asyncio
import signal
import sys

import aiohttp
import pytest
from aiohttp import FormData

from sidecar.app import create_app
from sidecar.settings import Settings
from tests.service import picture_form, refusal
from tests.waiting import eventually, found


async def started(fake, folder, **more):
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in more.items()]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sidecar", "--port", "0", "--data-dir", str(folder)),
        *("--comfyui-url", fake.url, *flags),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    return process, line.split()[3]


async def ask(session, url, png, **headers):
    async with session.post(f"{url}/api/upload", data=picture_form(png)) as response:
        address = (await response.json())["imageUrl"]
    form = FormData({"imageUrl": address, "text": "pan left"}, default_to_multipart=True)
    async with session.post(f"{url}/api/generate", data=form, headers=headers) as response:
        return response.status, await response.json()


async def test_an_answer_under_way_is_finished(fake, tmp_path, png):
    fake.hold.clear()
    process, url = await started(fake, tmp_path)
    async with aiohttp.ClientSession() as session:
        asked = asyncio.create_task(ask(session, url, png))
        await eventually(lambda: fake.running, 20)
        process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.5)
        async with aiohttp.ClientSession() as other:
            with pytest.raises(aiohttp.ClientError):
                await other.get(f"{url}/api/health")
        assert not asked.done()
        fake.hold.set()
        status, body = await asked
        assert status == 200, body
    _, err = await asyncio.wait_for(process.communicate(), 10)
    assert (process.returncode, "Traceback" in err.decode()) == (0, False)


async def test_after_the_grace_time_the_rest_waits_for_the_next_start(fake, tmp_path, png):
    fake.hold.clear()
    process, url = await started(fake, tmp_path, shutdown_seconds=0.5)
    async with aiohttp.ClientSession() as session:
        asked = asyncio.create_task(ask(session, url, png))
        await eventually(lambda: fake.running, 20)
        _, queued = await ask(session, url, png, Prefer="respond-async")
        process.send_signal(signal.SIGTERM)
        status, body = await asked
        assert (status, body["code"]) == (503, "shutting_down")
    await asyncio.wait_for(process.communicate(), 10)
    assert fake.interrupts == []
    fake.hold.set()
    process, url = await started(fake, tmp_path)
    async with aiohttp.ClientSession() as session:

        async def done():
            async with session.get(f"{url}/api/jobs") as response:
                jobs = (await response.json())["jobs"]
            return [job["id"] for job in jobs if job["status"] == "succeeded"]

        ids = await found(lambda: _two(done))
        assert queued["id"] in ids
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    assert len(fake.posts) == 2


async def _two(done):
    ids = await done()
    return ids if len(ids) == 2 else None


async def test_uploads_under_way_are_bounded(aiohttp_client, tmp_path, png):
    settings = Settings(data_dir=tmp_path, local_comfyui_url="", max_uploads=1)
    client = await aiohttp_client(create_app(settings))
    go_on = asyncio.Event()
    boundary = "b"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'

    async def slowly():
        yield head.encode() + png[:10]
        await go_on.wait()
        yield png[10:] + f"\r\n--{boundary}--\r\n".encode()

    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    first = asyncio.create_task(client.post("/api/upload", data=slowly(), headers=kind))
    await asyncio.sleep(0.2)
    response = await client.post("/api/upload", data=picture_form(png))
    assert response.headers["Retry-After"] == "2"
    assert (await refusal(response, 429))["code"] == "too_many_uploads"
    told = await refusal(await client.get("/api/ready"), 503)
    assert (told["code"], told["details"]) == ("too_many_uploads", "1 of 1 are.")
    go_on.set()
    assert (await first).status == 200
    assert (await client.get("/api/ready")).status == 200
    assert (await client.post("/api/upload", data=picture_form(png))).status == 200
