"""Providers on a bench: what the contract's tests need to know of each, and may do to it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

import requests

from dispatcher.model.call import CallRef
from dispatcher.model.outcome import Outcome
from dispatcher.provider import (
    CallbackRequest,
    NotAllowed,
    OutgoingCall,
    Provider,
    Throttled,
    Timeouts,
)
from dispatcher.provider.fake import FakeProvider, Lost
from dispatcher.provider.registry import registration
from dispatcher.sandbox import SandboxOptions, running
from support.action_server import Action, action_server

CALLER = "+815012345678"
OWN = "+815012340000"
"""The number that the account rents."""
ENDINGS = {
    Outcome.ANSWERED: "+818012340001",
    Outcome.NO_ANSWER: "+818012340002",
    Outcome.CALL_FAILED: "+818012340003",
    Outcome.IN_PROGRESS: "+818012340004",
}
"""Numbers whose calls end so; the last goes on for longer than any test."""
RING = 0.4  # seconds from placing a call to its end


class Bench(Protocol):
    """A provider, and what stands behind it."""

    provider: Provider

    def expect(self, *, refused: bool = False, throttled: bool = False, lost: bool = False) -> str:
        """Return a number; a call to it is refused, throttled once, or placed and not answered."""
        ...

    def end(self, call: CallRef) -> None:
        """Let a call come to its end."""
        ...

    def placed(self) -> int:
        """How many numbers were called, by the provider's own books."""
        ...

    def set_credits(self, credits_: int) -> None:
        """Have the account this balance."""
        ...

    def dial_in(self, caller: str | None, action: Action) -> Mapping[str, Any]:
        """Have somebody call the account, None where the number is hidden; return what is heard:
        `say` and `lang`, or `transfer`.
        """
        ...

    def callback_url(self) -> str:
        """Where callbacks are taken in."""
        ...

    def callbacks(self) -> list[CallbackRequest]:
        """What was sent there of calls that have ended, when it is all there."""
        ...


# -- the fake ------------------------------------------------------------------------------


@dataclass
class FakeBench:
    """The fake, with a clock that is moved."""

    now: float = 1_900_000_000.0
    provider: FakeProvider = field(init=False)

    def __post_init__(self) -> None:
        outcomes = {number: outcome for outcome, number in ENDINGS.items()}
        self.provider = FakeProvider(outcomes, rings=30, clock=lambda: self.now, rented={OWN: ""})

    def expect(self, *, refused: bool = False, throttled: bool = False, lost: bool = False) -> str:
        if refused:
            self.provider.next(NotAllowed("not this country"))
        if throttled:
            self.provider.next(Throttled("slow down", retry_after=1))
        if lost:
            self.provider.next(Lost(Outcome.ANSWERED))
        return ENDINGS[Outcome.ANSWERED]

    def end(self, call: CallRef) -> None:
        self.now += 31

    def placed(self) -> int:
        return len(self.provider.calls)

    def set_credits(self, credits_: int) -> None:
        self.provider.credits = Decimal(credits_)

    def dial_in(self, caller: str | None, action: Action) -> Mapping[str, Any]:
        body, _ = action([("from", caller or ""), ("to", OWN)])
        ((what, parts),) = json.loads(body).items()
        return (
            {"say": parts["text"], "lang": parts["lang"]}
            if what == "say"
            else {what: parts["number"]}
        )

    def callback_url(self) -> str:
        return "https://voice.example.com/callbacks/1"

    def callbacks(self) -> list[CallbackRequest]:
        self.now += 31
        return [self.provider.callback(call.callid) for call in self.provider.calls]


@contextmanager
def fake() -> Iterator[Bench]:
    yield FakeBench()


# -- a real client, over the sandbox -------------------------------------------------------


@dataclass
class SandboxBench:
    """A provider's client over real HTTP."""

    provider: Provider
    url: str
    inbox: ThreadingHTTPServer
    received: list[CallbackRequest]

    def expect(self, *, refused: bool = False, throttled: bool = False, lost: bool = False) -> str:
        ending = "0012" if refused else "0006" if throttled else "0009" if lost else "0001"
        return f"+81801234{ending}"

    def end(self, call: CallRef) -> None:
        deadline = time.monotonic() + 10
        while not self.provider.status(call).final:
            assert time.monotonic() < deadline, "it did not end in time"
            time.sleep(0.02)

    def placed(self) -> int:
        return len(requests.get(f"{self.url}/_sandbox/calls", timeout=10).json())

    def set_credits(self, credits_: int) -> None:
        told = {"credits": credits_}
        requests.post(f"{self.url}/_sandbox/credits", json=told, timeout=10).raise_for_status()

    def dial_in(self, caller: str | None, action: Action) -> Mapping[str, Any]:
        with action_server(action) as url:
            (rented,) = self.provider.rented_numbers()
            self.provider.set_action_url(rented, url)
            told = {"caller": caller}
            heard = requests.post(f"{self.url}/_sandbox/dial-in", json=told, timeout=10).json()
        assert not heard["problem"]
        if heard["instruction"] == "say":
            return {"say": heard["text"], "lang": heard["lang"]}
        return {"transfer": heard["number"]}

    def callback_url(self) -> str:
        return f"http://127.0.0.1:{self.inbox.server_port}/callbacks/1"

    def callbacks(self) -> list[CallbackRequest]:
        deadline = time.monotonic() + 10
        while len(self.received) < self.placed():
            assert time.monotonic() < deadline, "a callback did not come in time"
            time.sleep(0.02)
        return self.received


@contextmanager
def sandbox(callback_format: str) -> Iterator[Bench]:
    options = SandboxOptions(seed=1, ring=RING, callback_format=callback_format)
    with running(options) as url, _inbox() as (server, received):
        known = registration("xoxzo")
        settings = known.settings.read(options.environment(url))
        provider = known.connect(settings, Timeouts(read=5), 16)
        try:
            yield SandboxBench(provider, url, server, received)
        finally:
            provider.close()


@contextmanager
def _inbox() -> Iterator[tuple[ThreadingHTTPServer, list[CallbackRequest]]]:
    received: list[CallbackRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = dict(self.headers.items())
            received.append(CallbackRequest(body, headers.get("Content-Type", ""), headers))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server, received
        server.shutdown()
        thread.join(5)


def call(*numbers: str, **more: object) -> OutgoingCall:
    """Return a call that says a text, or a conference."""
    said = {} if len(numbers) > 1 else {"say": "Disk full", "lang": "en"}
    return OutgoingCall(numbers, CALLER, **{**said, **more})  # type: ignore[arg-type]
