"""The document: valid, complete, and made of what the service checks and answers with."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import pytest
from openapi_spec_validator import validate
from promptreel.publish.params import COMMON, Param

from sidecar.api import ROUTES
from sidecar.app import create_app
from sidecar.error_codes import CODES
from sidecar.openapi import fields
from sidecar.openapi.operations import OPERATIONS
from sidecar.orders import FIELDS
from sidecar.pipelines import Pipeline
from tests.openapi.described import operations, validator


async def test_it_is_valid(document):
    validate(document)
    assert document["openapi"] == "3.1.0"


async def test_every_route_is_in_it_and_nothing_else(document):
    routes = {(route.method.lower(), route.path) for route in ROUTES}
    described = {(method, path) for method, path, _ in operations(document)}
    assert described - {("head", "/api/files/{name}")} == routes


async def test_every_operation_says_what_it_is(document):
    found = [operation for _, _, operation in operations(document)]
    assert len({operation["operationId"] for operation in found}) == len(found)
    for operation in found:
        assert operation["summary"]
        assert operation["description"].endswith(".")


async def test_examples_of_answers_are_what_they_stand_for(document):
    seen = 0
    for _, _, operation in operations(document):
        for answer in operation["responses"].values():
            for media in answer.get("content", {}).values():
                examples = [one["value"] for one in media.get("examples", {}).values()]
                examples += [media["example"]] if "example" in media else []
                for example in examples:
                    validator(document, media["schema"]).validate(example)
                    seen += 1
    assert seen > 100
    told = document["webhooks"]["jobEnded"]["post"]["requestBody"]["content"]["application/json"]
    validator(document, told["schema"]).validate(told["example"])


async def test_links_lead_to_operations_that_take_what_they_give(document):
    by_id = {operation["operationId"]: operation for _, _, operation in operations(document)}
    links = [
        link
        for operation in by_id.values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert len(links) >= 9
    for link in links:
        target = by_id[link["operationId"]]
        taken = {parameter["name"] for parameter in target["parameters"]}
        assert set(link.get("parameters", {})) <= taken


def test_codes_of_operations_are_rows_of_the_table():
    statuses = {row.code: row.statuses for row in CODES}
    named = set()
    for operation in OPERATIONS:
        for status, codes in operation.all_codes.items():
            assert all(status in statuses[code] for code in codes), (operation.id, status)
            named.update(codes)
    # Those two are of addresses and methods that are no operation.
    assert named | {"method_not_allowed"} == set(statuses)


async def test_every_field_and_parameter_is_in_the_body(document, client):
    schemas = document["components"]["schemas"]
    common = schemas["GenerateRequest"]["properties"]
    assert set(common) >= {*FIELDS, *(param.name for param in COMMON)}
    listing = await (await client.get("/api/pipelines")).json()
    names = [row["name"] for row in listing["pipelines"]]
    assert common["comfyPipeline"]["anyOf"][0]["enum"] == names
    for row in listing["pipelines"]:
        own = schemas[fields.pipeline_schema_name(row["name"])]["properties"]
        assert set(own) == {*FIELDS, *(parameter["name"] for parameter in row["parameters"])}
        for parameter in row["parameters"]:
            shown = own[parameter["name"]]
            limits = [shown.get(name) for name in ("minimum", "maximum", "maxLength")]
            assert parameter["maximum"] in limits
            assert shown.get("default") == parameter["default"]
            assert shown.get("anyOf", [{}])[0].get("enum", []) == parameter["choices"]


def patterns(part: dict | list):
    """Give every pattern in the document."""
    for name, value in part.items() if isinstance(part, dict) else enumerate(part):
        if name == "pattern" and isinstance(value, str):
            yield value
        elif isinstance(value, (dict, list)):
            yield from patterns(value)


async def test_every_pattern_is_read_by_other_languages_too(document):
    """Rust's, which knows no surrogates, stands for them: Schemathesis would leave it out."""
    rust = pytest.importorskip("jsonschema_rs", reason="Schemathesis needs Python 3.11")
    found = set(patterns(document))
    assert len(found) > 5
    for pattern in found:
        rust.Draft202012Validator({"pattern": pattern})


def pipeline(name: str, *params: Param) -> Pipeline:
    return Pipeline(name, name, "", {}, params, {}, "1", ())


def test_what_is_common_is_as_wide_as_the_widest_pipeline(document_of):
    narrow = Param("seconds", "number", minimum=1, maximum=5)
    wide = Param("seconds", "number", minimum=2, maximum=90)
    kind = Param("kind", "enum", choices=("a", "b"))
    schemas = document_of(
        pipeline("one", narrow, kind),
        pipeline("\u0442\u0440\u0438", wide, Param("kind", "integer")),
    )
    schema = {"$ref": "#/components/schemas/GenerateRequest"}
    accepts = validator({"components": {"schemas": schemas}}, schema).is_valid
    ask = {"imageUrl": "x", "text": "y"}
    assert accepts({**ask, "seconds": 90, "kind": "b"})
    assert not accepts({**ask, "seconds": 91})
    assert accepts({**ask, "seconds": None, "webhookUrl": None, "comfyPipeline": None})
    assert accepts({**ask, "seconds": None, "comfyPipeline": "one"})
    assert accepts({**ask, "seconds": "", "aspect": " \u0093", "comfyPipeline": "", "seed": " "})
    assert not accepts({**ask, "seconds": "5"})
    assert not accepts({**ask, "aspect": "2:1"})
    assert not accepts({**ask, "text": None})
    assert accepts({**ask, "seconds": 5, "comfyPipeline": "one"})
    assert not accepts({**ask, "seconds": 6, "comfyPipeline": "one"})
    assert accepts({**ask, "seconds": 6, "comfyPipeline": "\u0442\u0440\u0438"})
    assert not accepts({**ask, "aspect": "1:1", "comfyPipeline": "one"})
    assert not accepts({**ask, "sedonds": 5})
    assert not accepts({"imageUrl": "x", "text": "  "})


@pytest.fixture
def document_of():
    return lambda *pipelines: fields.request_schemas({one.name: one for one in pipelines})


async def test_limits_and_addresses_are_the_services_own(aiohttp_client, settings):
    changed = dataclasses.replace(
        settings, max_upload_mb=0.5, public_url="https://v.example/x", api_key="k" * 20
    )
    client = await aiohttp_client(create_app(changed))
    document = await (await client.get("/api/openapi.json")).json()
    assert document["servers"] == [{"url": "https://v.example/x"}]
    assert document["security"] == [{"key": []}]
    image = document["components"]["schemas"]["Upload"]["properties"]["image"]
    assert "0.5 MB" in image["description"]


def test_nothing_of_it_is_loaded_before_it_is_asked_for():
    code = (
        "import sys; from sidecar.app import create_app;"
        "print([name for name in ('pydantic', 'swagger_ui_bundle', 'sidecar.openapi.document') "
        "if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == []
