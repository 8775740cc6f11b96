"""What a sandbox can be told; every value is checked before it is used."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from dispatcher.sandbox import e164
from dispatcher.sandbox.limits import Limit

FIXED = frozenset({"seed", "control", "dial_in_numbers"})
"""Options that a running sandbox does not change: ids come from the seed."""

CALLBACK_FORMATS = ("form", "json")
CREDITS_PAGES = ("right", "missing", "null", "text", "nan", "huge", "503")

_SECONDS = ("ring", "latency", "slow", "lag", "cost_delay", "callback_delay", "callback_retry")
_CHANCES = ("cut", "callback_drop", "callback_duplicate")
_TEXTS = ("sid", "token")
_FLAGS = ("postpaid", "control")


def _fresh_seed() -> int:
    return secrets.randbelow(2**31)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """How the sandbox behaves. Times are seconds, chances 0 to 1; a wrong value raises ValueError.

    The seed is a fresh one unless given, so that a restarted sandbox gives out no callid that
    an older one gave to somebody else's call.
    """

    rate: float | str | None = None
    """The limit of the whole account: requests per second, 0.5 is one in two seconds, or such as
    `60/min`; None is no limit."""
    max_connections: int | None = None
    """Requests that may be under way at the same time; None is no limit."""
    credits: float = 1000.0
    """The balance at the start."""
    postpaid: bool = False
    """A post-paid account calls whatever its balance is."""
    ring: float = 1.0
    """From the placing of a call to its end."""
    latency: float = 0.0
    """What every answer takes longer."""
    slow: float = 5.0
    """What the answer for a number ending in 0010 takes longer."""
    cut: float = 0.0
    """The chance that the answer to a POST is cut after the call was placed."""
    lag: float = 0.0
    """From the placing of a call until its status page knows it; before, that answers 404."""
    cost_delay: float = 0.0
    """From the end of a call until its cost is told; before, that is null."""
    seed: int = field(default_factory=_fresh_seed)
    """Callids and every random choice derive from it."""
    callback_drop: float = 0.0
    """The chance that a call's callback never comes."""
    callback_duplicate: float = 0.0
    """The chance that a call's callback comes once more after it was answered 200."""
    callback_delay: float = 0.0
    """From the end of a call to its callback."""
    callback_retry: float = 1.0
    """Between two tries of a callback that was not answered 200."""
    callback_format: str = "form"
    """How a callback is encoded: `form` or `json`; the provider documents neither."""
    credits_page: str = "right"
    """What the page of the balance says, while calls go on as ever: see CREDITS_PAGES."""
    dial_in_numbers: tuple[str, ...] = ("+815012340000",)
    """Numbers that the account rents, for people to call."""
    sid: str = "sandbox"
    token: str = field(default="sandbox", repr=False)
    control: bool = True
    """Whether the endpoints under /_sandbox/ exist; they ask for no credentials."""

    def __post_init__(self) -> None:
        _check_limits(self.rate, self.max_connections)
        _number("credits", self.credits, -1e9, 1e9)
        _integer("seed", self.seed)
        for name in _SECONDS:
            _number(name, getattr(self, name), 0, 1e9)
        for name in _CHANCES:
            _number(name, getattr(self, name), 0, 1)
        for name in _TEXTS:
            _text(name, getattr(self, name))
        for name in _FLAGS:
            _flag(name, getattr(self, name))
        _one_of("callback_format", self.callback_format, CALLBACK_FORMATS)
        _numbers("dial_in_numbers", self.dial_in_numbers)
        _one_of("credits_page", self.credits_page, CREDITS_PAGES)

    def changed(self, changes: Mapping[str, Any]) -> SandboxOptions:
        """Return the options with some of them changed.

        Raises ValueError for an unknown name, one that only a start can set, or a wrong value.
        """
        changeable = [each.name for each in fields(self) if each.name not in FIXED]
        for name in changes:
            if name not in changeable:
                raise ValueError(f"{name!r} cannot be changed: give any of {', '.join(changeable)}")
        return replace(self, **changes)

    def environment(self, url: str) -> dict[str, str]:
        """Return the variables that lead a client to this sandbox at `url`."""
        return {
            "XOXZO_API_HOST": url,
            "XOXZO_API_SID": self.sid,
            "XOXZO_API_AUTH_TOKEN": self.token,
        }

    def shown(self) -> dict[str, Any]:
        """Return the options for people to read, without the token."""
        names = [each.name for each in fields(self) if each.name != "token"]
        return {name: getattr(self, name) for name in names}

    @property
    def limit(self) -> Limit | None:
        """Return what `rate` means; None is no limit."""
        return None if self.rate is None else Limit.parse(self.rate)


def _check_limits(rate: object, connections: object) -> None:
    if rate is not None:
        Limit.parse(rate)
    if connections is not None:
        _integer("max_connections", connections, least=1)


def _number(name: str, value: object, low: float, high: float) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:  # type: ignore[operator]
        raise ValueError(f"{name} is {value!r}: it must be a number from {low:g} to {high:g}")


def _integer(name: str, value: object, least: int = -(2**63)) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} is {value!r}: it must be a whole number, {least} or more")


def _text(name: str, value: object) -> None:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value:
        raise ValueError(f"{name} must be one or more printable ASCII characters")


def _one_of(name: str, value: object, words: tuple[str, ...]) -> None:
    if value not in words:
        listed = ", ".join(words[:-1])
        raise ValueError(f"{name} is {value!r}: it must be {listed} or {words[-1]}")


def _numbers(name: str, values: tuple[str, ...]) -> None:
    for value in values:
        if flaw := e164.flaw(value):
            raise ValueError(f"{name} has {value!r}: {flaw}")


def _flag(name: str, value: object) -> None:
    if value is not True and value is not False:
        raise ValueError(f"{name} is {value!r}: it must be true or false")
