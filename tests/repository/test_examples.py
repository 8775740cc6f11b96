"""What the documentation shows can be typed: commands, options, names and settings are there."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

import dispatcher
from config.settings import Settings
from dispatcher.cli import app
from dispatcher.provider import registry
from dispatcher.provider.registry import registration
from support.doc_pages import ROOT, blocks, named, pages
from website import http_api
from workers.gateway import latency
from workers.gateway.metrics import METRICS, PREFIX

PAGES = pages(old=False)
NAME = "voice-dispatcher"
COMMANDS = get_command(app)
FIRST_WORDS = set(COMMANDS.commands)
_ENDS = re.compile(r"[|;&<>()]+")
_OF_THE_SHELL = re.compile(r"^(?:\$ )?(.*)$", re.MULTILINE)


def typed(text: str) -> Iterator[list[str]]:
    """Yield the words behind `voice-dispatcher` of each command that a page shows."""
    shell = "\n".join(blocks(text, "sh", "console", "cron", "bash")).replace("\\\n", " ")
    for line in _OF_THE_SHELL.findall(shell):
        yield from _commands(line)
    for code in re.findall(r"`([^`\n]+)`", text):
        first, _, _ = code.partition(" ")
        if code.startswith(f"{NAME} "):
            yield from _commands(code)
        elif first in FIRST_WORDS and " --" in code:
            yield from _commands(f"{NAME} {code}")


def _commands(line: str) -> Iterator[list[str]]:
    if NAME not in line:
        return
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    found: list[str] | None = None
    for word in words:
        if word == NAME or word.endswith(f"/{NAME}"):
            found = []
        elif found is not None and _ENDS.fullmatch(word):
            yield found
            found = None
        elif found is not None:
            found.append(word)
    if found is not None:
        yield found


def wrong(words: list[str]) -> str:
    """Return what of a command is not there; '' where all of it is."""
    command: Any = COMMANDS
    value_follows = False
    for word in words:
        if word == "--" or command.context_settings.get("ignore_unknown_options"):
            break  # what follows is another program's
        if word.startswith("-"):
            option, gives, _ = word.partition("=")
            if option not in (options := _options(command)):
                return f"{option} of {' '.join(words)}"
            value_follows = not gives and not options[option]
        elif isinstance(command, TyperGroup) and not value_follows:
            command = _below(command, word)
            if command is None:
                return f"{word} of {' '.join(words)}"
        else:
            value_follows = False
    return ""


def _options(command: Any) -> dict[str, bool]:
    """Return the options of a command, and whether each is a flag."""
    given = {
        name: bool(getattr(each, "is_flag", False))
        for each in command.params
        if not getattr(each, "hidden", False)
        for name in (*each.opts, *each.secondary_opts)
    }
    return {"--help": True, **given}


def _below(group: TyperGroup, word: str) -> Any:
    """Return the command of this name; None if there is none. `…` stands for any."""
    with group.make_context(NAME, [], resilient_parsing=True) as context:
        if word not in group.list_commands(context):
            return None
        return group.resolve_command(context, [word])[1]


def test_the_check_sees_what_is_not_there() -> None:
    text = f"```sh\n{NAME} call +81 --shout\nx=$({NAME} lists --json)\n```\n`retry --soon`"
    assert [wrong(words) for words in typed(text)] == [
        "--shout of call +81 --shout",
        "lists of lists --json",
        "--soon of retry --soon",
    ]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_is_there_with_its_options(page: Path) -> None:
    assert not [fault for words in typed(page.read_text()) if (fault := wrong(words))]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_python_is_python_and_has_names_that_there_are(page: Path) -> None:
    for block in blocks(page.read_text(), "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module == "dispatcher":
                missing = [each.name for each in node.names if not hasattr(dispatcher, each.name)]
                assert not missing


OF_THE_COMMAND_LINE = {"DISPATCHER_GATEWAY_URL", "DISPATCHER_KEY_FILE", "DISPATCHER_CLIENT"}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_setting_that_is_named_is_there(page: Path) -> None:
    known = {f"DISPATCHER_{name.upper()}" for name in Settings.model_fields} | OF_THE_COMMAND_LINE
    known |= {name for each in registry.PROVIDERS for name in registration(each).variables}
    told = set(re.findall(r"\bDISPATCHER_[A-Z][A-Z_]*[A-Z]\b", page.read_text()))
    assert not told - known


_ROUTE = re.compile(r"/v1/[a-z][\w/{}$.-]*")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_route_that_is_named_is_there(page: Path) -> None:
    told = {path.rstrip("./") for path in _ROUTE.findall(page.read_text())}
    assert not {path for path in told if not _is_route(path.split("/"))}


def _is_route(path: list[str]) -> bool:
    """Whether a path may be meant by a route, whose `{…}` stand for anything."""
    return any(
        len(route) == len(path)
        and all(is_ == told or is_.startswith("{") for is_, told in zip(route, path, strict=True))
        for route in (each.split("/") for each in http_api.document()["paths"])
    )


METRIC_NAMES = {
    *(f"{PREFIX}{metric.name}" for metric in METRICS),
    *(f"{PREFIX}{name}" for name in ("redis_up", "info")),
    latency.NAME,
}
_OF_A_COUNTER = re.compile(r"_(total|bucket|sum|count)$")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_metric_that_is_named_is_there(page: Path) -> None:
    told = set(re.findall(rf"\b{PREFIX}[a-z_]+[a-z]\b(?!\*)", page.read_text()))
    assert not {name for name in told if _OF_A_COUNTER.sub("", name) not in METRIC_NAMES}


def test_the_readme_installs_what_there_is() -> None:
    text = (ROOT / "README.md").read_text()
    extras = set(re.findall(r"\.\[(\w+)\]", text))
    assert extras
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert extras <= project["optional-dependencies"].keys()
