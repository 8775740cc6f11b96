"""Only a provider's own package and its stand-in know its name, its words and its rules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAY_KNOW = ("dispatcher/provider/xoxzo/", "dispatcher/provider/registry.py", "dispatcher/sandbox/")
NAME = re.compile(r"xoxzo", re.IGNORECASE)
WORDS = re.compile(
    r"(?<![.\w])(ANSWERED|NO ANSWER|FAILED|IN PROGRESS)\b"
    r"|simple/(playback|conference)|\b(callbackurl|tts_message|tts_lang|recording_url)\b"
)
"""Status words, types of call, form fields."""


def files() -> list[Path]:
    """Every text of the code, but for what may know."""
    paths = [
        path for root in ("dispatcher", "workers", "config") for path in (ROOT / root).rglob("*")
    ]
    return sorted(
        path
        for path in paths
        if path.suffix in {".py", ".lua", ".html", ".js", ".css"}
        and not str(path.relative_to(ROOT)).startswith(MAY_KNOW)
    )


def texts(path: Path) -> Iterator[str]:
    """Yield what a file says: of Python its texts, since `State.FAILED` is a name of ours."""
    source = path.read_text()
    if path.suffix != ".py":
        yield source
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_nobody_else_names_it() -> None:
    assert len(files()) > 100
    assert [str(path) for path in files() if NAME.search(path.read_text())] == []


def test_nobody_else_knows_its_words() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in files()
        for text in texts(path)
        for match in WORDS.finditer(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "WORD = 'ANSWERED'",
        "match word:\n    case 'NO ANSWER': pass",
        "def f():\n    'An IN PROGRESS'",
    ],
)
def test_the_check_sees_a_word_wherever_it_stands(tmp_path: Path, source: str) -> None:
    path = tmp_path / "module.py"
    path.write_text(source)
    assert any(WORDS.search(text) for text in texts(path))
