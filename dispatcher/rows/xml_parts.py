"""XML that nobody has looked at, read as it goes in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any
from xml.parsers import expat

CHUNK = 1 << 16
LONGEST_TAG = 1 << 20
"""Bytes of one tag at most: a longer one is made to fill the memory."""
MOST = 1 << 33
"""Bytes of one part at most, unpacked: a sheet of a million long rows has a fraction of it."""

Start = Callable[[str, Mapping[str, str]], None]


class BrokenXml(ValueError):
    """It is no XML, or not such as a spreadsheet program writes."""


def steps(part: IO[bytes], start: Start, end: Callable[[str], None], text: Any) -> Iterator[None]:
    """Read a part a chunk at a time, and yield after each; names come without their prefix.

    Raises BrokenXml.
    """
    parser = expat.ParserCreate()

    def begin(root: str, attributes: Mapping[str, str]) -> None:
        """Set the handlers: where the root has a prefix, all that matters has it, too."""
        parser.StartElementHandler, parser.EndElementHandler = start, end
        if ":" in root:
            parser.StartElementHandler = lambda name, its: start(_local(name), its)
            parser.EndElementHandler = lambda name: end(_local(name))
        start(_local(root), attributes)

    parser.buffer_text = True
    parser.StartElementHandler = begin
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_entities
    fed = 0
    try:
        while chunk := part.read(CHUNK):
            fed += len(chunk)
            parser.Parse(chunk, False)
            if fed - parser.CurrentByteIndex > LONGEST_TAG or fed > MOST:
                raise BrokenXml("it is larger than a sheet can be")
            yield
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise BrokenXml(str(error)) from None
    yield


def elements(part: IO[bytes]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the start of each element, with its attributes by their names without a prefix."""
    found: list[tuple[str, Mapping[str, str]]] = []

    def start(name: str, attributes: Mapping[str, str]) -> None:
        found.append((name, {_local(key): value for key, value in attributes.items()}))

    for _ in steps(part, start, lambda _: None, None):
        yield from found
        found.clear()


_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def unescaped(text: str) -> str:
    """Return a text in which a workbook wrote characters as `_x000D_`."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text).replace("\r\n", "\n")


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _refuse_entities(*_: Any) -> None:
    raise BrokenXml("it declares entities, which no spreadsheet program does")
