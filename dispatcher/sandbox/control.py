"""The control endpoints under /_sandbox/: for tests, and no part of the provider's API."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Iterator
from itertools import islice
from typing import Any

from aiohttp import web

from dispatcher.sandbox import e164, refusals
from dispatcher.sandbox.answers import json_answer, whole_body
from dispatcher.sandbox.ledger import amount
from dispatcher.sandbox.listener import LISTENER
from dispatcher.sandbox.outage import MODES, REFUSE
from dispatcher.sandbox.reports import call_report, credits_report, options_report, stats_report
from dispatcher.sandbox.state import SANDBOX, Sandbox

Endpoint = Callable[[web.Request], Awaitable[web.Response]]

_BATCH = 100  # calls written before other requests get their turn


def routes() -> list[web.RouteDef]:
    return [
        web.post("/_sandbox/credits", _with_reasons(change_credits)),
        web.get("/_sandbox/calls", list_calls, allow_head=False),
        web.get("/_sandbox/stats", stats, allow_head=False),
        web.get("/_sandbox/options", show_options, allow_head=False),
        web.post("/_sandbox/options", _with_reasons(change_options)),
        web.post("/_sandbox/reset", reset),
        web.post("/_sandbox/dial-in", _with_reasons(dial_in)),
        web.get("/_sandbox/dial-ins", list_dial_ins, allow_head=False),
    ]


async def change_credits(request: web.Request) -> web.Response:
    """`{"credits": N}` sets the balance, `{"add": N}` tops it up."""
    sandbox = request.app[SANDBOX]
    body = await _object(request)
    if body.keys() not in ({"credits"}, {"add"}):
        raise ValueError('give {"credits": N} to set the balance, or {"add": N} to top it up')
    for name, value in body.items():
        sandbox.options.changed({"credits": value})  # the same bounds as at the start
        _change_balance(sandbox, name, value)
    return json_answer(credits_report(sandbox.provider.ledger(), sandbox.clock))


async def list_calls(request: web.Request) -> web.StreamResponse:
    """Every call, oldest first; `?recipient=` and `?tag=` choose."""
    sandbox = request.app[SANDBOX]
    recipient = _digits(request.query.get("recipient", ""))
    tag = request.query.get("tag")
    chosen = (
        call
        for call in list(sandbox.provider.calls.values())
        if (not recipient or _digits(call.recipient) == recipient)
        and (tag is None or tag in call.tags)
    )
    return await _streamed(request, (call_report(call, sandbox.clock) for call in chosen))


async def stats(request: web.Request) -> web.Response:
    return json_answer(stats_report(request.app[SANDBOX]))


async def show_options(request: web.Request) -> web.Response:
    return json_answer(options_report(request.app[SANDBOX]))


async def change_options(request: web.Request) -> web.Response:
    """Change options from now on, all or none of them; `credits` sets the balance."""
    sandbox = request.app[SANDBOX]
    body = await _object(request)
    outage = _taken_outage(body)
    if outage and outage[0] == REFUSE and LISTENER not in request.app:
        raise ValueError("refuse works on a sandbox that run() or serve() started")
    sandbox.change(body)
    if "credits" in body:
        _change_balance(sandbox, "credits", body["credits"])
    if outage:
        await _begin(request.app, *outage)
    response = json_answer(options_report(sandbox))
    if sandbox.outage.mode == REFUSE:
        response.force_close()  # this connection is not to be used for a call either
    return response


async def reset(request: web.Request) -> web.Response:
    request.app[SANDBOX].reset()
    return json_answer(options_report(request.app[SANDBOX]))


async def dial_in(request: web.Request) -> web.Response:
    """Have somebody call: `{"caller": "+81…"}`, null where hidden; `recipient` is the number."""
    sandbox, body = request.app[SANDBOX], await _object(request)
    caller, recipient = body.pop("caller", None), body.pop("recipient", "")
    if body or not isinstance(caller, str | None) or not isinstance(recipient, str):
        raise ValueError('give {"caller": "+81…"}, and "recipient" where several are rented')
    if caller and (flaw := e164.flaw(caller)):
        raise ValueError(f"the caller is {caller[:40]!r}: {flaw}")
    heard = await sandbox.dial_ins.call(caller or "", recipient)
    return json_answer(heard.shown(sandbox.clock))


async def list_dial_ins(request: web.Request) -> web.Response:
    """Everybody who called, the oldest first, and what they heard."""
    sandbox = request.app[SANDBOX]
    return json_answer([each.shown(sandbox.clock) for each in sandbox.dial_ins.heard])


def _with_reasons(endpoint: Endpoint) -> Endpoint:
    """Answer 400 with the reason where an endpoint says no to a value."""

    async def reasoned(request: web.Request) -> web.Response:
        try:
            return await endpoint(request)
        except ValueError as error:
            raise refusals.detail(400, str(error)) from None

    return reasoned


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await whole_body(request))
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise refusals.detail(400, "the body must be a JSON object")
    return body


def _taken_outage(body: dict[str, Any]) -> tuple[str, float | None] | None:
    """Take `down` and `down_for` out of the changes."""
    mode, seconds = body.pop("down", None), body.pop("down_for", None)
    if mode is None and seconds is None:
        return None
    if mode not in MODES:
        raise ValueError(f"down is {mode!r}: it must be one of {', '.join(MODES)}")
    if seconds is not None and not _is_span(seconds):
        raise ValueError(f"down_for is {seconds!r}: it must be seconds, more than 0")
    if mode == REFUSE and seconds is None:
        raise ValueError("refuse also closes the control endpoints: give down_for in seconds")
    return mode, seconds


def _is_span(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 < value < math.inf  # type: ignore[operator]


async def _begin(app: web.Application, mode: str, seconds: float | None) -> None:
    app[SANDBOX].outage.begin(mode, seconds)
    if mode == REFUSE and seconds is not None:
        await app[LISTENER].refuse(seconds)


def _change_balance(sandbox: Sandbox, name: str, value: float) -> None:
    ledger, now = sandbox.provider.ledger(), sandbox.clock.now()
    if name == "add":
        ledger.add(amount(value), now)
    else:
        ledger.set_balance(amount(value), now)


def _digits(number: str) -> str:
    """A `+` in a query is a space unless it is written %2B: only the digits are compared."""
    return "".join(filter(str.isdigit, number))


async def _streamed(request: web.Request, reports: Iterator[Any]) -> web.StreamResponse:
    """Write a JSON list in batches: a long one must not hold up the provider's answers."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    opening = "["
    while batch := list(islice(reports, _BATCH)):
        await response.write((opening + json.dumps(batch)[1:-1]).encode())
        opening = ","
        await asyncio.sleep(0)
    await response.write_eof(b"[]" if opening == "[" else b"]")
    return response
