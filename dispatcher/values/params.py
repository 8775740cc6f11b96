"""Further form fields for the provider: those that it knows and the dispatcher does not."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

MOST = 20
LONGEST_NAME = 64
LONGEST_VALUE = 500
MOST_BYTES = 8192
"""Of all names and values: they are kept with each job, as long as it is."""
_NAME = re.compile(rf"[A-Za-z][A-Za-z0-9_.-]{{0,{LONGEST_NAME - 1}}}", re.ASCII)


def params(given: Mapping[str, str], taken: Collection[str]) -> dict[str, str]:
    """Return fields by name if they can be sent; `taken` are the names of our own fields.

    Raises ValueError that says what is wrong. No value is in its text: it may be a secret.
    """
    if len(given) > MOST:
        raise ValueError(f"{len(given)} fields are too many: {MOST} at most")
    size = sum(len(f"{name}{value}".encode(errors="replace")) for name, value in given.items())
    if size > MOST_BYTES:
        raise ValueError(f"the fields have {size} bytes in all: {MOST_BYTES} at most")
    for name, value in given.items():
        _check(name, value, taken)
    return dict(given)


def parse_params(text: str, taken: Collection[str]) -> dict[str, str]:
    """Return what `name=value,name=value` says. Raises ValueError as `params` does."""
    pairs = [pair.strip() for pair in text.split(",") if pair.strip()]
    return params(named(pairs), taken)


def named(pairs: Collection[str]) -> dict[str, str]:
    """Return the fields of texts such as `name=value`. Raises ValueError."""
    fields: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals:
            raise ValueError(f"field {len(fields) + 1} has no =: write name=value")
        if name in fields:
            raise ValueError(f"{name[:LONGEST_NAME]!r} is there twice: give it once")
        fields[name] = value
    return fields


def _check(name: str, value: str, taken: Collection[str]) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name[:LONGEST_NAME]!r} is no name of a form field: a letter, then letters, digits,"
            f" _ . or -, {LONGEST_NAME} at most"
        )
    if name.lower() in taken:
        raise ValueError(f"{name!r} is a field that the dispatcher itself fills in: leave it out")
    if not value or len(value) > LONGEST_VALUE or not value.isprintable():
        raise ValueError(
            f"the value of {name!r} (not shown) is not 1 to {LONGEST_VALUE} printable characters"
        )
