"""The chains file: YAML, read with the line of every value, so that each fault is told with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatcher.errors import UsageError
from dispatcher.model.on_call import OnCall
from dispatcher.model.on_call_check import InvalidOnCall, checked, place

if TYPE_CHECKING:
    import yaml

LARGEST = 1_000_000
"""Bytes of a chains file."""
MOST_VALUES = 50_000
"""Values of a file, those that aliases repeat among them."""
DEEPEST = 30
_EMPTY = {"", "~", "null", "Null", "NULL"}

Place = tuple[str | int, ...]


class InvalidChainsFile(UsageError, ValueError):
    """The file cannot be used; each line of the message is `file:line: what is wrong`."""


@dataclass(frozen=True, slots=True)
class _Faulty(Exception):
    line: int
    what: str


def load(path: Path) -> OnCall:
    """Read a chains file. Raises InvalidChainsFile."""
    return parse(read_bytes(path), str(path))


def read_bytes(path: Path) -> bytes:
    """Return what stands in a file, as far as one may be long. Raises InvalidChainsFile."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise InvalidChainsFile(f"{path}: cannot be read: {error.strerror}") from None


def parse(raw: bytes, name: str = "file") -> OnCall:
    """Read the bytes of a chains file. Raises InvalidChainsFile, with every fault that shows."""
    try:
        values = _Values(_text(raw))
    except _Faulty as fault:
        raise InvalidChainsFile(f"{name}:{fault.line}: {fault.what}") from None
    try:
        return checked(values.whole)
    except InvalidOnCall as error:
        told = (
            f"{name}:{values.line(path)}: {place(path)}: {what}" for path, what in error.problems
        )
        raise InvalidChainsFile("\n".join(told)) from None


def _text(raw: bytes) -> str:
    if len(raw) > LARGEST:
        raise _Faulty(1, f"it has more than {LARGEST} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _Faulty(line, "it is not UTF-8: save it as UTF-8") from None


class _Values:
    """The values of a file, all of them texts, and where they stand.

    What YAML makes of plain words is not asked: it takes 10:00 for 600 and no for false.
    """

    def __init__(self, text: str) -> None:
        self._lines: dict[Place, int] = {}
        self._left = MOST_VALUES
        node = _composed(text)
        self.whole: Any = {} if node is None else self._value(node, (), 0)

    def line(self, path: Place) -> int:
        """Return the line of a value, or of what it would stand in."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def _value(self, node: yaml.Node, path: Place, depth: int) -> Any:
        self._lines[path] = line = node.start_mark.line + 1
        self._left -= 1
        if self._left < 0 or depth > DEEPEST:
            raise _Faulty(line, "there are too many values: repeat fewer, or nest them less")
        if isinstance(node.value, str):
            plain = getattr(node, "style", None) is None
            return None if plain and node.value in _EMPTY else node.value
        if isinstance(node, _sequence()):
            return [self._value(each, (*path, n), depth + 1) for n, each in enumerate(node.value)]
        return self._mapping(node, path, depth)

    def _mapping(self, node: yaml.Node, path: Place, depth: int) -> Mapping[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            line, name = key.start_mark.line + 1, key.value
            if not isinstance(name, str):
                raise _Faulty(line, "a name must be a text")
            if name == "<<":
                raise _Faulty(line, "`<<` is not known here: write the fields out")
            if name in found:
                raise _Faulty(line, f"{name[:40]!r} stands here a second time: keep one")
            found[name] = self._value(value, (*path, name), depth + 1)
            self._lines[*path, name] = line
        return found


def _sequence() -> type[yaml.SequenceNode]:
    import yaml  # noqa: PLC0415 - see below

    return yaml.SequenceNode


def _composed(text: str) -> yaml.Node | None:
    # Not at the top: whoever has no file needs no YAML.
    import yaml  # noqa: PLC0415

    try:
        return yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = error.problem or error.context or "it is not YAML"
        cure = ": indent with spaces, not with tabs" if "'\\t'" in said else ""
        raise _Faulty(mark.line + 1 if mark else 1, f"it is not YAML: {said}{cure}") from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise _Faulty(
            line, f"it has a character that YAML does not allow: {error.reason}"
        ) from None
    except RecursionError:
        raise _Faulty(1, "it is nested too deeply") from None
