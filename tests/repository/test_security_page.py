"""docs/explanation/security.md names tests that there are, and one for each thing that holds."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/explanation/security.md").read_text()
THREATS = PAGE.partition("## What each can do at worst")[2].partition("\n## ")[0]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)))
CHAPTERS = 17


@cache
def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return {name for name in found if name.startswith("test_")}


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    assert (ROOT / path).is_file()
    assert name in names_in(path)


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def test_every_threat_says_what_holds_and_which_test_shows_it() -> None:
    threats = [row for row in rows(THREATS) if row[0] != "at worst"]
    assert len(threats) > 30
    assert [row for row in threats if len(row) != 3 or "tests/" not in row[2]] == []


def test_every_chapter_of_the_standard_is_there_once() -> None:
    table = PAGE.partition("## ASVS")[2]
    numbers = [int(n) for n in re.findall(r"^\| V(\d+) ", table, re.MULTILINE)]
    assert numbers == list(range(1, CHAPTERS + 1))
