"""Who calls: a bearer key, what it may do, and what it may see."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from dispatcher.model.api_key import ApiKey, NotLetIn, Scope
from dispatcher.model.job import Job
from dispatcher.model.key_rights import MissingRight
from dispatcher.model.request import JobRequest
from dispatcher.store.api_keys import ApiKeys
from dispatcher.store.values import UnknownJob
from workers.gateway.api.parameters import require_known_parameters
from workers.gateway.api.pool import Pool, client
from workers.gateway.api.strict import only_header
from workers.gateway.api.together import Together
from workers.gateway.caps import Places
from workers.gateway.middleware import AT_END
from workers.gateway.problems import Problem


@dataclass(frozen=True, slots=True)
class Caller:
    """Who was let in."""

    key: ApiKey

    @property
    def name(self) -> str:
        """The producer of what it asks for, and the scope of its idempotency keys."""
        return self.key.name

    @property
    def actor(self) -> str:
        """Who acts, in timelines and in the audit."""
        return f"api:{self.name}"

    @property
    def sees_all(self) -> bool:
        """Whether it sees more than the jobs of its own."""
        return self.key.may(Scope.READ)

    @property
    def sees_masks(self) -> bool:
        """Whether others' numbers are masked for it, whatever it asks for."""
        return self.sees_all and not self.key.may(Scope.OPERATE)

    def require(self, scope: Scope) -> None:
        """Raise Problem (403) where the key has not this scope."""
        if not self.key.may(scope):
            raise scope_missing(scope)

    def owns(self, job: Job) -> bool:
        """Whether the job is one that the client asked for, and may see whole."""
        return self.key.may(Scope.ENQUEUE) and job.producer == self.name

    def require_acting(self, job: Job) -> None:
        """Raise UnknownJob or Problem (403) where the client may not act on the job: it may on its
        own, and on all with the scope `operate`.
        """
        if not self.owns(job):
            self.require_seeing(job)
            self.require(Scope.OPERATE)

    def require_seeing(self, job: Job) -> None:
        """Raise UnknownJob where the client may not see the job, or know that there is one."""
        if not self.owns(job) and not self.sees_all:
            raise UnknownJob(job.id)

    def view(self, job: Job, *, unmask: bool = False) -> dict[str, Any]:
        """Return what the client may see of a job. Raises Problem, UnknownJob."""
        if unmask:
            self.require(Scope.OPERATE)
        if self.owns(job) or unmask:
            return job.to_dict()
        self.require_seeing(job)
        return job.to_dict(mask=True)


class Shown(NamedTuple):
    """A key that somebody shows: one of the scopes is needed; `counted` against the key's rate."""

    text: str
    scopes: tuple[Scope, ...]
    counted: bool


@dataclass(frozen=True)
class Authenticator:
    """Lets callers in by their keys; `places` are for each client's requests under way."""

    keys: ApiKeys
    pool: Pool
    places: Places

    @cached_property
    def _together(self) -> Together[Shown, Caller]:
        return Together(self.pool, self._let_in, "let in")

    async def let_in(self, text: str, scopes: tuple[Scope, ...], *, counted: bool) -> Caller:
        """Return who calls. Raises NotLetIn, and Problem: 403 with the scope, 429 with when."""
        return await self._together.ask(Shown(text, scopes, counted))

    def _let_in(self, shown: list[Shown]) -> list[Caller | Exception]:
        keys = self.keys.authenticate_all([each.text for each in shown])
        told: list[Caller | Exception] = [_judge(*each) for each in zip(shown, keys, strict=True)]
        counted: dict[str, list[int]] = {}
        for place, key in enumerate(keys):
            if key and isinstance(told[place], Caller) and shown[place].counted:
                counted.setdefault(key.id, []).append(place)
        for places in counted.values():
            self._count(keys[places[0]], places, told)
        return told

    def _count(self, key: ApiKey | None, places: list[int], told: list[Caller | Exception]) -> None:
        """Count uses of a key against its rate; those that are too many are told so."""
        if key is None:
            return
        granted = self.keys.take(key, len(places))
        for place in places[granted.many :]:
            told[place] = too_many(key, granted.again)


