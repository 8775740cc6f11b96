"""The command line as people run it: the real script, or its `main` in this process."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import pty
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dispatcher import cli
from dispatcher.security_log import NAME
from support.forked import Forked
from support.log_set_up import put_back

SCRIPT = Path(sysconfig.get_path("scripts")) / "voice-dispatcher"
ENDS_WITHIN = 180.0  # seconds: a busy machine imports Celery slowly


@dataclass(frozen=True)
class Ran:
    """What a run left: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def complaint(self) -> str:
        """The one sentence on stderr: ours, or what follows a usage."""
        lines = self.err.splitlines()
        if lines and lines[0].startswith("Usage: "):
            lines = lines[lines.index("") + 1 :]
        assert len(lines) == 1, self.err
        kind, colon, sentence = lines[0].partition(": ")
        assert (kind.lower(), colon) == ("error", ": "), self.err
        return sentence


class Shell:
    """A directory and an environment of PATH, HOME and the variables given, nothing else.

    PYTHONPATH goes along where there is one: tests of a checkout that is not the installed one.
    """

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self.variables = variables

    def environment(self, variables: dict[str, str]) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        base = {**kept, "HOME": str(self.folder)}
        return {**base, **self.variables, **variables}

    def start(self, *arguments: str | bytes, **variables: str) -> subprocess.Popen[bytes]:
        """Start the real script in a process of its own; whoever starts it ends it."""
        return Forked(
            [SCRIPT, *arguments],
            cwd=self.folder,
            env=self.environment(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str | bytes, **variables: str) -> Ran:
        """Run the real script in a process of its own to its end."""
        return self.end(self.start(*arguments, **variables))

    def end(self, process: subprocess.Popen[bytes]) -> Ran:
        """Wait for the end of what was started."""
        with process:
            try:
                out, err = process.communicate(timeout=ENDS_WITHIN)
            finally:
                process.kill()
        return Ran(process.returncode, out.decode(), err.decode())

    def __call__(self, *arguments: str, **variables: str) -> Ran:
        """Run the command line in this process: the same `main`, some ten times as quick."""
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with (
            patch.dict(os.environ, self.environment(variables), clear=True),
            patch.object(sys, "argv", [str(SCRIPT), *arguments]),
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            _logs_of_its_own(),
        ):
            code = _exit_code()
        return Ran(code, _text(out), _text(err))

    def at_a_terminal(self, answer: str, *arguments: str) -> tuple[int, str]:
        """Run with a terminal as stdin and stderr; return the exit code and what it showed."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, str(SCRIPT), *arguments],
            cwd=self.folder,
            env=self.environment({"TERM": "xterm", "COLUMNS": "120"}),
            stdin=theirs,
            stdout=subprocess.DEVNULL,
            stderr=theirs,
        )
        os.close(theirs)
        os.write(ours, answer.encode())
        shown = b""
        with contextlib.suppress(OSError):  # the other side is closed
            while True:
                shown += os.read(ours, 4096)
        os.close(ours)
        return process.wait(ENDS_WITHIN), shown.decode()


@contextlib.contextmanager
def _logs_of_its_own() -> Iterator[None]:
    """Let a command set up logs, and have them as they were when it has ended."""
    with put_back(), put_back(NAME):
        logging.root.handlers.clear()
        yield


def _exit_code() -> int:
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()
