"""The provider's HTTP API (provider docs: voice, account and errors pages)."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from dispatcher.sandbox import forms, refusals
from dispatcher.sandbox.answers import json_answer, whole_body
from dispatcher.sandbox.calls import call_status, conference_status
from dispatcher.sandbox.numbers import Quirk
from dispatcher.sandbox.options import SandboxOptions
from dispatcher.sandbox.outage import Cut
from dispatcher.sandbox.provider import Placed
from dispatcher.sandbox.refusals import Refusal
from dispatcher.sandbox.state import SANDBOX

CONTROL = "/_sandbox/"
FORM = "application/x-www-form-urlencoded"


def routes() -> list[web.RouteDef]:
    return [
        web.post("/voice/simple/playbacks/", playback),
        web.post("/voice/simple/playback/", playback),  # older clients' path
        web.post("/voice/simple/conferences/", conference),
        web.get("/voice/calls/{callid}/", call, allow_head=False),
        web.get("/voice/simple/conferences/{conferenceid}/", conference_by_id, allow_head=False),
        web.get("/you/credits/", account_credits, allow_head=False),
        web.get("/voice/dins/subscriptions/", dial_in_numbers, allow_head=False),
        web.post("/voice/dins/subscriptions/{din_uid}/", set_action_url),
    ]


KINDS = {
    "/voice/simple/playbacks/": "playback",
    "/voice/simple/playback/": "playback",
    "/voice/simple/conferences/": "conference",
    "/voice/calls/{callid}/": "call_status",
    "/voice/simple/conferences/{conferenceid}/": "conference_status",
    "/you/credits/": "credits",
    "/voice/dins/subscriptions/": "dial_in_numbers",
    "/voice/dins/subscriptions/{din_uid}/": "set_action_url",
}


@web.middleware
async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count every request, delay its answer, and cut the connection where that is due."""
    if _is_control(request):
        return await handler(request)
    sandbox = request.app[SANDBOX]
    with sandbox.traffic.request(_kind(request), request.protocol) as seen:
        try:
            response = await handler(request)
            seen.result = str(response.status)
        except Cut:
            response = _cut(request)
        if sandbox.options.latency:
            await asyncio.sleep(sandbox.options.latency)
    return response


@web.middleware
async def admitted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let in who the account's credentials, its rate and the state of the provider allow."""
    if not _is_control(request):
        request.app[SANDBOX].admit(request.headers.get("Authorization", ""))
    return await handler(request)


async def playback(request: web.Request) -> web.StreamResponse:
    order = forms.playback(await _form(request))
    placed = request.app[SANDBOX].provider.place_playback(order)
    return await _placed(request, placed, [{"callid": placed.calls[0].callid}])


async def conference(request: web.Request) -> web.StreamResponse:
    order = forms.conference(await _form(request))
    placed = request.app[SANDBOX].provider.place_conference(order)
    participants = [{"callid": each.callid, "participant": each.recipient} for each in placed.calls]
    body = {"conferenceid": placed.conferenceid, "participants": participants}
    return await _placed(request, placed, body)


async def call(request: web.Request) -> web.StreamResponse:
    sandbox = request.app[SANDBOX]
    found = sandbox.provider.call(request.match_info["callid"])
    return json_answer(call_status(found, sandbox.clock.now(), sandbox.clock))


async def conference_by_id(request: web.Request) -> web.StreamResponse:
    sandbox = request.app[SANDBOX]
    conferenceid = request.match_info["conferenceid"]
    found = sandbox.provider.conference(conferenceid)
    return json_answer(conference_status(conferenceid, found, sandbox.clock.now(), sandbox.clock))


async def account_credits(request: web.Request) -> web.StreamResponse:
    sandbox = request.app[SANDBOX]
    balance = float(sandbox.provider.ledger().balance)
    match sandbox.options.credits_page:
        case "503":
            raise refusals.server_error(503)
        case "missing":
            return json_answer({})
        case "nan":  # as a JSON writer does that is not strict
            return web.Response(text='{"credits": NaN}', content_type="application/json")
        case other:
            said = {"null": None, "text": "plenty", "huge": 1e300}
            return json_answer({"credits": said.get(other, balance)})


async def dial_in_numbers(request: web.Request) -> web.StreamResponse:
    return json_answer([each.shown() for each in request.app[SANDBOX].dial_ins.numbers()])


async def set_action_url(request: web.Request) -> web.StreamResponse:
    form = await _form(request)
    rented = request.app[SANDBOX].dial_ins.set_action_url(request.match_info["din_uid"], form)
    return json_answer(rented.shown())


def _is_control(request: web.Request) -> bool:
    return request.path.startswith(CONTROL)


def _cut(request: web.Request) -> web.StreamResponse:
    """Cut the connection; the response that is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _kind(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return KINDS.get(resource.canonical, "other") if resource else "other"


def _is_cut(placed: Placed, options: SandboxOptions) -> bool:
    chance = random.Random(f"{options.seed} cut {placed.calls[0].callid}")  # noqa: S311 - to be repeated
    return chance.random() < options.cut


async def _form(request: web.Request) -> dict[str, str]:
    body = await whole_body(request)
    if body and request.content_type != FORM:
        raise refusals.detail(415, f'Unsupported media type "{request.content_type}": send {FORM}.')
    return forms.fields(body)


async def _placed(request: web.Request, placed: Placed, body: Any) -> web.StreamResponse:
    """Answer for calls that were placed, or fail to, as their numbers say."""
    sandbox = request.app[SANDBOX]
    for each in placed.calls:
        sandbox.callbacks.schedule(each)
    if _is_cut(placed, sandbox.options):
        raise Cut
    match placed.quirk:
        case Quirk.ERROR_PLACED:
            raise refusals.server_error()
        case Quirk.CUT:
            raise Cut
        case Quirk.NOT_JSON:
            raise Refusal(201, "<html><body>Created</body></html>")
        case Quirk.SLOW:
            await asyncio.sleep(sandbox.options.slow)
    return json_answer(body, status=201)
