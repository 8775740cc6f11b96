"""The code of another commit in a folder and an environment of its own, to run beside this one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.circumstances import ROOT


@dataclass(frozen=True)
class Checkout:
    """Code that can be run: where it is, and the Python that has the packages it is pinned to."""

    name: str
    root: Path = ROOT
    python: Path = Path(sys.executable)

    def command(self, module: str, *arguments: str) -> tuple[str, ...]:
        """Return the command that runs a module of this code."""
        return (str(self.python), "-P", "-m", module, *arguments)

    def run(self, code: str, *arguments: str) -> str:
        """Run a piece of Python beside this code; return what it prints."""
        command = [str(self.python), "-P", "-c", code, *arguments]
        done = subprocess.run(
            command, env=self.environment(), stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout

    def environment(self, **settings: str) -> dict[str, str]:
        """Return the environment for a process of this code, with these variables besides."""
        return {"PATH": os.environ["PATH"], "PYTHONPATH": str(self.root), **settings}


HERE = Checkout("now")


@contextmanager
def checked_out(commit: str) -> Iterator[Checkout]:
    """Give another commit; its folder and its environment go with the end of the block."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root, environment = Path(folder, "code"), Path(folder, "environment")
        _git("worktree", "add", "--quiet", "--detach", str(root), commit)
        try:
            subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
            python = environment / "bin/python"
            print(f"installing what {commit} is pinned to ...\n", flush=True)
            subprocess.run([str(python), *_installation(root)], cwd=root, check=True)
            yield Checkout(commit, root, python)
        finally:
            _git("worktree", "remove", "--force", str(root))


def _installation(root: Path) -> list[str]:
    """Return how a checkout's own pins are installed: a list for processes, or constraints."""
    quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if (root / "requirements/server.txt").exists():
        return [*quiet, "--require-hashes", "-r", "requirements/server.txt"]
    return [*quiet, "-c", "constraints.txt", ".[server]"]


def _git(*arguments: str) -> None:
    subprocess.run(["git", "-C", str(ROOT), *arguments], check=True)
