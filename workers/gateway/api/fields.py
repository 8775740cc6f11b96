"""The fields of a request that is no job: each read in plain words, or refused by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from dispatcher.model.invalid_job import InvalidJob
from dispatcher.store.audit import LONGEST_NOTE

T = TypeVar("T")


class Fields:
    """The object of a body. What is wrong with a field raises InvalidJob, naming it."""

    def __init__(self, found: dict[str, Any]) -> None:
        self._found = found

    def text(self, name: str, read: Callable[[str], T]) -> T | None:
        """Return what a text says, None where it is left out."""
        value = self._found.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise InvalidJob([(name, "it must be a text")])
        return self._read(name, value, read)

    def any(self, name: str, read: Callable[[Any], T]) -> T | None:
        """Return what a value says, None where it is left out."""
        value = self._found.get(name)
        return None if value is None else self._read(name, value, read)

    def flag(self, name: str) -> bool | None:
        """Return true or false, None where it is left out."""
        return self.any(name, _flag)

    def texts(self, name: str, read: Callable[[str], T]) -> tuple[T, ...] | None:
        """Return what a text or a list of texts says, None where it is left out."""
        value = self._found.get(name)
        if value is None:
            return None
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(each, str) for each in values):
            raise InvalidJob([(name, "it must be a text, or a list of texts")])
        return tuple(self._read(name, each, read) for each in values)

    def object(self, name: str) -> Fields | None:
        """Return the fields of an object, None where it is left out."""
        value = self._found.get(name)
        if value is not None and not isinstance(value, dict):
            raise InvalidJob([(name, "it must be an object")])
        return None if value is None else Fields(value)

    def note(self) -> str:
        """Return the note: why, for the timeline and the audit."""
        return self.text("note", _note) or ""

    def no_others(self, *names: str) -> None:
        """Refuse what was misspelt."""
        others = sorted(self._found.keys() - set(names))
        if others:
            why = f"there is no such field; use {', '.join(names)}"
            raise InvalidJob([(each, why) for each in others])

    def _read(self, name: str, value: Any, read: Callable[[Any], T]) -> T:
        try:
            return read(value)
        except ValueError as error:
            raise InvalidJob([(name, str(error))]) from None


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("it must be true or false")  # noqa: TRY004 - for Fields
    return value


def _note(text: str) -> str:
    if len(text) > LONGEST_NOTE or not text.isprintable():
        raise ValueError(f"a note has at most {LONGEST_NOTE} printable characters")
    return text
