"""When a process was started, as the kernel tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.health.process_start import started

AFTER = "S 1 1 1 0 -1 4194560 0 0 0 0 1 2 3 4 20 0 1 0 4242 524 441 0"


@pytest.mark.parametrize("name", ["worker", "a b", "(x) S 1 2", ") 7 ("])
def test_it_is_read_whatever_the_process_is_called(tmp_path: Path, name: str) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_text(f"7 ({name}) {AFTER}\n")
    assert started(7, tmp_path) == 4242


@pytest.mark.parametrize("text", ["", "7 (worker)", "7 (worker) S 1"])
def test_what_cannot_be_read_is_not_known(tmp_path: Path, text: str) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_text(text)
    assert started(7, tmp_path) is None
    assert started(8, tmp_path) is None
