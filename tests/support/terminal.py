"""Commands as a terminal shows them: a pseudo terminal of so many columns, and what came there."""

from __future__ import annotations

import os
import pty
import re
import struct
import termios
from fcntl import ioctl

from support.cli_shell import SCRIPT, Shell
from support.forked import Forked


def in_a_terminal(shell: Shell, *arguments: str, columns: int = 80, **variables: str) -> str:
    """Return what the command prints to a terminal: stdout and stderr are the same one."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = shell.environment({"TERM": "xterm", **variables})
    with Forked(
        [SCRIPT, *arguments],
        cwd=shell.folder,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        printed = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    return printed.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # nobody holds the other end any more
        return b""


def plain(printed: str) -> list[str]:
    """Return the lines as a terminal shows them, without colours and what a status line left."""
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|[\u2068\u2069]", "", printed)
    return [line.rpartition("\r")[2] for line in shown.replace("\r\n", "\n").rstrip().split("\n")]
