"""Set-up is repeatable, quick the second time, and tied to no machine and no package source."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
BUILD_FILES = [
    ".ci/alertmanager",
    ".ci/promtool",
    ".ci/browser",
    ".ci/demos",
    ".ci/pin",
    ".ci/proxies",
    ".ci/requirements",
    ".ci/run",
    ".ci/sbom",
    ".dockerignore",
    ".env.example",
    "Dockerfile",
    "Makefile",
    "deploy/image/base",
    "deploy/image/build",
    "deploy/image/smoke",
    "docker-compose.yml",
    "pyproject.toml",
    "requirements/audit.txt",
    "requirements/bench.txt",
    "requirements/dev.txt",
    "requirements/docs.txt",
    "requirements/embedded.txt",
    "requirements/server.txt",
]
EXTRAS = {"dev", "embedded", "otel", "server"}
LISTS = ("audit", "bench", "dev", "docs", "embedded", "server")
PIN = re.compile(
    r"(?P<name>[a-z0-9.-]+)==(?P<version>[0-9][a-z0-9.+!]*)(?P<marker> ; [^\\]+)?"
    r"(?P<hashes>( \\\n    --hash=sha256:[0-9a-f]{64})+)\n"
)


def pins(name: str) -> dict[str, str]:
    """The versions in a list for this interpreter, by distribution."""
    text = (ROOT / f"requirements/{name}.txt").read_text()
    return {found["name"]: found["version"] for found in PIN.finditer(text) if _is_for_us(found)}


def _is_for_us(pin: re.Match[str]) -> bool:
    marker = (pin["marker"] or "").removeprefix(" ; ").strip()
    return not marker or Marker(marker).evaluate()


REQUIRED = ("pyproject.toml", "requirements/dev.txt", "requirements/embedded.txt")
"""What the installation follows."""
LICENCES = ROOT / "docs/reference/licenses.md"
ELSEWHERE = {"async-timeout", "colorama"}
"""Needed by other interpreters and platforms only."""
TARGETS = [
    "help",
    "install",
    "demo",
    "up",
    "check",
    "test",
    "lint",
    "docs",
    "man",
    "screenshots",
    "dashboard",
    "rules",
    "incidents",
    "bench",
    "image",
    "pins",
    "sbom",
    "audit",
    "clean",
]

PACKAGE_SOURCE = re.compile(
    r"https?://(?!127\.0\.0\.1)|file://|git\+|--(extra-)?index-url|--find-links|--trusted-host"
    r"|\bPIP_(EXTRA_)?INDEX_URL|\bPIP_FIND_LINKS"
)
MACHINE_PATH = re.compile(r"/(home|Users|root|opt|usr/local)/")


def requirements(distribution: str, extras: frozenset[str]) -> Iterator[Requirement]:
    """What a distribution asks for in this interpreter, with these extras."""
    for text in requires(distribution) or []:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras | {""}):
            yield requirement


def closure(distribution: str, extras: set[str]) -> set[str]:
    """The names of all that comes with a distribution, at any remove."""
    found: set[str] = set()
    todo = [(distribution, frozenset(extras))]
    seen = set(todo)
    while todo:
        parent, wanted = todo.pop()
        for requirement in requirements(parent, wanted):
            name = canonicalize_name(requirement.name)
            found.add(name)
            step = (name, frozenset(requirement.extras))
            if step not in seen:
                seen.add(step)
                todo.append(step)
    return found - {distribution}


def test_every_requirement_is_pinned_at_the_version_installed() -> None:
    pinned = pins("dev") | pins("embedded")
    needed = closure("voice-dispatcher", EXTRAS)
    assert {"celery", "flower", "pytest"} <= needed
    assert {name: pinned.get(name) for name in needed} == {name: version(name) for name in needed}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_pins_with_hashes_and_nothing_else(name: str) -> None:
    about, _, rest = (ROOT / f"requirements/{name}.txt").read_text().partition("\n")
    assert about.startswith("# ")
    assert PIN.sub("", rest) == ""
    assert pins(name)


def test_one_distribution_has_one_version_in_all_lists() -> None:
    for name in LISTS:
        both = pins(name).items() ^ pins("dev").items()
        assert (
            not {distribution for distribution, _ in both} & pins("dev").keys() & pins(name).keys()
        )


def test_the_licences_are_of_what_the_image_holds() -> None:
    """It was written by `make sbom`: again after `make pins`."""
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \| (.+?) \|$", LICENCES.read_text(), re.MULTILINE)
    listed = {canonicalize_name(name): number for name, number, _ in rows}
    here = {name: number for name, number in pins("server").items() if name not in ELSEWHERE}
    assert listed == here


@pytest.mark.parametrize("name", BUILD_FILES)
def test_a_build_file_names_no_package_source_and_no_path_of_a_machine(name: str) -> None:
    text = (ROOT / name).read_text().replace("https://api.xoxzo.com", "")
    assert PACKAGE_SOURCE.findall(text) == []
    assert MACHINE_PATH.findall(text) == []


@pytest.mark.parametrize(
    "script",
    [
        ".ci/run",
        ".ci/pin",
        ".ci/proxies",
        ".ci/sbom",
        ".ci/demos",
        "deploy/image/base",
        "deploy/image/build",
    ],
)
def test_a_script_can_be_run_and_stops_at_the_first_failure(script: str) -> None:
    path = ROOT / script
    assert os.access(path, os.X_OK)
    assert "set -euo pipefail" in path.read_text()
    subprocess.run(["bash", "-n", path], check=True)


def make(directory: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run make as from a bare shell: not as a child of the make that may run these tests."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= variables
    return subprocess.run(
        ["make", *arguments],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_interpreters_keep_what_they_compile_whatever_the_environment_says() -> None:
    shown = '--eval=shown: ; @echo "<$$PYTHONDONTWRITEBYTECODE>"'
    ran = make(ROOT, shown, "shown", PYTHONDONTWRITEBYTECODE="1")
    assert (ran.stdout, ran.stderr) == ("<>\n", "")


def test_help_lists_every_target() -> None:
    listed = re.findall(r"^  make ([a-z]+)", make(ROOT, "help").stdout, re.MULTILINE)
    assert listed == TARGETS


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What make looks at in a checkout that is set up, under a path with a space."""
    directory = tmp_path / "a checkout"
    (directory / ".venv/bin").mkdir(parents=True)
    hour_ago = time.time() - 3600
    (directory / "requirements").mkdir()
    for name in ("Makefile", *REQUIRED, "requirements/bench.txt", "requirements/docs.txt"):
        (directory / name).write_text((ROOT / name).read_text())
        os.utime(directory / name, (hour_ago, hour_ago))
    (directory / ".venv/installed").touch()
    os.utime(directory / ".venv/installed", (hour_ago + 60, hour_ago + 60))
    (directory / ".venv/bin/python").touch()  # the machine's interpreter was upgraded since
    return directory


