"""Manual pages from the commands' own help: `python -m dispatcher.cli.man FOLDER` writes a page
for each command, such as voice-dispatcher-call.1.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from dispatcher import __version__
from dispatcher.cli import app

NAME = "voice-dispatcher"
EXITS = {
    "0": "It was done.",
    "1": "It failed: nobody was reached, something was refused, or Redis is away.",
    "2": "Wrong usage.",
    "130": "Ctrl-C was pressed.",
}
ENVIRONMENT = {
    "TZ": "The time zone of what is shown.",
    "NO_COLOR": "Where it is set, there are no colours.",
}


def pages() -> Iterator[tuple[str, str]]:
    """Yield the name of each page, and its text for man(7)."""
    yield from _pages(get_command(app), NAME)


def _pages(command: Any, path: str) -> Iterator[tuple[str, str]]:
    with command.make_context(path, [], resilient_parsing=True) as context:
        yield path.replace(" ", "-"), "\n".join(_page(command, path, context)) + "\n"
        for name, below in _below(command, context):
            yield from _pages(below, f"{path} {name}")


def _below(command: Any, context: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(command, TyperGroup):
        for name in command.list_commands(context):
            _, below, _ = command.resolve_command(context, [name])
            yield name, below


def _page(command: Any, path: str, context: Any) -> Iterator[str]:
    first, *others = (command.help or "").strip().split("\n\n")
    title = path.replace(" ", "-")
    yield f'.TH "{_text(title.upper())}" "1" "" "{NAME} {__version__}" "User Commands"'
    yield ".SH NAME"
    yield f"{_text(title)} \\- {_text(_one_line(first))}"
    yield ".SH SYNOPSIS"
    yield f".B {_text(path)}"
    yield _text(" ".join(command.collect_usage_pieces(context)))
    yield ".SH DESCRIPTION"
    for part in (first, *others):
        yield from _paragraph(part)
    yield from _terms("ARGUMENTS", _records(command, context, "argument"))
    yield from _terms("OPTIONS", _records(command, context, "option"))
    below = {each: found.get_short_help_str(200) for each, found in _below(command, context)}
    yield from _terms("COMMANDS", below)
    yield from _terms("EXIT STATUS", EXITS)
    yield from _terms("ENVIRONMENT", ENVIRONMENT)
    yield ".SH SEE ALSO"
    yield f".BR {_text(NAME)} (1)"


def _records(command: Any, context: Any, kind: str) -> dict[str, str]:
    """Return the arguments or the options of a command, and what they say."""
    params = (each for each in command.get_params(context) if each.param_type_name == kind)
    return dict(filter(None, (each.get_help_record(context) for each in params)))


def _terms(title: str, terms: dict[str, str]) -> Iterator[str]:
    if terms:
        yield f".SH {title}"
    for term, says in terms.items():
        yield ".TP"
        yield f"\\fB{_text(term)}\\fR"
        yield _text(_one_line(says))


def _paragraph(text: str) -> Iterator[str]:
    """Yield a paragraph of a help text; one that begins with a backspace stays as it is broken."""
    yield ".PP"
    if text.startswith("\b"):
        yield ".nf"
        yield from map(_text, text.removeprefix("\b\n").splitlines())
        yield ".fi"
    else:
        yield _text(_one_line(text))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _text(text: str) -> str:
    """Return a line that roff shows as it is."""
    return re.sub(r"^([.'])", r"\\&\1", text.replace("\\", "\\e").replace("-", "\\-"))


def main(folder: Path) -> None:
    """Write all pages into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages():
        (folder / f"{name}.1").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
