"""The provider's own words, out of whatever body it sent them in, fit to be shown."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Self

from dispatcher.provider.errors import UnexpectedShape
from dispatcher.provider.xoxzo.answers import decode
from dispatcher.values.masking import mask_text

_LONGEST_PAGE = 32_768  # bytes before tags are taken out; reasons stand at the top
_LONGEST_RAW = 4000
_LONGEST = 300
_MOST = 20  # parameters, and messages of one of them; a call has fewer
_DEEPEST = 4
_BEGINNING = 12  # characters; a provider may cut what it repeats
_SHORTEST_PRIVATE = 3  # characters; shorter texts are parts of ordinary words
_SPELLED = re.compile(r"\d(?:\s*,\s*,\s*\d)+")
"""A code, or what of one is left, where only a part of the text is repeated."""
_UNNAMED = frozenset({"detail", "non_field_errors"})
_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^<>]*>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Words:
    """`raw` is for finding things in, and is not shown; `detail` and `fields` may be."""

    raw: str = field(repr=False)
    detail: str
    fields: dict[str, list[str]]

    @classmethod
    def of(cls, body: bytes, private: Iterable[str]) -> Self:
        """Read a body; `private` texts are left out of what may be shown."""
        try:
            data = decode(body)
        except UnexpectedShape:
            data = _page(body)
        raw = _flat(data)
        return cls(raw[:_LONGEST_RAW], presentable(raw, private), _fields(data, private))


def presentable(text: str, private: Iterable[str]) -> str:
    """Return a text on one line, cut, without `private` texts and with its numbers masked."""
    for secret in private:
        if len(secret) >= _SHORTEST_PRIVATE:
            text = _without(text, secret)
    text = _SPELLED.sub("…", text[:_LONGEST_RAW])
    words = " ".join(mask_text(text).split())
    shown = "".join(character if character.isprintable() else "?" for character in words)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _without(text: str, secret: str) -> str:
    """Return a text without a secret, and without what is only its beginning."""
    text, begin = text.replace(secret, "…"), secret[:_BEGINNING]
    while len(begin) == _BEGINNING and (at := text.find(begin)) >= 0:
        pairs = zip(text[at:], secret, strict=False)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        text = f"{text[:at]}…{text[at + same :]}"
    return text


def _page(body: bytes) -> str:
    text = body[:_LONGEST_PAGE].decode("utf-8", "replace")
    return html.unescape(_TAG.sub(" ", text))


def _flat(data: Any, depth: int = 0) -> str:
    if depth > _DEEPEST:
        return "…"
    if isinstance(data, dict):
        return "; ".join(_named(name, _flat(data[name], depth + 1)) for name in [*data][:_MOST])
    if isinstance(data, list):
        return ", ".join(_flat(item, depth + 1) for item in data[:_MOST])
    return str(data)


def _named(name: str, text: str) -> str:
    return text if name in _UNNAMED else f"{name}: {text}"


def _fields(data: Any, private: Iterable[str]) -> dict[str, list[str]]:
    if not isinstance(data, dict):
        return {}
    return {
        presentable(name, private): [
            presentable(_flat(message), private) for message in _listed(data[name])[:_MOST]
        ]
        for name in [*data][:_MOST]
    }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