def test_a_second_set_up_does_nothing(checkout: Path) -> None:
    assert make(checkout, "--question", "install").returncode == 0


@pytest.mark.parametrize("name", REQUIRED)
def test_a_changed_requirement_is_installed(checkout: Path, name: str) -> None:
    (checkout / name).touch()
    assert make(checkout, "--question", "install").returncode == 1


@pytest.mark.parametrize("target", ["demo", "up", "check", "test", "lint", "docs", "bench"])
def test_a_target_sets_up_first_and_uses_the_environment_of_this_checkout(
    checkout: Path, target: str
) -> None:
    (checkout / ".venv/installed").unlink()
    planned = make(checkout, "--dry-run", target).stdout
    assert planned.index("pip install") < planned.rindex(".venv/bin/")
    assert all(line.startswith(".venv/bin/") for line in planned.splitlines()[-1:])


def test_a_python_that_is_too_old_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """An interpreter that says it is 3.10 stands in for one."""
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\nexec python3 -c "import sys; sys.version_info = (3, 10); $2"\n')
    old.chmod(0o755)
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "requirements").mkdir()
    for name in REQUIRED:
        (tmp_path / name).touch()
    done = make(tmp_path, "install", f"PYTHON={old}")
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed" in done.stderr
    assert "make PYTHON=" in done.stderr
