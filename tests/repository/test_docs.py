"""What the documentation lists is what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.settings import Settings
from dispatcher.states import Reason, State

ROOT = Path(__file__).resolve().parents[2]


def variables() -> set[str]:
    return {
        str(field.validation_alias or f"DISPATCHER_{name.upper()}")
        for name, field in Settings.model_fields.items()
    }


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    table = "\n".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`([A-Z_]+)`", table)) == variables()


def test_every_state_and_reason_is_in_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    missing = {word for word in [*State, *Reason] if f"`{word}`" not in text}
    assert not missing


PAGES = ["README.md", *(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    targets = re.findall(r"\]\(((?!http)[^)#]+)", (ROOT / page).read_text())
    broken = [target for target in targets if not (ROOT / page).parent.joinpath(target).exists()]
    assert not broken
