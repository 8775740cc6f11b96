"""How the command line prints: lines and colours for people, JSON for programs.

A terminal gets lines that fit it, and colours that say nothing that words do not say. What goes
anywhere else is never broken or cut.
"""

from __future__ import annotations

import json
import shutil
import sys
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
NARROWEST = 40
"""Columns of a terminal that is thought to be no narrower: less would only make more lines."""
_JOINERS = "\u200c\u200d"  # what some scripts and emoji are written with, though it is no sign
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"


class Format(StrEnum):
    """What the rows of a file are written in."""

    CSV = "csv"
    JSONL = "jsonl"


def console() -> Console:
    """Return rich's console on standard output, as it is now: what moves is written through it."""
    from rich.console import Console  # noqa: PLC0415 - most output is lines, and needs none

    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False)


def width() -> int | None:
    """Return the columns of the terminal; None where there is none, so that nothing is broken."""
    if not sys.stdout.isatty():
        return None
    return max(NARROWEST, shutil.get_terminal_size().columns)


def colours() -> bool:
    """Whether there are to be colours: on a terminal that knows them, unless NO_COLOR is set."""
    if not sys.stdout.isatty():
        return False
    out = console()
    return out.color_system is not None and not out.no_color


def painted(text: str, style: str) -> str:
    """Return a text as a terminal with colours shows it in this style of rich's."""
    from rich.color import ColorSystem  # noqa: PLC0415 - as in `console`
    from rich.style import Style  # noqa: PLC0415

    return Style.parse(style).render(text, color_system=ColorSystem.STANDARD) if style else text


def styled(text: str, style: str) -> str:
    """Return a text in this style, where there are colours."""
    return painted(text, style) if style and colours() else text


def as_json(value: Any) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def line(text: str) -> None:
    """Print a line in which others may have written."""
    lines([text])


def lines(texts: Iterable[str], *, before: str = "", indent: int = 0) -> None:
    """Print lines in which others may have written, each after what stands `before` it. A terminal
    gets them broken between words, and what follows a first line indented.
    """
    room = width()
    for text in texts:
        told = [visible(text)]
        if room is not None:
            told = folded(told[0], room - indent) or [""]
        sys.stdout.write(before + f"\n{' ' * indent}".join(told) + "\n")


def folded(text: str, most: int) -> list[str]:
    """Return a text in lines of at most so many columns, parted between words where that can be."""
    from rich.cells import cell_len  # noqa: PLC0415 - as in `console`

    if "\n" not in text and cell_len(text) <= most:
        return [text]
    from rich.text import Text  # noqa: PLC0415

    return [each.plain.rstrip() for each in Text(text).wrap(console(), most)]


def visible(text: str) -> str:
    """Return what others wrote with nothing in it that moves, turns or colours a terminal."""
    if text.isprintable():
        return text
    kept = f"\n{_JOINERS}"
    return "".join(each if each.isprintable() or each in kept else _escaped(each) for each in text)


def _escaped(sign: str) -> str:
    return f"\\x{ord(sign):02x}" if ord(sign) < 0x100 else f"\\u{ord(sign):04x}"  # noqa: PLR2004


def isolated(text: str) -> str:
    """Return a text beside which others stand in place, though it is written from right to left."""
    if text.isascii() or not any(unicodedata.bidirectional(each) in {"R", "AL"} for each in text):
        return text
    return f"{_ISOLATE}{text}{_END_ISOLATE}"
