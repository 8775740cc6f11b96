"""A job's record by the whole names of its fields, as people read it, and as it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from dispatcher.store.event_text import EventText
from dispatcher.store.schema import DEFAULT_PRIORITY, AttemptField, Field, attempt_field

_OF_ATTEMPT = re.compile(r"([0-9]+)([a-z_]+)")
_LINE = re.compile(r"t[0-9]+")
_SINCE_CREATION = re.compile(r"finished|[0-9]+\.(sent|ended)")
_LINE_IN_WORDS = re.compile(r"([0-9]+) ([a-z_]+):?(\S*) (\S+) ?(.*)", re.DOTALL)


def in_words(raw: Mapping[str, str]) -> dict[str, str]:
    """Return a raw record with whole names (`state`, `1.sent`), lines of the timeline in words
    ('0 queued producer'), and what is left out because it follows from the rest.
    """
    return dict(_in_words(tuple(raw.items())))


@lru_cache(1 << 15)  # most records of a store are as they were at the look before
def _in_words(raw: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    found = {_named(name): value for name, value in raw}
    for name in filter(_LINE.fullmatch, found):
        line = EventText.read(found[name])
        assert line, found[name]
        reason = line.reason and f":{line.reason}"
        told = [str(line.ms), f"{line.state}{reason}", line.actor, line.why]
        found[name] = " ".join(filter(None, told))
    for name in filter(_SINCE_CREATION.fullmatch, found):
        found[name] = str(int(found["created"]) + int(found[name]))
    if "created" in found:
        return {"priority": str(DEFAULT_PRIORITY), "due": found["created"]} | found
    return found


def as_written(record: Mapping[str, str]) -> dict[str, str]:
    """Return what `in_words` was told, or what it might have been told."""
    since = {
        name: str(int(record[name]) - int(record["created"]))
        for name in filter(_SINCE_CREATION.fullmatch, record)
    }
    found = {_written(name): value for name, value in {**record, **since}.items()}
    for name in filter(_LINE.fullmatch, found):
        words = _LINE_IN_WORDS.fullmatch(found[name])
        assert words, found[name]
        ms, state, reason, actor, why = words.groups()
        found[name] = str(EventText(int(ms), state, reason, actor, why))
    return found


@cache
def _named(name: str) -> str:
    stem, mark, piece = name.partition("~")
    if of := _OF_ATTEMPT.fullmatch(stem):
        return f"{of[1]}.{AttemptField(of[2]).name.lower()}{mark}{piece}"
    return stem + mark + piece if _LINE.fullmatch(stem) else _of_job(stem) + mark + piece


def _of_job(stem: str) -> str:
    return {"la": "lang"}.get(stem) or Field(stem).name.lower()


def _written(name: str) -> str:
    stem, mark, piece = name.partition("~")
    number, dot, what = stem.partition(".")
    if dot:
        stem = attempt_field(number, AttemptField[what.upper()])
    elif stem == "lang" or stem.upper() in Field.__members__:
        stem = Field.LANGUAGE if stem == "lang" else Field[stem.upper()]
    return stem + mark + piece
