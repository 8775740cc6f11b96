"""What the documentation lists is what there is."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest

from config.settings import Settings
from dispatcher.model.states import Reason, State
from dispatcher.provider import registry
from dispatcher.provider.registry import registration
from dispatcher.values.server_version import NEEDED

ROOT = Path(__file__).resolve().parents[2]


def variables() -> set[str]:
    ours = {f"DISPATCHER_{name.upper()}" for name in Settings.model_fields}
    return ours | {name for each in registry.PROVIDERS for name in registration(each).variables}


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    text = (ROOT / "docs/reference/settings.md").read_text()
    table = "\n".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`([A-Z_]+)`", table)) == variables()


def test_every_state_and_reason_is_in_the_architecture() -> None:
    text = (ROOT / "docs/explanation/architecture.md").read_text()
    missing = {word for word in [*State, *Reason] if f"`{word}`" not in text}
    assert not missing


PAGES = [
    "README.md",
    *(str(page.relative_to(ROOT)) for page in sorted((ROOT / "docs").rglob("*.md"))),
]


def test_the_oldest_server_is_the_one_that_is_checked() -> None:
    for page in ("docs/how-to/operations.md", "CHANGELOG.md"):
        assert NEEDED in (ROOT / page).read_text()
    assert not [page for page in PAGES if re.search(r"Redis \d\S*\+", (ROOT / page).read_text())]


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    targets = re.findall(r"\]\(((?!http)[^)#]+)", (ROOT / page).read_text())
    broken = [target for target in targets if not (ROOT / page).parent.joinpath(target).exists()]
    assert not broken


@pytest.mark.parametrize("page", ["architecture.md", "invariants.md"])
def test_files_that_are_named_exist(page: str) -> None:
    text = (ROOT / "docs/explanation" / page).read_text()
    named = re.findall(r"`([\w/*]+\.(?:py|lua))`", text)
    known = [
        path
        for part in ("dispatcher", "workers", "config", "tests")
        for path in (ROOT / part).rglob("*.*")
    ]
    missing = [name for name in named if not any(path.match(name) for path in known)]
    assert named
    assert not missing


def test_each_dependency_is_accounted_for_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [
        *project["dependencies"],
        *chain.from_iterable(project["optional-dependencies"].values()),
    ]
    names = {re.split(r"[>=<;]", each)[0].strip() for each in asked}
    rows = re.findall(
        r"^\| (`.+?`) \|", (ROOT / "docs/reference/dependencies.md").read_text(), re.MULTILINE
    )
    told = Counter(re.findall(r"`([^`]+)`", " ".join(rows)))
    assert told == Counter({name: 1 for name in names if not name.startswith("voice-dispatcher")})
