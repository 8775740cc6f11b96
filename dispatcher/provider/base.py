"""The port: all that the dispatcher knows of a provider of telephone calls.

A provider is a package beside this module; `registry` lists them. Nothing outside such a package
knows its words, its rules or its settings. Light to import: no network, no client.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol, Self

from dispatcher.model.call import CallRef, CallReport
from dispatcher.model.outcome import Outcome
from dispatcher.provider.dial_in import DialInReader, RentedNumber


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can do.

    `callbacks`: it reports the end of a call to a URL by itself; conferences are always asked for.
    `balance`: it tells the account's credits. `participants`: how many a conference may have;
    empty where it has no conferences. `languages` are those of text to speech,
    `conference_languages` those of a conference's guidance, as ISO 639-1 codes. `longest_text` is
    in characters. `dial_in`: people can call the account, and it asks what they are to hear.
    """

    callbacks: bool
    balance: bool
    participants: range
    languages: frozenset[str]
    conference_languages: frozenset[str]
    longest_text: int
    dial_in: bool = False


@dataclass(frozen=True, slots=True)
class RequestRules:
    """What a provider asks of a request beyond what it can do; checked when a job is enqueued.

    `recording` and `tag` return what they are given, or raise ValueError with what is wrong.
    `own_fields` are the form fields that the client fills in: a job's `params` name others.
    `spelled` returns digits as text to speech reads them one by one, in any language.
    """

    recording: Callable[[str], str]
    tag: Callable[[str], str]
    own_fields: frozenset[str]
    spelled: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Words:
    """The provider's own words, for an export that looks like its usage log.

    `outcomes` are its usual words for how a call ended; `call` and `conference` its types of call.
    """

    outcomes: Mapping[Outcome, str]
    call: str
    conference: str


@dataclass(frozen=True, slots=True)
class OutgoingCall:
    """A call to be placed: one recipient who hears `say` or `play`, or a conference.

    `numbers` are E.164: one recipient, or a conference's participants. `say` is a text in `lang`,
    `play` the URL of a recording. `callback_url` is where its end is to be reported, if anywhere.
    `params` are further form fields that the provider knows and the dispatcher does not.
    """

    numbers: tuple[str, ...] = field(repr=False)
    caller: str
    say: str | None = field(default=None, repr=False)
    lang: str | None = None
    play: str | None = None
    tags: tuple[str, ...] = ()
    callback_url: str | None = field(default=None, repr=False)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_conference(self) -> bool:
        """Whether several people are called together."""
        return len(self.numbers) > 1


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """What a provider sent to a call's callback URL, as it came over HTTP."""

    body: bytes = field(repr=False)
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class CallbackParser(Protocol):
    """Reads a provider's callbacks; needs no connection, so the gateway can hold it."""

    def parse_callback(self, request: CallbackRequest) -> CallReport:
        """Return what a callback reports. Raises UnexpectedShape for what reports no call."""
        ...


class Provider(CallbackParser, DialInReader, Protocol):
    """One account at a provider. May be used by several threads at once.

    Each method sends one request, once, and repeats nothing. All of them raise ProviderError,
    whose branch says what the caller must do.
    """

    @property
    def name(self) -> str:
        """As the registry knows it; each attempt keeps it."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    def place(self, call: OutgoingCall, *, before_sending: Callable[[], None]) -> CallRef:
        """Ask for a call; return by what it is found again.

        `before_sending` is called right before the request goes out, after connecting. What it
        raises is raised, and nothing is sent.
        """
        ...

    def status(self, call: CallRef) -> CallReport:
        """Return what became of a call. Raises UnknownCall, among others, where there is none."""
        ...

    def balance(self) -> Decimal:
        """Return the account's credits; a post-paid account's may be below zero."""
        ...

    def rented_numbers(self) -> tuple[RentedNumber, ...]:
        """Return the numbers that the account rents, for people to call."""
        ...

    def set_action_url(self, rented: RentedNumber, url: str) -> None:
        """Have this URL asked when somebody calls the number."""
        ...

    def close(self) -> None:
        """Close the connections; nothing can be sent any more."""
        ...


class ProviderSettings(Protocol):
    """A provider's own settings."""

    @property
    def is_real(self) -> bool:
        """Whether calls cost money and ring somewhere: credentials are there, not a stand-in's."""
        ...

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Read them from variables of the environment. Raises Misconfigured."""
        ...


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to connect or send, and for the whole answer."""

    connect: float = 3.05
    read: float = 30.0


@dataclass(frozen=True, slots=True)
class Registration:
    """A provider as `registry` knows it, before anything is connected.

    `variables` are the variables of the environment that `settings` reads, and `credentials` those
    of them without which nothing can be asked. `callbacks`, `dial_ins` and `connect` take its
    settings; `connect` also takes `Timeouts` and how many threads will use it at once, and raises
    Misconfigured.
    """

    name: str
    capabilities: Capabilities
    rules: RequestRules
    words: Words
    credentials: tuple[str, ...]
    variables: tuple[str, ...]
    settings: type[ProviderSettings]
    callbacks: Callable[[Any], CallbackParser]
    dial_ins: Callable[[Any], DialInReader]
    connect: Callable[[Any, Timeouts, int], Provider]
