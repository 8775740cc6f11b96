"""Clients of the gateway's API, each with a key of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import requests

from dispatcher.model.api_key import ApiKey, Quota, Scope
from dispatcher.model.key_rights import EVERYTHING
from dispatcher.store import Store
from support.gateway_process import Gateway

NUMBER = "+818012340001"
SAY = {"recipient": NUMBER, "say": "Disk full on db1"}
NDJSON = {"Content-Type": "application/x-ndjson"}
Line = dict[str, Any]


class Client:
    """Asks the gateway with a key."""

    def __init__(self, gateway: Gateway, key: ApiKey, text: str) -> None:
        self.gateway, self.key, self.text = gateway, key, text

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any
    ) -> requests.Response:
        shown = {"Authorization": f"Bearer {self.text}", **(headers or {})}
        return self.gateway.ask(method, path, headers=shown, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.ask("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        return self.ask("POST", path, json=body, **options)

    def call(self, **fields: Any) -> dict[str, Any]:
        """Ask for a call that must be accepted; return the job."""
        answer = self.post("/v1/jobs", {**SAY, **fields})
        assert answer.status_code in {200, 202}, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def bulk(
        self, lines: Iterable[Any], headers: dict[str, str] | None = None
    ) -> tuple[list[Line], Line]:
        """Send lines; return the answers to them, and the summary."""
        body = b"".join(as_line(line) for line in lines)
        answer = self.ask("POST", "/v1/jobs/bulk", data=body, headers={**NDJSON, **(headers or {})})
        assert answer.status_code == 200, answer.text
        return answered(answer.content)


def as_line(line: Any) -> bytes:
    return (line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n"


def answered(content: bytes) -> tuple[list[Line], Line]:
    *lines, last = (json.loads(line) for line in content.splitlines())
    summary: Line = last["summary"]
    return lines, summary


def client(gateway: Gateway, store: Store, name: str, *scopes: Scope, **options: Any) -> Client:
    """Return a client with a new key, which may ask for anything unless it is given `rights`."""
    quota, rights = options.get("quota"), options.get("rights", EVERYTHING)
    made, text = store.api_keys.create(
        name, scopes, rights=rights, quota=Quota.parse(quota) if quota else None
    )
    return Client(gateway, made, text)