def _judge(shown: Shown, key: ApiKey | None) -> Caller | Exception:
    if key is None:
        return NotLetIn()
    if not any(key.may(scope) for scope in shown.scopes):
        return scope_missing(*shown.scopes)
    return Caller(key)


def scope_missing(*scopes: Scope) -> Problem:
    """Return the problem of a key that has none of these scopes."""
    return Problem(
        HTTPStatus.FORBIDDEN,
        f"this API key does not have the scope {' or '.join(scopes)}",
        remedy=f"use a key made with `--scope {scopes[0]}`",
    )


def require_rights(key: ApiKey, request: JobRequest) -> None:
    """Raise Problem (403) where a request asks for more than its key may."""
    if missing := key.rights.missing_for(request):
        raise rights_missing(missing)


def rights_missing(missing: Sequence[MissingRight]) -> Problem:
    """Return the problem of a request that needs rights which its key has not."""
    options = " ".join(right.option for right in missing)
    return Problem(
        HTTPStatus.FORBIDDEN,
        f"this API key has not the right {' and '.join(f'`{right.option}`' for right in missing)}",
        remedy=f"ask for less, or use a key made with `{options}`",
        faults=[(right.field, f"it needs the right `{right.option}`") for right in missing],
    )


def too_many(key: ApiKey, again: float) -> Problem:
    """Return the problem of a key whose rate is used up; `again` in seconds."""
    return rate_used_up(key.id, str(key.quota), again)


def rate_used_up(key: str, rate: str, again: float) -> Problem:
    """Return that problem for the id of a key and its rate in words."""
    wait = max(1, math.ceil(again))
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        f"the rate of API key {key} ({rate}) is used up",
        remedy=f"try again in {wait} s",
        headers={"Retry-After": str(wait)},
    )


_BEARER = HTTPBearer(
    auto_error=False,
    bearerFormat="vd_<id>_<secret>",
    scheme_name="key",
    description="An API key, made with `voice-dispatcher keys create NAME --scope …`.",
)
_Shown = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


async def let_in(
    request: Request, *scopes: Scope, counted: bool = True, basic: bool = False
) -> Caller:
    """Return who calls, with one of these scopes. Raises NotLetIn, Problem.

    `basic`: the key may also be the password of Basic authentication.
    """
    said = only_header(request, "Authorization") or ""
    scheme, _, shown = said.partition(" ")
    text = shown.strip() if scheme.lower() == "bearer" else _password(said) if basic else ""
    authenticator: Authenticator = request.app.state.authenticator
    caller = await authenticator.let_in(text, scopes, counted=counted)
    request.scope[AT_END].enter_context(authenticator.places.one(caller.name))
    client.set(caller.name)
    require_known_parameters(request)
    return caller


def _password(header: str) -> str:
    """Return the password that a header of Basic authentication holds, '' where it is none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


class May:
    """The dependency of routes for keys that have one of these scopes.

    `counted`: each request counts against the key's rate. `basic` is as of `let_in`.
    """

    def __init__(self, *scopes: Scope, counted: bool = True, basic: bool = False) -> None:
        self.scopes, self._counted, self._basic = scopes, counted, basic

    async def __call__(self, request: Request, _: _Shown) -> Caller:
        return await self.who(request)

    async def who(self, request: Request) -> Caller:
        """Return who asks. Raises as `let_in`."""
        return await let_in(request, *self.scopes, counted=self._counted, basic=self._basic)


ENQUEUES = May(Scope.ENQUEUE)
Enqueuer = Annotated[Caller, Depends(ENQUEUES)]
BulkEnqueuer = Annotated[Caller, Depends(May(Scope.ENQUEUE, counted=False))]
Anybody = Annotated[Caller, Depends(May(Scope.READ, Scope.ENQUEUE))]
Canceller = Annotated[Caller, Depends(May(Scope.OPERATE, Scope.ENQUEUE))]
Reporter = Annotated[Caller, Depends(May(Scope.ALERT, basic=True))]
"""Monitoring, some of which can send no header of its own."""
Operator = Annotated[Caller, Depends(May(Scope.OPERATE))]
READS = Depends(May(Scope.READ))
Reader = Annotated[Caller, READS]
