"""What people read is in the words of the glossary: old terms do not come back."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.main import get_command

from config.settings import Settings
from dispatcher.cli import app
from support.plain_language import OLD, old_words
from website.commands import helps
from workers.gateway.metric_table import METRICS

ROOT = Path(__file__).resolve().parents[2]
OLD_NAMES = {"CHANGELOG.md", "upgrading.md"}
"""Pages that list old names for those who upgrade."""
PAGES = sorted(
    [
        *(page for page in ROOT.glob("*.md") if page.name not in OLD_NAMES),
        *(page for page in (ROOT / "docs").rglob("*.md") if page.name not in OLD_NAMES),
        *(ROOT / "workers/gateway/console/templates").glob("*.html"),
        ROOT / "workers/gateway/console/static/console.js",
        ROOT / ".env.example",
        ROOT / "docker-compose.yml",
    ]
)


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


def test_settings_and_metrics_speak_plainly() -> None:
    names = [name.replace("_", " ") for name in Settings.model_fields]
    metrics = [
        f"{each.name.replace('_', ' ')} {' '.join(each.labels)} {each.help}" for each in METRICS
    ]
    assert not [text for text in (*names, *metrics) if OLD.search(text)]
