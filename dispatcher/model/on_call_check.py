"""Whether what says who is on call fits together, and all that is wrong with it."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from pydantic import ValidationError

from dispatcher.alerts.phrases import PHRASES
from dispatcher.errors import UsageError
from dispatcher.model.on_call import Chain, OnCall, Rota
from dispatcher.model.on_call_fields import NOBODY
from dispatcher.model.plain_words import in_plain_words
from dispatcher.values.masking import mask_text
from dispatcher.values.regions import parse_region

MOST_PROBLEMS = 20
"""Faults that are told at once."""
_SHOWN = 8
Path = tuple[str | int, ...]
"""Where a value stands, such as ('chains', 'database', 'steps', 0, 'call')."""
Problems = Iterator[tuple[Path, str]]


class InvalidOnCall(UsageError, ValueError):
    """What says who is on call cannot be used; what was in force stays so.

    `problems` is a list of (path, message).
    """

    def __init__(self, problems: list[tuple[Path, str]]) -> None:
        self.problems = problems[:MOST_PROBLEMS]
        super().__init__("; ".join(f"{place(path)}: {what}" for path, what in self.problems))


def place(path: Path) -> str:
    """Return a path as it is told: `chains.database.steps[1].call`; steps are counted from 1."""
    told = ""
    for part in path:
        told += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if told else part
    return mask_text(told) or "file"


def checked(given: Any) -> OnCall:
    """Return what a mapping says, such as that of a chains file; its `defaults` are those of all
    chains. Raises InvalidOnCall with all that is wrong, as far as that can be seen at once.
    """
    whole, problems = _with_defaults(_said(given))
    region, wrong = _region(whole)
    problems += wrong
    try:
        made = OnCall.model_validate(whole, context={"region": region})
    except ValidationError as error:
        problems += _told(error)
        raise InvalidOnCall(problems) from None
    problems += islice(misfits(made), MOST_PROBLEMS)
    if problems:
        raise InvalidOnCall(problems)
    return made


def misfits(on_call: OnCall) -> Problems:
    """Yield what does not go together, each with its path."""
    yield from _twice(on_call)
    for team, members in on_call.teams.items():
        if not members:
            yield ("teams", team), "it has nobody: name contacts"
        yield from _missing(("teams", team), members, on_call.contacts, "contact")
    people, anybody = {*on_call.contacts, *on_call.teams}, on_call.callable_names
    for name, rota in on_call.rotas.items():
        yield from _of_rota(("rotas", name), rota, people)
    for name, chain in on_call.chains.items():
        yield from _of_chain(("chains", name), chain, anybody)
    yield from _of_routes(on_call)
    for n, drill in enumerate(on_call.drills):
        yield from _missing(("drills", n, "chain"), [drill.chain], on_call.chains, "chain")
    for lang, texts in on_call.texts.items():
        if lang not in PHRASES and (lacks := texts.lacks):
            yield ("texts", lang), f"we have no words in it: give {' and '.join(lacks)} as well"


def _said(given: Any) -> Any:
    """Return it without parts that are empty, as where all that stands in them is a comment."""
    if not isinstance(given, Mapping):
        return given
    return {name: value for name, value in given.items() if value is not None}


def _region(given: Any) -> tuple[str | None, list[tuple[Path, str]]]:
    region = given.get("region") if isinstance(given, Mapping) else None
    if not isinstance(region, str):
        return None, []
    try:
        return parse_region(region), []
    except ValueError as error:
        return None, [(("region",), str(error))]


def _twice(on_call: OnCall) -> Problems:
    seen = dict.fromkeys(on_call.contacts, "contact")
    for kind, names in (("team", on_call.teams), ("rota", on_call.rotas)):
        for name in names:
            if name in seen:
                yield (f"{kind}s", name), f"there is a {seen[name]} of this name: choose another"
            seen[name] = kind


def _of_rota(at: Path, rota: Rota, there: Collection[str]) -> Problems:
    yield from _missing((*at, "members"), rota.members, there, "contact or team")
    for n, shift in enumerate(rota.holidays):
        if shift.who != NOBODY:
            yield from _missing((*at, "holidays", n, "who"), [shift.who], there, "contact or team")


def _of_chain(at: Path, chain: Chain, there: Collection[str]) -> Problems:
    for n, step in enumerate(chain.steps):
        for kind, names in (("call", step.call), ("call_in_turn", step.call_in_turn)):
            yield from _missing((*at, "steps", n, kind), names, there, "contact, team or rota")


def _of_routes(on_call: OnCall) -> Problems:
    for n, route in enumerate(on_call.routes):
        if route.called:
            yield from _missing(("routes", n, "chain"), [route.chain], on_call.chains, "chain")
    if not on_call.routes and not on_call.chains:
        yield ("chains",), "there is none: nobody would be called for any alert"
    if not on_call.routes and len(on_call.chains) > 1:
        yield ("routes",), "there are several chains: say which alerts go to which"


def _missing(path: Path, names: Iterable[str], there: Collection[str], kind: str) -> Problems:
    for name in names:
        if name not in there:
            known = sorted(there)
            likely = difflib.get_close_matches(name, known, 1)
            cure = f"do you mean {likely[0]!r}?" if likely else f"there is {_some(known)}"
            yield path, f"there is no {kind} {name[:40]!r}: {cure}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "") or "none"


def _with_defaults(given: Any) -> tuple[Any, list[tuple[Path, str]]]:
    """Return it with what `defaults` say of chains written out."""
    if not isinstance(given, Mapping) or "defaults" not in given:
        return given, []
    rest = {name: value for name, value in given.items() if name != "defaults"}
    usual, chains = given["defaults"], rest.get("chains")
    if not isinstance(usual, Mapping):
        return rest, [(("defaults",), "it is not a set of named fields")]
    unknown = sorted({*map(str, usual)} - (Chain.model_fields.keys() - {"steps"}))
    if isinstance(chains, Mapping):
        known = {name: value for name, value in usual.items() if name not in unknown}
        rest["chains"] = {
            name: {**known, **chain} if isinstance(chain, Mapping) else chain
            for name, chain in chains.items()
        }
    return rest, [(("defaults", name), "there is no such option of chains") for name in unknown]


def _told(error: ValidationError) -> list[tuple[Path, str]]:
    """Return each fault once: a list is not too short as well because an entry of it is wrong."""
    found = [(_path(item), item) for item in error.errors()]
    within = {path[:-1] for path, _ in found}
    return [
        (path, _words(item))
        for path, item in found
        if not (item["type"] == "too_short" and path in within)
    ]


def _path(item: Any) -> Path:
    """Return where it is wrong, without what pydantic adds for keys and alternatives."""
    return tuple(part for part in item["loc"] if part != "[key]" and part not in _ALTERNATIVES)


_ALTERNATIVES = {"str", "tuple[str, ...]"}


def _words(item: Any) -> str:
    if item["type"] == "missing":
        return "it is missing"
    return "it is empty" if item["input"] is None else mask_text(in_plain_words(item))
