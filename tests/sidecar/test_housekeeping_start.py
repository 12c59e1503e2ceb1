"""The first house-keeping after a start knows where pictures lie, and does not wait long."""

from __future__ import annotations

import asyncio
import os
import time

from sidecar.app import create_app
from sidecar.pool.pool import Watch
from sidecar.settings import Settings
from tests.fake_comfy import FakeComfy
from tests.service import picture_form
from tests.waiting import eventually


async def test_old_pictures_leave_comfyuis_folder_at_once_after_a_start(
    aiohttp_client, tmp_path, png
):
    folder = tmp_path / "input"
    placed = folder / "promptreel"
    await asyncio.to_thread(placed.mkdir, parents=True)
    async with FakeComfy() as fake:
        fake.input_dir = folder
        settings = Settings(
            data_dir=tmp_path / "data", comfyui_url=fake.url, comfyui_input_dir=str(folder)
        )
        client = await aiohttp_client(create_app(settings))
        response = await client.post("/api/upload", data=picture_form(png))
        name = (await response.json())["imageUrl"].rpartition("/")[2]
        await client.close()

        def put_old_ones():
            then = time.time() - 3600
            for where in (placed / name, placed / "theirs.png"):
                where.write_bytes(png)
                os.utime(where, (then, then))

        await asyncio.to_thread(put_old_ones)
        client = await aiohttp_client(create_app(settings))
        await eventually(lambda: not (placed / name).exists(), 10)
        assert (placed / "theirs.png").exists()


async def test_a_server_that_never_answers_delays_nothing(aiohttp_client, tmp_path, png):
    """It was looked at: that is enough."""
    settings = Settings(data_dir=tmp_path / "data", comfyui_url="http://127.0.0.1:9")
    app = create_app(settings, Watch(look_s=0.05, away_look_s=0.05))
    client = await aiohttp_client(app)
    then = time.time() - 86400
    left = settings.data_dir / "media" / f"{'0' * 32}-1-video.mp4"  # made for a job that is gone

    def put():
        left.write_bytes(b"x")
        os.utime(left, (then, then))

    await asyncio.to_thread(put)
    await client.close()
    await aiohttp_client(create_app(settings, Watch(look_s=0.05, away_look_s=0.05)))
    await eventually(lambda: not left.exists(), 10)
