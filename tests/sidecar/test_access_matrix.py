"""Each route of the application x who asks. A new route without a row here fails."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, replace

import pytest
from aiohttp.test_utils import TestClient

from sidecar.access.book import KeyBook
from sidecar.access.callers import Allowance
from sidecar.api import ROUTES
from sidecar.app import create_app
from tests.service import picture_form, refusal
from tests.sidecar.jobs_http import ASYNC, QUICK
from tests.waiting import found

OPEN, KEYED, OWN = "open", "keyed", "own"  # anybody; any key; the key that made the job alone
TABLE = {
    ("GET", "/"): OPEN,
    ("GET", "/studio/{asset}"): OPEN,
    ("GET", "/docs"): OPEN,
    ("GET", "/docs/{asset}"): OPEN,
    ("GET", "/metrics"): KEYED,
    ("GET", "/api/openapi.json"): OPEN,
    ("GET", "/api/health"): OPEN,
    ("GET", "/api/ready"): OPEN,
    ("GET", "/api/files/{name}"): OPEN,
    ("GET", "/api/pipelines"): KEYED,
    ("GET", "/api/servers"): KEYED,
    ("POST", "/api/upload"): KEYED,
    ("POST", "/api/generate"): KEYED,
    ("POST", "/api/scene"): KEYED,
    ("GET", "/api/jobs"): KEYED,
    ("GET", "/api/jobs/{id}"): OWN,
    ("GET", "/api/jobs/{id}/events"): OWN,
    ("POST", "/api/jobs/{id}/cancel"): OWN,
}
# What the one who may gets, where that is not 200.
ASSETS = {"/docs/{asset}": "page.js", "/studio/{asset}": "icon.svg"}
RIGHT = {("POST", "/api/generate"): 400, ("POST", "/api/scene"): 400}


@dataclass
class World:
    """A service with the keys ann, bob and gone (revoked); a job and a picture of ann's."""

    client: TestClient
    keys: dict[str, dict[str, str]]
    png: bytes
    job: str = ""
    file: str = ""

    async def ask(self, method: str, address: str, who: str):
        """Ask as one of those of `keys`; the path is that of ann's job or picture."""
        path = address.format(id=self.job, name=self.file, asset=ASSETS.get(address, ""))
        data = picture_form(self.png) if address == "/api/upload" else None
        headers = self.keys[who]
        return await self.client.request(method, path, data=data, headers=headers)

    async def make(self, who: str, **headers) -> dict:
        """Send a picture and have a video made of it; return the job when it is over."""
        mine = self.keys[who]
        sent = await self.client.post("/api/upload", data=picture_form(self.png), headers=mine)
        fields = {**QUICK, "imageUrl": (await sent.json())["imageUrl"]}
        asked = {**ASYNC, **mine, **headers}
        response = await self.client.post("/api/generate", data=fields, headers=asked)
        assert response.status == 202, await response.text()
        job = await response.json()

        async def over():
            shown = await self.client.get(f"/api/jobs/{job['id']}", headers=mine)
            return await shown.json() if (await shown.json())["status"] == "succeeded" else {}

        return {**await found(over), "imageUrl": fields["imageUrl"]}


def made_keys(folder) -> dict[str, dict[str, str]]:
    book = KeyBook(folder)
    keys = {name: book.add(name, Allowance()) for name in ("ann", "bob", "gone")}
    book.revoke("gone")
    named = {name: {"Authorization": f"Bearer {key}"} for name, key in keys.items()}
    return {**named, "nobody": {}, "wrong": {"Authorization": "Bearer pr_" + "x" * 43}}


@pytest.fixture
async def world(aiohttp_client, settings, png):
    keys = await asyncio.to_thread(made_keys, settings.data_dir)
    return World(await aiohttp_client(create_app(settings)), keys, png)


@pytest.fixture
async def told(world):
    """The world with a job of ann's that is over."""
    job = await world.make("ann")
    world.job, world.file = job["id"], job["imageUrl"].rpartition("/")[2]
    return world


def routes() -> list[tuple[str, str]]:
    return [(route.method, route.path) for route in ROUTES]


def test_each_route_has_a_row():
    assert set(routes()) <= set(TABLE)


