"""Tables in a terminal of 80 columns: a number or a moment that is cut off is of no use."""

from __future__ import annotations

import os
import pty
import re
import struct
import subprocess
import termios
from fcntl import ioctl

from dispatcher.model.request import JobRequest
from dispatcher.store import Store
from dispatcher.values.masking import mask_number
from support.cli_shell import SCRIPT, Shell

NUMBER = "+818011234567"


def in_a_terminal(shell: Shell, *arguments: str) -> str:
    """Return what the command prints to a terminal of 80 columns, without its colours."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {**shell.environment({}), "TERM": "xterm"}
    with subprocess.Popen(
        [SCRIPT, *arguments], cwd=shell.folder, env=environment, stdin=theirs, stdout=theirs
    ):
        os.close(theirs)
        printed = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", printed.decode())


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # nobody holds the other end any more
        return b""


def test_a_list_is_whole_and_what_matters_stands_first(shell: Shell, store: Store) -> None:
    tags = ("campaign:spring-in-tokyo", "visit")
    id_ = store.jobs.enqueue(JobRequest.of({"recipient": NUMBER, "say": "Hello", "tags": tags})).id
    (line,) = (line for line in in_a_terminal(shell, "list").splitlines() if id_ in line)
    assert "…" not in line
    assert line.index(mask_number(NUMBER)) < 80 - len(NUMBER)
    assert line.rstrip().endswith(", ".join(tags))
