"""What goes to an operation and what comes back: arguments, answers, missing functions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dispatcher.store.errors import StoreUnavailable


def flat(arguments: Mapping[str, Any]) -> Iterator[Any]:
    """Yield names and values as an operation takes them; those that are None or False are left out,
    lists and dicts are JSON.
    """
    for name, value in arguments.items():
        if value is not None and value is not False:
            yield name
            yield _text(value)


def _text(value: Any) -> Any:
    if isinstance(value, dict | list | tuple):
        # Half a character, which a provider may answer, cannot be written: it must stop no other.
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return int(value) if isinstance(value, bool) else value


def raised(answers: Sequence[Any]) -> list[Any]:
    """Return the answers, or raise the first error among them."""
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return list(answers)


def put(answers: list[Any], others: Mapping[int, Any]) -> list[Any]:
    """Return the answers with others in some places."""
    return [others.get(place, answer) for place, answer in enumerate(answers)]


def is_missing(answer: object) -> bool:
    """Return whether a server said that it does not know the function."""
    return isinstance(answer, Exception) and "Function not found" in str(answer)


def there(answers: list[Any]) -> list[Any]:
    """Return the answers of functions that were loaded just now. Raises StoreUnavailable where
    they are gone again.
    """
    if any(map(is_missing, answers)):
        raise StoreUnavailable(
            "the functions of this release are not in Redis, though they were loaded: does another"
            " program remove functions there, or have one of the same name?"
        )
    return answers
