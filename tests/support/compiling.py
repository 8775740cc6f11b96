"""Compiling for all workers of a run at once. In a fresh checkout each of them would compile every
file, since they come to the same file at the same time: two thirds of what collecting costs.
"""

from __future__ import annotations

import py_compile
import sys
from collections.abc import Iterator
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("config", "dispatcher", "workers")


def compile_share(config: pytest.Config) -> None:
    """Compile what this worker's turn is of the files that nobody has compiled yet."""
    worker = getattr(config, "workerinput", None)
    if worker is None or sys.dont_write_bytecode:
        return
    turn, of = int(worker["workerid"].removeprefix("gw")), worker["workercount"]
    for file in list(_packages())[turn::of]:
        py_compile.compile(str(file))
    for file in list(_tests())[turn::of]:
        _rewrite(file, config)


def _packages() -> Iterator[Path]:
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            if not Path(cache_from_source(str(file))).exists():
                yield file


def _tests() -> Iterator[Path]:
    """The files whose `assert` pytest rewrites."""
    tests = ROOT / "tests"
    for file in sorted(tests.rglob("*.py")):
        ours = file.name.startswith("test_") or file.parent == tests / "support"
        if (ours or file.name == "conftest.py") and not _cache(file).exists():
            yield file


def _cache(file: Path) -> Path:
    return rewrite.get_cache_dir(file) / (file.stem + rewrite.PYC_TAIL)


def _rewrite(file: Path, config: pytest.Config) -> None:
    """As pytest does, which has no name for it; it finds and checks what is written here."""
    state = config.stash[rewrite.assertstate_key]
    hash_, code = rewrite._rewrite_test(file, config)
    rewrite.try_makedirs(_cache(file).parent)
    rewrite._write_pyc(state, code, hash_, _cache(file))
