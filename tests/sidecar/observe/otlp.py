"""A collector of traces on port 0: OTLP over HTTP as the specification says, spans kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Seen:
    """A span as it arrived."""

    name: str
    trace: str
    span: str
    parent: str
    attributes: dict[str, Any]
    failed: bool
    service: str
    begun: int
    ended: int


@dataclass
class Collector:
    spans: list[Seen] = field(default_factory=list)

    async def __aenter__(self) -> Collector:
        app = web.Application()
        app.add_routes([web.post("/v1/traces", self._take)])
        self.server = TestServer(app)
        await self.server.start_server()
        self.url = f"http://127.0.0.1:{self.server.port}"
        return self

    async def __aexit__(self, *_) -> None:
        await self.server.close()

    def named(self, name: str) -> list[Seen]:
        return [span for span in self.spans if span.name == name]

    async def _take(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/x-protobuf"
        message = ExportTraceServiceRequest.FromString(await request.read())
        for resource in message.resource_spans:
            service = _attributes(resource.resource)["service.name"]
            for scope in resource.scope_spans:
                self.spans += [_seen(span, service) for span in scope.spans]
        return web.Response(content_type="application/x-protobuf")


def _attributes(holder) -> dict[str, Any]:
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value")) for each in holder.attributes
    }


def _seen(span, service: str) -> Seen:
    return Seen(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        _attributes(span),
        span.status.code == 2,
        service,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
    )
