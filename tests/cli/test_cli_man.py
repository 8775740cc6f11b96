"""The manual pages: one for each command, without a warning of groff."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dispatcher.cli import man
from dispatcher.cli.commands import COMMANDS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("man1")
    man.main(folder)
    return folder


def test_each_command_has_a_page_and_those_below_it_too(folder: Path) -> None:
    found = {page.name for page in folder.iterdir()}
    assert {f"voice-dispatcher-{name}.1" for name in COMMANDS} < found
    assert {"voice-dispatcher.1", "voice-dispatcher-keys-create.1"} < found


@pytest.mark.skipif(shutil.which("groff") is None, reason="there is no groff here")
def test_groff_has_nothing_to_say_of_any(folder: Path) -> None:
    pages = sorted(map(str, folder.iterdir()))
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Kutf8", "-Tutf8", "-z", *pages],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("groff") is None, reason="there is no groff here")
def test_a_page_says_what_the_help_says(folder: Path) -> None:
    done = subprocess.run(
        ["groff", "-man", "-Kutf8", "-Tutf8", folder / "voice-dispatcher-call.1"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    plain = re.sub("\x1b\\[[0-9;]*m", "", done.stdout)
    assert "voice-dispatcher-call - Call somebody: say a text, or play a recording." in plain
    assert 'voice-dispatcher call +818012340001 --say "Disk full on db1" --wait' in plain
    assert "--dry-run" in plain
