"""What the gateway writes into the security log: log-ins, refusals, and whole numbers seen."""

from __future__ import annotations

import re
import time
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Scope

from dispatcher.security_log import Sampler, SecurityEvent, tell
from workers.gateway.addresses import group

REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}
"""Answers that are told."""
TOLD = "dispatcher.told"
"""The name in a request's scope that says: its refusal is told already, as a failed log-in."""
_CLAIMED = re.compile(r"Bearer vd_([a-z]{10})_")
_SAMPLER = Sampler(time.monotonic)


def address_of(scope: Scope) -> str:
    """Return who is at the other end, '' where that is not known."""
    return scope["client"][0] if scope.get("client") else ""


def refused(scope: Scope, status: int) -> None:
    """Tell that a request was refused, with the key that it showed: its id alone."""
    if status not in REFUSED or scope.get(TOLD):
        return
    said = Headers(scope=scope)
    claimed = _CLAIMED.match(said.get("authorization", ""))
    known = (
        "claimed" if status == HTTPStatus.UNAUTHORIZED else "key"
    )  # of a wrong key, or a right one
    _sampled(
        SecurityEvent.REFUSED,
        address_of(scope),
        status=int(status),
        method=scope["method"],
        route=route(scope),
        user_agent=said.get("user-agent", ""),
        **({known: claimed[1]} if claimed else {}),
    )


def login_failed(request: Request, why: str) -> None:
    """Tell that somebody was not let in to the console."""
    request.scope[TOLD] = True
    agent = request.headers.get("user-agent", "")
    _sampled(SecurityEvent.LOGIN_FAILED, address_of(request.scope), why=why, user_agent=agent)


def login(request: Request, key: str, name: str) -> None:
    """Tell that somebody was let in to the console, by the id and the name of a key."""
    agent, address = request.headers.get("user-agent", ""), address_of(request.scope)
    tell(SecurityEvent.LOGIN, address=address, key=key, name=name, user_agent=agent)


def logout(request: Request, key: str, name: str) -> None:
    """Tell that a session of the console was ended."""
    tell(SecurityEvent.LOGOUT, address=address_of(request.scope), key=key, name=name)


def seen_whole(request: Request, actor: str, key: str, target: str, *, jobs: int = 1) -> None:
    """Tell that somebody saw whole numbers of so many jobs."""
    facts = {"actor": actor, "key": key, "target": target, "jobs": jobs}
    tell(SecurityEvent.UNMASKED, address=address_of(request.scope), **facts)


def exported(request: Request, actor: str, key: str, target: str, *, unmasked: bool) -> None:
    """Tell that somebody takes jobs away as a file."""
    facts = {"actor": actor, "key": key, "target": target, "unmasked": unmasked}
    tell(SecurityEvent.EXPORTED, address=address_of(request.scope), **facts)


def route(scope: Scope) -> str:
    """Return the address of a request's route: what stands in its places may be secret."""
    path = str(scope["path"])
    places = scope.get("path_params")
    if "endpoint" not in scope:
        return f"/{path.split('/')[1]}/…" if path.count("/") > 1 else path
    for name, value in sorted((places or {}).items(), key=lambda item: -len(str(item[1]))):
        path = path.replace(str(value), f"{{{name}}}", 1)
    return path


def _sampled(event: SecurityEvent, address: str, **fields: object) -> None:
    wanted, left_out = _SAMPLER.take(group(address))
    if left_out:
        tell(SecurityEvent.LEFT_OUT, many=left_out)
    if wanted:
        tell(event, address=address, **fields)
