"""What people read is in the words of the glossary: old terms do not come back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from typer.main import get_command

from config.settings import Settings
from dispatcher.cli import app
from workers.gateway.metrics import METRICS

ROOT = Path(__file__).resolve().parents[2]
OLD_NAMES = {"CHANGELOG.md", "upgrading.md"}
"""Pages that list old names for those who upgrade."""
PAGES = sorted(
    [
        *(page for page in ROOT.glob("*.md") if page.name not in OLD_NAMES),
        *(page for page in (ROOT / "docs").glob("*.md") if page.name not in OLD_NAMES),
        *(ROOT / "workers/gateway/console/templates").glob("*.html"),
        ROOT / "workers/gateway/console/static/console.js",
        ROOT / ".env.example",
        ROOT / "docker-compose.yml",
    ]
)
OLD = re.compile(
    r"""
      \bacts\ (list|show|stop)\b | \bacts?\ on\ many\b | \b(an|another|each)\ acts?\b
    | \bajar\b | \bgates?\b | \btrials?\b
    | \bdoors?\b | \btellers?\b | \bdesks?\b | \bcouriers?\b | \bguardians?\b | \bdiscreet\b
    | \bwish(es)?\b | \bmeant\b | \bmatters?\ now\b | \bwhat\ is\ the\ matter\b
    | \bnotices\b | \bfed\b | \bstumble(d|s)?\b | \bmend(s|ed)?\b
    | \blooks?\ (now|at\ the\ balance)\b | --look\b | \blooks\ failed\b | \blooked\ at\b
    | \b(stood|stands?)\ already\b | \bstands\ there\b
    | \bhas\ its\ way\b | \bgoe?s?\ by\ (the|a|it)\b | \bpast\ mattering\b
    | \blet(s)?\ (\w+\ )?in\b | \bno\ longer\ let\ in\b | \bcomes?\ home\b
    | \banew\b | \bwhoever\b | \bbears?\ the\ tag\b | \bwhose\ message\ is\ out\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
PATHS = re.compile(r"`[\w./*<>-]+\.(py|lua|md|html)`|\([\w./-]+\.md[^)]*\)|`ns:[^`]*`")
"""Names of files and keys are no prose."""


def old_words(text: str) -> list[str]:
    """Return the old terms in a text, each with its line."""
    return [line.strip() for line in text.splitlines() if OLD.search(PATHS.sub("", line))]


def helps(command: click.Command, path: str) -> Iterator[tuple[str, str]]:
    """Yield the help text of a command and of all below it."""
    with click.Context(command, info_name=path) as context:
        yield path, command.get_help(context)
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                _, below, _ = command.resolve_command(context, [name])
                assert below is not None
                yield from helps(below, f"{path} {name}")


def test_the_pattern_finds_old_words() -> None:
    assert old_words("one gate\nthe gateway\nacts list\nto act on a job") == [
        "one gate",
        "acts list",
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_and_templates_speak_plainly(page: Path) -> None:
    assert not old_words(page.read_text())


def test_every_help_text_speaks_plainly() -> None:
    found = dict(helps(get_command(app), "voice-dispatcher"))
    assert len(found) > 40
    assert not {path: words for path, text in found.items() if (words := old_words(text))}


def test_the_http_reference_speaks_plainly(document: dict[str, Any]) -> None:
    texts = [text for text in _texts(document) if OLD.search(text)]
    assert not texts


def test_settings_and_metrics_speak_plainly() -> None:
    names = [name.replace("_", " ") for name in Settings.model_fields]
    metrics = [
        f"{each.name.replace('_', ' ')} {' '.join(each.labels)} {each.help}" for each in METRICS
    ]
    assert not [text for text in (*names, *metrics) if OLD.search(text)]


def _texts(value: Any) -> Iterator[str]:
    """Yield every name and text of an OpenAPI document."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield name.replace("_", " ")
            yield from _texts(below)
    elif isinstance(value, list):
        for below in value:
            yield from _texts(below)
    elif isinstance(value, str):
        yield value