def test_the_application_has_no_other_routes(settings):
    app = create_app(settings)
    served = {(r.method, r.resource.canonical) for r in app.router.routes() if r.resource}
    heads = {("HEAD", path) for method, path in routes() if method == "GET"}
    assert served <= {*routes(), *heads}


@pytest.mark.parametrize("who", ["nobody", "wrong", "gone"])
async def test_who_has_no_valid_key_gets_what_is_open_and_nothing_else(told, who):
    for method, path in routes():
        response = await told.ask(method, path, who)
        if TABLE[method, path] == OPEN:
            assert response.status == RIGHT.get((method, path), 200), path
        else:
            assert (await refusal(response, 401))["code"] == "unauthorized", path
            assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_the_right_key_may_and_another_ones_job_is_not_there(told):
    for method, path in routes():
        right, other = [await told.ask(method, path, who) for who in ("ann", "bob")]
        assert right.status == RIGHT.get((method, path), 200), path
        if TABLE[method, path] == OWN:
            body = await refusal(other, 404)
            unknown = await told.client.request(
                method, path.format(id="f" * 32), headers=told.keys["bob"]
            )
            assert body == await refusal(unknown, 404), "it looks as if it had never been"
        else:
            assert other.status == right.status, path
        right.close()


async def test_without_keys_everybody_may(aiohttp_client, settings, png):
    world = World(await aiohttp_client(create_app(settings)), {"": {}}, png)
    job = await world.make("")
    world.job, world.file = job["id"], job["imageUrl"].rpartition("/")[2]
    for method, path in routes():
        response = await world.ask(method, path, "")
        assert response.status == RIGHT.get((method, path), 200), path
        response.close()


@pytest.mark.parametrize(("who", "status"), [("nobody", 401), ("gone", 401), ("ann", 404)])
@pytest.mark.parametrize(
    "path", ["/nowhere", "/api", "/api/jobs/x/y", "/api/files/..%2fjobs", "/api/files/a/b"]
)
async def test_what_is_no_route_is_asked_for_a_key_first(told, path, who, status):
    response = await told.client.get(path, headers=told.keys[who])
    if path == "/api/files/..%2fjobs":  # a file's name, as strange as it is
        status = 404
    await refusal(response, status)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "POST"])
async def test_another_method_opens_nothing(told, method):
    for _, path in routes():
        if (method, path) in TABLE:
            continue
        response = await told.ask(method, path, "nobody")
        assert response.status == 401, path


async def test_lists_hold_ones_own_jobs_alone(told):
    theirs = await told.make("bob")
    for who, job in (("ann", told.job), ("bob", theirs["id"])):
        response = await told.client.get("/api/jobs", headers=told.keys[who])
        assert [one["id"] for one in (await response.json())["jobs"]] == [job]


async def test_an_idempotency_key_is_ones_own(world):
    first, second = [await world.make(who, **{"Idempotency-Key": "k"}) for who in ("ann", "bob")]
    again = await world.make("ann", **{"Idempotency-Key": "k"})
    assert first["id"] == again["id"] != second["id"]


async def test_nobody_can_tell_what_others_sent(told, png, files):
    """Neither by a name made of the picture's bytes, nor by the age of what one sends oneself."""
    digest = hashlib.sha256(png).hexdigest()
    for name in (f"{digest}.png", f"{told.file.partition('-')[0]}-{digest[:40]}.png"):
        assert (await told.client.get(f"/api/files/{name}")).status == 404
        fields = {**QUICK, "imageUrl": f"/api/files/{name}"}
        response = await told.client.post("/api/generate", data=fields, headers=told.keys["bob"])
        assert (await refusal(response))["code"] == "unknown_image"
    before = set(files())
    response = await told.client.post(
        "/api/upload", data=picture_form(png), headers=told.keys["bob"]
    )
    url = (await response.json())["imageUrl"]
    assert url.rpartition("/")[2] in set(files()) - before


async def test_the_first_key_still_shows_what_was_made_without_one(aiohttp_client, settings, png):
    world = World(await aiohttp_client(create_app(settings)), {"": {}}, png)
    job = await world.make("")
    app = create_app(replace(settings, api_key="s3cret"))
    keys = {"default": {"Authorization": "Bearer s3cret"}}
    locked = World(await aiohttp_client(app), keys, png, job["id"])
    assert (await locked.ask("GET", "/api/jobs/{id}", "default")).status == 200
