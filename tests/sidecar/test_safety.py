"""Who may ask what: host names, origins, the API key, and the answers to what is not there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sidecar.app import create_app
from tests.service import picture_form, refusal


@pytest.fixture
def serving(aiohttp_client, settings):
    """Return a function that serves with other settings."""

    async def start(**changes):
        return await aiohttp_client(create_app(replace(settings, **changes)))

    return start


async def asked(client, path="/api/health", **headers):
    return await client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8190", "127.0.0.1:1", "[::1]:8190", "192.168.7.7", "LOCALHOST"]
)
async def test_a_host_that_nobody_can_redirect_is_fine(client, host):
    assert (await asked(client, Host=host)).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io:8190", "[", "a b", "x@y"]
)
async def test_a_strange_host_is_refused(client, host):
    assert (await refusal(await asked(client, Host=host), 403))["code"] == "host_not_allowed"


@pytest.mark.parametrize(
    "host", ["x@127.0.0.1", "127.0.0.1/x", "127.0.0.1?x", "127.0.0.1#x", "127.0.0.1:x", "[::1"]
)
@pytest.mark.parametrize("changes", [{}, {"host": "0.0.0.0", "api_key": "k"}])
async def test_a_host_that_is_more_than_a_name_and_a_port_is_refused(serving, host, changes):
    """Links in answers begin with it."""
    client = await serving(**changes)
    assert (await refusal(await asked(client, Host=host), 403))["code"] == "host_not_allowed"


async def test_hosts_that_the_operator_named_belong(serving):
    client = await serving(allowed_hosts=("Box.local",), public_url="https://studio.example/reel")
    for host in ("box.local:8190", "studio.example"):
        assert (await asked(client, Host=host)).status == 200


async def test_beyond_loopback_the_key_does_the_work_of_the_host_check(serving):
    client = await serving(host="0.0.0.0", api_key="k")
    assert (await asked(client, Host="any.example")).status == 200
    client = await serving(host="0.0.0.0", insecure=True)
    await refusal(await asked(client, Host="any.example"), 403)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:1", "http://[", ""]
)
async def test_a_strange_origin_is_refused_and_may_not_read_the_answer(client, png, origin):
    for response in (
        await asked(client, Origin=origin),
        await client.post("/api/upload", data=picture_form(png), headers={"Origin": origin}),
        await client.options("/api/upload", headers={"Origin": origin}),
    ):
        assert (await refusal(response, 403))["code"] == "origin_not_allowed"
        assert "Access-Control-Allow-Origin" not in response.headers


async def test_a_page_of_our_own_may_ask(client, serving):
    own = str(client.make_url("/").origin())
    assert (await asked(client, Origin=own)).status == 200
    client = await serving(public_url="https://studio.example")
    assert (await asked(client, Origin="https://studio.example")).status == 200


async def test_listed_origins_may_ask_and_read_errors_too(serving):
    client = await serving(cors_origins=("https://studio.example",))
    origin = {"Origin": "https://studio.example"}
    preflight = await client.options("/api/generate", headers=origin)
    assert preflight.status == 204
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    good, bad = await asked(client, **origin), await client.post("/api/generate", headers=origin)
    await refusal(bad)
    for response in (preflight, good, bad):
        assert response.headers["Access-Control-Allow-Origin"] == origin["Origin"]
        assert response.headers["Vary"] == "Origin"
    await refusal(await asked(client, Origin="https://other.example"), 403)


async def test_without_the_key_only_health_and_files_answer(serving, png):
    client = await serving(api_key="s3cret")
    key = {"Authorization": "Bearer s3cret"}
    response = await client.post("/api/upload", data=picture_form(png), headers=key)
    path = (await response.json())["imageUrl"].partition("/api/")[2]
    for open_path in ("/", "/api/health", "/api/ready", f"/api/{path}"):
        assert (await client.get(open_path)).status == 200
    for response in (
        await client.post("/api/upload", data=picture_form(png)),
        await client.post("/api/generate", data={"text": "x"}),
        await client.get("/api/pipelines"),
        await client.get("/api/jobs/x"),
        await client.get("/nowhere"),
    ):
        assert (await refusal(response, 401))["code"] == "unauthorized"
        assert response.headers["WWW-Authenticate"] == "Bearer"
    assert (await client.get("/api/jobs/x", headers=key)).status == 404


@pytest.mark.parametrize(
    "given", ["Bearer wrong", "Bearer", "Basic s3cret", "s3cret", "Bearer s3cre", "Bearer s3crett"]
)
async def test_a_wrong_key_is_no_key(serving, given):
    client = await serving(api_key="s3cret")
    await refusal(await asked(client, "/api/jobs/x", Authorization=given), 401)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/api/", 404, "not_found"),
        ("POST", "/api/health", 405, "method_not_allowed"),
        ("GET", "/api/generate", 405, "method_not_allowed"),
        ("DELETE", "/api/files/x.png", 405, "method_not_allowed"),
        ("GET", "/api/jobs/x", 404, "unknown_job"),
        ("POST", "/api/jobs/x/cancel", 404, "unknown_job"),
    ],
)
async def test_what_is_not_there_is_said_in_json(client, method, path, status, code):
    response = await client.request(method, path)
    assert (await refusal(response, status))["code"] == code
    assert ("Allow" in response.headers) == (status == 405)


async def test_urls_begin_with_the_public_address(serving, png):
    client = await serving(public_url="https://studio.example/reel")
    response = await client.post("/api/upload", data=picture_form(png))
    assert (await response.json())["imageUrl"].startswith("https://studio.example/reel/api/files/")


async def test_health_ready_and_the_root_say_what_this_is(client):
    health = await (await client.get("/api/health")).json()
    assert health["status"] == "ok"
    ready = await (await client.get("/api/ready")).json()
    assert ready["isDemo"] is True
    root = await (await client.get("/")).json()
    assert root["generate"] == str(client.make_url("/api/generate"))


async def test_ready_says_why_not(serving, unused_tcp_port):
    client = await serving(mode="comfyui")
    body = await refusal(await client.get("/api/ready"), 503)
    assert body["code"] == "comfyui_unreachable"
    client = await serving(comfyui_url=f"http://127.0.0.1:{unused_tcp_port}")
    assert (await refusal(await client.get("/api/ready"), 503))["code"] == "comfyui_unreachable"


@pytest.mark.parametrize("path", ["/api/health", "/api/upload"])
async def test_an_expectation_that_nobody_has_is_refused_like_all_else(client, path):
    method = client.get if path == "/api/health" else client.post
    body = await refusal(await method(path, headers={"Expect": "the-unexpected"}), 417)
    assert body["code"] == "invalid_request"


async def test_a_body_that_is_not_what_its_encoding_says(client, caplog):
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    response = await client.post("/api/generate", data=b"\x00not gzip", headers=headers)
    assert (await refusal(response))["code"] == "malformed_body"
    assert (await client.get("/api/health")).status == 200
    assert not caplog.records


@pytest.mark.parametrize("query", ["serverURL=x", "serverUrl=&serverUrl=", "x"])
async def test_a_query_that_nobody_reads_is_refused(client, query):
    assert (await refusal(await client.get(f"/api/pipelines?{query}")))["fields"]
    assert (await client.get("/api/pipelines?serverUrl=")).status == 200
