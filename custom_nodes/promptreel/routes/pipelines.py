"""/promptreel/pipelines: what an open workflow takes and makes, and the published ones.

    POST   .../read         {graph, mapping?, outputs?, models?}       what was found, what is asked
    POST   ...              {name, title?, description?, graph, mapping?, outputs?, replace?}
    GET    ...              all; GET .../{name} one, with its graph; DELETE .../{name}
    POST   .../{name}/bind  {values: {"text": "...", "image": "..."}}  the graph, ready to be queued

They lie in the user's own folder (`promptreel/pipelines`), where every service that uses this
ComfyUI looks. `graph` is in API format, as the editor's own conversion makes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from ..engine.errors import ParameterError
from ..publish.choices import read_choices
from ..publish.findings import Question
from ..publish.knowledge import load_knowledge
from ..publish.manifest_text import About
from ..publish.offer import Offer, offered, others, outputs
from ..publish.params import Param, expectation, is_value
from ..publish.pipelines import IMAGE, TEXT, Pipeline, bind, typed
from ..publish.shelf import LARGEST_GRAPH, Shelf, Stored, check_name
from ..publish.source import graph_of
from ..publish.tracing import Slots
from ..publish.values import Json
from ..publish.view import View
from ..publish.writing import proved
from .answers import Body, Route, read, rows_of, text_of
from .here import described, many_users, missing, user_folder
from .refusing import Refused, refusing

PATH = "/promptreel/pipelines"
SUBFOLDER = ("promptreel", "pipelines")
MOST_BODY = 2 * LARGEST_GRAPH
MOST_MODELS = 500
LONGEST = {"title": 200, "description": 4000}
SHOWN = 2000  # characters of a widget's value
OTHER_USERS = "ComfyUI runs with --multi-user: a service does not see what a user publishes here."


async def ask_read(request: web.Request) -> web.Response:
    """Return what was found in a graph."""
    body = await read(request, MOST_BODY)
    return web.json_response(await asyncio.to_thread(_read, body))


async def ask_store(request: web.Request) -> web.Response:
    """Store a pipeline."""
    body = await read(request, MOST_BODY)
    shelf = _shelf(request)
    return web.json_response(await asyncio.to_thread(_store, shelf, body), status=201)


async def ask_all(request: web.Request) -> web.Response:
    """List what is published."""
    shelf = _shelf(request)
    rows = await asyncio.to_thread(lambda: [_row(one) for one in shelf.all()])
    return web.json_response({"pipelines": rows, "note": OTHER_USERS if many_users() else ""})


async def ask_one(request: web.Request) -> web.Response:
    """Return one, with its graph."""
    shelf, name = _shelf(request), request.match_info["name"]
    return web.json_response(await asyncio.to_thread(lambda: _whole(shelf.get(name))))


async def ask_remove(request: web.Request) -> web.Response:
    """Remove one."""
    shelf, name = _shelf(request), request.match_info["name"]
    await asyncio.to_thread(shelf.remove, name)
    return web.json_response({"name": name, "removed": True})


async def ask_bind(request: web.Request) -> web.Response:
    """Return the graph of one with values in its widgets."""
    body = await read(request)
    shelf, name = _shelf(request), request.match_info["name"]
    return web.json_response(await asyncio.to_thread(_bound, shelf, name, body))


def _shelf(request: web.Request) -> Shelf:
    return Shelf(user_folder(request).joinpath(*SUBFOLDER))


def _offer(body: Body) -> Offer:
    graph = graph_of(_graph(body), "The workflow")
    kinds = {str(node["class_type"]) for node in graph.values()}
    view = View(graph, load_knowledge(described(kinds)))
    models = [row for row in rows_of(body, "models", MOST_MODELS) if _is_model(row)]
    choices = read_choices(view, body.get("mapping"), body.get("outputs"))
    return offered(view, choices, [dict(row) for row in models])


def _graph(body: Body) -> object:
    if not isinstance(body.get("graph"), dict):
        raise ParameterError("graph must be the workflow in API format.")
    return body["graph"]


def _is_model(row: Body) -> bool:
    return all(isinstance(row.get(key), str) for key in ("name", "url", "directory"))


def _read(body: Body) -> Json:
    offer = _offer(body)
    pipeline = _pipeline("pipeline", offer, About("pipeline"))[0] if not offer.questions else None
    return {
        "ok": pipeline is not None,
        "outputs": _outputs(offer, pipeline),
        "findings": [_finding(offer, name) for name in offer.names()],
        "questions": [_question(one) for one in offer.questions],
        "notes": list(offer.found.notes),
        "parameters": [_param(one) for one in pipeline.params] if pipeline else [],
        "models": list(offer.models),
        "missing": missing(pipeline) if pipeline else {"nodes": [], "models": []},
    }


def _pipeline(name: str, offer: Offer, about: About) -> tuple[Pipeline, Json]:
    manifest = offer.manifest(about)
    return proved(name, manifest, dict(offer.view.graph)), manifest


def _outputs(offer: Offer, pipeline: Pipeline | None) -> Json:
    found = offer.found
    video: Json = {
        "node": None if offer.output else found.video,
        "candidates": outputs(offer.view),
        "certain": offer.output is None,
        "question": offer.output.asked if offer.output else "",
    }
    still = pipeline.image_output if pipeline else found.still
    return {"video": video, "image": {"node": still}}


def _finding(offer: Offer, name: str) -> Json:
    slots = offer.found.mapping.get(name, ())
    question = next((one for one in offer.found.questions if one.name == name), None)
    value = offer.view.value(slots[0]) if slots else None
    return {
        "name": name,
        "slots": _slots(slots),
        "certain": question is None,
        "question": question.asked if question else "",
        "candidates": [_slots(one) for one in others(offer, name)],
        "value": value[:SHOWN] if isinstance(value, str) else value,
        "nodes": [_node(offer.view, node) for node in dict.fromkeys(s.node for s in slots)],
    }


def _node(view: View, node: str) -> Json:
    return {"id": node, "title": view.title(node), "type": view.kind(node)}


def _slots(slots: Slots) -> list[list[str]]:
    return [[slot.node, slot.input] for slot in slots]


def _question(question: Question) -> Json:
    choices = [_slots(slots) for slots in question.choices]
    return {"name": question.name, "asked": question.asked, "choices": choices}


def _store(shelf: Shelf, body: Body) -> Json:
    name = text_of(body, "name")
    check_name(name)
    offer = _offer(body)
    if offer.questions:
        asked = [_question(one) for one in offer.questions]
        raise Refused(offer.questions[0].asked, 422, questions=asked)
    about = About(_told(body, "title") or name, _told(body, "description"))
    _, manifest = _pipeline(name, offer, about)
    again = body.get("replace") is True
    return _row(shelf.put(name, manifest, offer.view.graph, again=again))


def _told(body: Body, key: str) -> str:
    text = text_of(body, key).strip()
    if len(text) > LONGEST[key] or not _is_unicode(text):
        raise ParameterError(f"{key} may have at most {LONGEST[key]} characters.")
    return text


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _row(stored: Stored) -> Json:
    pipeline = stored.pipeline
    return {
        "name": stored.name,
        "title": pipeline.title if pipeline else stored.name,
        "description": pipeline.description if pipeline else "",
        "parameters": [_param(one) for one in pipeline.params] if pipeline else [],
        "missing": missing(pipeline) if pipeline else {"nodes": [], "models": []},
        "usable": pipeline is not None,
        "error": stored.error,
        "modified": stored.modified,
        "note": OTHER_USERS if many_users() else "",
    }


def _whole(stored: Stored) -> Json:
    pipeline = stored.pipeline
    if pipeline is None:
        return {**_row(stored), "graph": None, "mapping": {}, "outputs": {}}
    mapping = {name: _slots(slots) for name, slots in pipeline.mapping.items()}
    made = {"video": pipeline.video_output, "image": pipeline.image_output}
    return {**_row(stored), "graph": pipeline.graph, "mapping": mapping, "outputs": made}


def _param(param: Param) -> Json:
    return {
        "name": param.name,
        "type": param.type,
        "default": param.default,
        "minimum": param.minimum,
        "maximum": param.maximum,
        "choices": list(param.choices),
        "help": param.help,
    }


def _bound(shelf: Shelf, name: str, body: Body) -> Json:
    stored = shelf.get(name)
    if stored.pipeline is None:
        raise Refused(f"The pipeline {name!r} can't be used: {stored.error}", 409)
    values = body.get("values")
    if not isinstance(values, dict):
        raise ParameterError("values must be an object.")
    return {"graph": bind(stored.pipeline, _values(stored.pipeline, values))}


def _values(pipeline: Pipeline, given: Mapping[str, Any]) -> dict[str, object]:
    """Return the values checked, texts among them read as a request's are, with the defaults."""
    image, text = given.get(IMAGE), given.get(TEXT, "")
    if not isinstance(image, str) or not image or not isinstance(text, str):
        raise ParameterError("values needs an image, the name of a file in ComfyUI's input folder.")
    rest = {name: value for name, value in given.items() if name not in (IMAGE, TEXT)}
    texts = {name: value for name, value in rest.items() if isinstance(value, str)}
    values, wrong = typed(pipeline, texts)
    params = {param.name: param for param in pipeline.params}
    for name, value in rest.items():
        param = params.get(name)
        if name in texts:
            continue
        if param is None or not is_value(param, value):
            wrong[name] = expectation(param) if param else "is unknown to this pipeline"
        values[name] = value
    if wrong:
        raise ParameterError("; ".join(f"{name} {why}" for name, why in wrong.items()) + ".")
    return {**values, IMAGE: image, TEXT: text}


ROUTES = (
    Route("POST", f"{PATH}/read", refusing(ask_read)),
    Route("POST", PATH, refusing(ask_store)),
    Route("GET", PATH, refusing(ask_all)),
    Route("GET", f"{PATH}/{{name}}", refusing(ask_one)),
    Route("DELETE", f"{PATH}/{{name}}", refusing(ask_remove)),
    Route("POST", f"{PATH}/{{name}}/bind", refusing(ask_bind)),
)
