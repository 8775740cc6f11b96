"""What the documentation lists is what there is."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import pytest

import dispatcher
from config.settings import Settings
from dispatcher.model.alert import ALERT_TRANSITIONS, AlertReason, AlertState
from dispatcher.model.states import TRANSITIONS, Reason, State
from dispatcher.provider import registry
from dispatcher.provider.registry import registration
from dispatcher.values.server_version import NEEDED
from support.doc_pages import ROOT, pages
from website import python_api


def rows(page: str, section: str = "") -> list[list[str]]:
    """Return the rows of all tables of a page, or of a section; each cell as it stands."""
    text = (ROOT / page).read_text()
    if section:
        text = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def words(cell: str) -> list[str]:
    """Return what stands as code in a cell."""
    return re.findall(r"`([^`]+)`", cell)


# -- settings -----------------------------------------------------------------------------------

SETTINGS = "docs/reference/settings.md"
NONE = "\N{EN DASH}"


def variables() -> set[str]:
    ours = {f"DISPATCHER_{name.upper()}" for name in Settings.model_fields}
    return ours | {name for each in registry.PROVIDERS for name in registration(each).variables}


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    table = " ".join(row[0] for row in rows(SETTINGS))
    assert set(re.findall(r"`([A-Z_]+)`", table)) == variables()


def defaults() -> Iterable[tuple[str, str]]:
    """Yield each setting of ours with the default that the page shows: a value in the setting's own
    words, or a dash for none. Defaults that depend on something are told in words, and left out.
    """
    for names, shown, *_ in rows(SETTINGS):
        told = re.split(r", (?=`|\d)", shown) if len(words(names)) > 1 else [shown]
        for name, each in zip_longest(words(names), told, fillvalue=told[-1]):
            field = name.removeprefix("DISPATCHER_").lower()
            if field in Settings.model_fields and re.fullmatch(
                rf"`(?!DISPATCHER_)[^`]+`|[\d.]+|{NONE}", each
            ):
                yield field, each.strip("`")


def test_the_default_that_is_shown_is_the_one_that_is_taken() -> None:
    told = dict(defaults())
    assert len(told) > 80
    assert not [
        f"{field}: {shown} is shown, {taken!r} is taken"
        for field, shown in told.items()
        if (taken := Settings.model_fields[field].default) != _value(field, shown)
    ]


def _value(field: str, shown: str) -> Any:
    """Return what a setting is where this is set."""
    if shown == NONE:
        taken = Settings.model_fields[field].default
        return None if taken else taken  # None, or empty
    return getattr(Settings(**{field: shown}), field)


# -- states, reasons, errors --------------------------------------------------------------------

STATES = "docs/reference/states.md"


@pytest.mark.parametrize(
    ("section", "transitions"), [("Jobs", TRANSITIONS), ("Alerts", ALERT_TRANSITIONS)]
)
def test_every_state_is_told_with_what_it_may_become(
    section: str, transitions: Mapping[str, frozenset[str]]
) -> None:
    told = {words(row[0])[0]: words(row[2]) for row in rows(STATES, section) if len(row) == 3}
    assert {state: set(after) for state, after in told.items()} == dict(transitions)


def test_every_reason_is_told() -> None:
    told = [row[0] for part in ("is held", "ended") for row in rows(STATES, f"Why a job {part}")]
    assert sorted(words(" ".join(told))) == sorted(Reason)
    of_alerts = [row[0] for row in rows(STATES, "Alerts") if len(row) == 2]
    assert sorted(words(" ".join(of_alerts))) == sorted(AlertReason)
    assert len(State) + len(AlertState) == len(TRANSITIONS) + len(ALERT_TRANSITIONS)


def test_every_error_of_python_is_told() -> None:
    told = words(" ".join(row[0] for row in rows("docs/reference/errors.md", "Python")))
    assert sorted(told) == sorted(python_api.errors())


def test_the_page_of_the_python_api_has_every_name_once() -> None:
    listed = re.findall(r"^::: (\S+)\.(\w+)$", python_api.page(), re.MULTILINE)
    names = [name for _, name in listed]
    assert sorted(names) == sorted(set(dispatcher.__all__) - {"__version__"})


# -- servers, files, dependencies ---------------------------------------------------------------


def test_the_oldest_server_is_the_one_that_is_checked() -> None:
    for page in ("docs/how-to/operations.md", "CHANGELOG.md"):
        assert NEEDED in (ROOT / page).read_text()
    assert not [page for page in pages() if re.search(r"Redis \d\S*\+", page.read_text())]


def _known_files() -> list[Path]:
    parts = ("dispatcher", "workers", "config", "tests")
    return [path for part in parts for path in (ROOT / part).rglob("*.*")]


def test_files_that_are_named_exist() -> None:
    text = " ".join(page.read_text() for page in (ROOT / "docs/explanation").rglob("*.md"))
    named = set(re.findall(r"`([\w/*]+\.(?:py|lua))`", text))
    known = _known_files()
    assert len(named) > 100
    assert not [name for name in named if not any(path.match(name) for path in known)]


def test_each_dependency_is_accounted_for_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [
        *project["dependencies"],
        *chain.from_iterable(project["optional-dependencies"].values()),
    ]
    names = {re.split(r"[>=<;]", each)[0].strip() for each in asked}
    cells = [row[0] for row in rows("docs/reference/dependencies.md")]
    told = Counter(words(" ".join(cell for cell in cells if re.fullmatch(r"(`\S+`(, )?)+", cell))))
    assert told == Counter({name: 1 for name in names if not name.startswith("voice-dispatcher")})
