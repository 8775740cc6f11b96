"""Numbers that the account rents, and people who call them (provider docs: dial-in numbers page).

Somebody who calls has the number's action URL asked: GET, with `caller` and `recipient`. What it
answers is one instruction in plain text; anything else is told as what is wrong with it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import aiohttp

from dispatcher.sandbox import e164, refusals
from dispatcher.sandbox.clock import Clock
from dispatcher.sandbox.forms import is_web_address

PATIENCE = 10.0
"""Seconds for an answer: whoever calls hears nothing until then."""
LARGEST_ANSWER = 64 * 1024
KEPT = 10_000
"""Calls that are remembered, the newest."""
_TEXT = r'(?P<lang>[a-z]{2}) "(?P<text>[^"\\]+)"'
_INSTRUCTIONS = {
    "say": re.compile(f"say {_TEXT}"),
    "transfer": re.compile(r"transfer (?P<number>\+[1-9][0-9]{4,14})"),
    "playback": re.compile(r"playback (?P<url>http://\S+\.mp3)"),
    "voicemail": re.compile(f"voicemail say {_TEXT}"),
}


@dataclass(slots=True)
class Rented:
    """A number that the account rents; `din` is its E.164 without the plus."""

    din: str
    din_uid: str
    action_url: str = field(default="", repr=False)

    def shown(self) -> dict[str, Any]:
        """Return what the provider tells of it."""
        code = e164.country_code(self.din)
        return {
            "country_code": code,
            "din": self.din,
            "din_uid": self.din_uid,
            "minute_cost": 1,
            "monthly_cost": 650.0,
            "prefix": self.din[len(code) :][:2],
            "action_url": self.action_url,
        }


@dataclass(frozen=True, slots=True)
class Heard:
    """What somebody heard who called: an instruction's parts, or the `problem` with the answer."""

    at: float
    caller: str
    recipient: str
    status: int | None = None
    body: str = ""
    instruction: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    def shown(self, clock: Clock) -> dict[str, Any]:
        """Return it for people and tests."""
        told = {name: getattr(self, name) for name in ("caller", "recipient", "status", "body")}
        known = {"instruction": self.instruction, **self.parts, "problem": self.problem}
        return {"at": clock.iso(self.at), **told, **known}


class DialIns:
    """The account's numbers, and the book of who called them."""

    def __init__(self, numbers: tuple[str, ...], seed: int, clock: Clock) -> None:
        self._clock = clock
        dins = [number.lstrip("+") for number in numbers]
        self._rented = {_uid(seed, din): Rented(din, _uid(seed, din)) for din in dins}
        self.heard: list[Heard] = []

    def numbers(self) -> list[Rented]:
        """Return all of them."""
        return list(self._rented.values())

    def set_action_url(self, din_uid: str, form: Mapping[str, str]) -> Rented:
        """Have another URL asked. Raises Refusal."""
        rented = self._rented.get(din_uid)
        if rented is None:
            raise refusals.not_found()
        url = form.get("action_url")
        if url is None:
            raise refusals.field_errors({"action_url": ["This field is required."]})
        if url and not is_web_address(url):
            raise refusals.field_errors({"action_url": ["Enter a valid URL."]})
        rented.action_url = url
        return rented

    async def call(self, caller: str, recipient: str = "") -> Heard:
        """Play somebody who calls; a hidden number is ''. Raises ValueError without a number."""
        rented = self._find(recipient.lstrip("+"))
        heard = await self._ask(rented, caller)
        self.heard = [*self.heard[1 - KEPT :], heard]
        return heard

    def _find(self, din: str) -> Rented:
        for rented in self.numbers():
            if din in {"", rented.din}:
                return rented
        raise ValueError(
            f"no number {din or 'at all'} is rented: start the sandbox with --dial-in-number +…"
        )

    async def _ask(self, rented: Rented, caller: str) -> Heard:
        heard = partial(Heard, self._clock.now(), caller, rented.din)
        if not rented.action_url:
            return heard(problem="the number has no action URL: nobody is asked")
        query = {"caller": caller, "recipient": rented.din}
        try:
            status, kind, body = await _fetch(rented.action_url, query)
        except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
            return heard(problem=f"the action URL gave no answer ({type(error).__name__})")
        instruction, parts, problem = read(status, kind, body)
        return heard(status, body, instruction, parts, problem)


async def _fetch(url: str, query: Mapping[str, str]) -> tuple[int, str, str]:
    """Return the status, the content type and the text of an answer."""
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(url, params=query, allow_redirects=False) as answer,
    ):
        body = await answer.content.read(LARGEST_ANSWER)
        return answer.status, answer.content_type, body.decode("utf-8", "replace")


def read(status: int, kind: str, body: str) -> tuple[str, dict[str, str], str]:
    """Return an answer's instruction, its parts, and what is wrong with it ('' where nothing)."""
    if status != 200:  # noqa: PLR2004 - it is what OK means
        return "", {}, f"the action URL answered {status} instead of 200"
    if kind != "text/plain":
        return "", {}, f"the answer is {kind}, not text/plain"
    line = body.removesuffix("\n")
    for name, form in _INSTRUCTIONS.items():
        if found := form.fullmatch(line):
            return name, found.groupdict(), ""
    if len(line.splitlines()) > 1:
        return "", {}, "the answer has more than one line: one instruction is expected"
    return "", {}, f'no instruction, such as say en "text": {line[:200]!r}'


def _uid(seed: int, din: str) -> str:
    """Return the provider's name for a number."""
    digest = hashlib.blake2b(f"{seed} din {din}".encode(), digest_size=8).hexdigest()
    return f"din{digest}"
