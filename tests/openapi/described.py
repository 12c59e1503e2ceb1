"""What the document says of an answer, and whether an answer is what it says."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

_URI = "urn:document"
METHODS = ("get", "head", "post", "put", "patch", "delete", "options")


def validator(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    """Return what checks against a schema of the document."""
    registry: Registry = Registry().with_resource(_URI, Resource(document, DRAFT202012))
    return Draft202012Validator(_absolute(schema), registry=registry)


def operations(document: dict[str, Any]):
    """Give (method, path, operation) of all."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def find(document: dict[str, Any], method: str, path: str) -> tuple[str, dict[str, Any]]:
    """Return the operation that answers a request."""
    matching = [
        (template, item[method.lower()])
        for template, item in document["paths"].items()
        if method.lower() in item and re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)
    ]
    assert matching, f"{method} {path} is not in the document"
    return min(matching, key=lambda found: found[0].count("{"))


def check(document: dict[str, Any], operation: dict, status: int, kind: str, body: Any) -> None:
    """Hold an answer against the document. `body`: its JSON, or None."""
    answers = operation["responses"]
    assert str(status) in answers, f"{operation['operationId']} may not answer {status}: {body}"
    content = answers[str(status)].get("content", {})
    if not content:
        return
    known = [media for pattern, media in content.items() if fnmatch.fnmatch(kind, pattern)]
    assert known, f"{operation['operationId']} may not answer {status} as {kind}"
    if body is not None and "schema" in known[0]:
        validator(document, known[0]["schema"]).validate(body)


@dataclass
class Checked:
    """A client whose every answer must be in the document; `codes` are the errors it was given."""

    client: Any
    document: dict[str, Any]
    codes: set[str] = field(default_factory=set)

    async def ask(self, method: str, url: str, *, expect: int | None = None, **more) -> Any:
        """Send, check, and return the body: JSON, else text."""
        path = url.partition("?")[0]
        _, operation = find(self.document, method, path)
        async with self.client.request(method, url, **more) as response:
            is_json = response.content_type == "application/json" and method != "HEAD"
            body = await (response.json() if is_json else response.read())
        check(
            self.document,
            operation,
            response.status,
            response.content_type,
            body if is_json else None,
        )
        if is_json and response.status >= 400:
            self.codes.add(body["code"])
        assert expect is None or response.status == expect, body
        return body


def _absolute(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _URI + part if name == "$ref" and part.startswith("#") else _absolute(part)
            for name, part in value.items()
        }
    return [_absolute(part) for part in value] if isinstance(value, list) else value
