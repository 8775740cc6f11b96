"""`/openapi.json`, and `/docs`: the same as a page, made here, with nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from html import escape
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.responses import HTMLResponse

from dispatcher import __version__
from dispatcher.model.api_key import Scope
from workers.gateway.api import problem_examples
from workers.gateway.api.authenticator import May, scope_missing
from workers.gateway.api.schemas import COMPONENTS
from workers.gateway.problems import MEDIA_TYPE

ABOUT = (
    "Ask for telephone calls, see what became of them, and change them. Every route under `/v1`"
    " needs an API key as a bearer token. Every error is `application/problem+json` and says what"
    " is wrong and what to do."
)
STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h2 { margin-top: 2.5rem; border-top: 1px solid; padding-top: 1rem; }
h2 b { font-family: ui-monospace, monospace; }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid; border-radius: 4px; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; }
td:first-child { white-space: nowrap; }
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'"
Operation = dict[str, Any]


def register(app: FastAPI) -> None:
    """Give the app its OpenAPI document and the page."""

    @cache
    def document() -> dict[str, Any]:
        found = get_openapi(
            title="voice-dispatcher", version=__version__, description=ABOUT, routes=app.routes
        )
        for each in iter_route_contexts(app.routes):
            route = each.original_route
            shown = isinstance(route, APIRoute) and route.include_in_schema
            if shown and (scopes := scopes_of(each.dependant)):
                for method in each.methods or ():
                    _add_scopes(found["paths"][each.path_format][method.lower()], scopes)
        components = found.setdefault("components", {})
        components["schemas"] = {**COMPONENTS}
        return found

    app.openapi = document  # type: ignore[method-assign]

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        """The reference."""
        return HTMLResponse(page(app.openapi()), headers={"Content-Security-Policy": POLICY})


def scopes_of(dependant: Dependant) -> tuple[Scope, ...]:
    """Return the scopes one of which a route asks for; none where it asks for no key."""
    calls = (each.call for each in dependant.dependencies)
    return next((call.scopes for call in calls if isinstance(call, May)), ())


def _add_scopes(operation: Operation, scopes: tuple[Scope, ...]) -> None:
    """Say which scope an operation needs, and leave out a problem that it cannot have."""
    words = " or ".join(f"`{scope}`" for scope in scopes)
    operation["description"] += f"\n\nNeeds a key with the scope {words}."
    answers = operation["responses"]
    answers["403"] = problem_examples.answer(scope_missing(*scopes))
    if MEDIA_TYPE not in answers.get("422", {}).get("content", {MEDIA_TYPE: None}):
        del answers["422"]  # FastAPI's own, of a path that takes any text


def page(document: dict[str, Any]) -> str:
    """Return the OpenAPI document as a page for people."""
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>{escape(document['info']['title'])}: HTTP API</title><style>{STYLE}</style></head>"
        f"<body><main><h1>HTTP API</h1><p>{_words(document['info']['description'])} For"
        f" programs: <a href='openapi.json'>openapi.json</a></p>{content(document)}</main></body>"
        "</html>"
    )


def content(document: dict[str, Any]) -> str:
    """Return what the page has below its head; the documentation's site shows it, too."""
    operations = [
        (method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    contents = "".join(
        f"<li><a href='#{_anchor(m, path)}'><code>{m} {escape(path)}</code></a>"
        f" {_words(_first_line(each))}</li>"
        for m, path, each in operations
    )
    schemas = document["components"]["schemas"]
    return (
        f"<nav aria-label='Routes'><ul>{contents}</ul></nav>"
        + "".join(_operation(*each) for each in operations)
        + "".join(_schema(name, schema) for name, schema in schemas.items())
    )


def _operation(method: str, path: str, operation: Operation) -> str:
    return (
        f"<h2 id='{_anchor(method, path)}'><b>{method} {escape(path)}</b></h2>"
        f"<p>{_words(operation.get('description', ''))}</p>"
        f"<pre>{escape(curl(method, path, operation))}</pre>"
        + _parameters(operation.get("parameters", []))
        + _answers(operation["responses"])
    )


def curl(method: str, path: str, operation: Operation) -> str:
    """Return how to call it from a shell."""
    words = ["curl -sS"]
    if method != "GET":
        words.append(f"-X {method}")
    if "security" in operation:
        words.append('-H "Authorization: Bearer $KEY"')
    media, example = _first_example(operation.get("requestBody", {}).get("content", {}))
    text = example if isinstance(example, str) else json.dumps(example)
    if media:
        data = "--data-binary" if "\n" in text else "-d"
        words += [f"-H 'Content-Type: {media}'", f"{data} '{text}'"]
    return " ".join([*words, f'"$GATEWAY{path}"'])


def _first_example(content: dict[str, Any]) -> tuple[str, Any]:
    for media, each in content.items():
        if "example" in each:
            return media, each["example"]
    return "", ""


def _parameters(parameters: list[dict[str, Any]]) -> str:
    rows = [
        f"<tr><td><code>{escape(each['name'])}</code></td><td>{escape(each['in'])}</td>"
        f"<td>{_words(each.get('description', ''))}</td></tr>"
        for each in parameters
    ]
    return f"<h3>Parameters</h3><table>{''.join(rows)}</table>" if rows else ""


def _answers(responses: dict[str, Any]) -> str:
    rows = []
    for status, each in sorted(responses.items()):
        _, example = _first_example(each.get("content", {}))
        good = int(status) < HTTPStatus.BAD_REQUEST
        text = example if isinstance(example, str) else json.dumps(example, indent=2)
        shown = f"<pre>{escape(text)}</pre>" if good and text else ""
        words = each["description"] if good or not isinstance(example, dict) else example["detail"]
        rows.append(f"<tr><td>{escape(status)}</td><td>{_words(words)}{shown}</td></tr>")
    return f"<h3>Answers</h3><table>{''.join(rows)}</table>"


def _schema(name: str, schema: dict[str, Any]) -> str:
    rows = [
        f"<tr><td><code>{escape(field)}</code></td><td>{escape(_kind(each))}</td>"
        f"<td>{_words(each.get('description', ''))}</td></tr>"
        for field, each in schema["properties"].items()
    ]
    return (
        f"<h2 id='{escape(name)}'><b>{escape(name)}</b></h2>"
        f"<p>{_words(schema.get('description', ''))}</p><table>{''.join(rows)}</table>"
    )


def _kind(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(str(each) for each in schema["enum"] if each is not None)
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    kind = schema.get("type", "")
    if kind == "array":
        return f"list of {_kind(schema['items'])}"
    return kind if isinstance(kind, str) else " or ".join(each for each in kind if each != "null")


def _words(text: str) -> str:
    """Return text with what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))


def _anchor(method: str, path: str) -> str:
    return escape(f"{method.lower()}{path}".replace("/", "-").replace("{", "").replace("}", ""))


def _first_line(operation: Operation) -> str:
    return str(operation.get("description", "")).partition("\n")[0]
