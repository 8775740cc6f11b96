"""Reads one HTTP answer from a socket, all of it within one time.

Nearly every answer is a plain yes: a head that comes in one piece, a length, a body. Such a one is
read here, for a tenth of the processor time that http.client and urllib3 need between them. Every
other, and whatever is odd about any, is theirs to read, from its first byte.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final

from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import HTTPError

_PIECE: Final = 1 << 14
_NAME: Final = rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_YES: Final = re.compile(
    rb"HTTP/1\.1 (2(?!04)[0-9][0-9])(?: [^\r\n]*)?\r\n((?:" + _NAME + rb":[^\r\n]*\r\n)+)\r\n"
)
"""The head of a yes: its status and its headers. A 204 has no body, whatever it says of one."""
_FRAMING: Final = re.compile(
    rb"^(content-length|content-encoding|transfer-encoding|connection):[ \t]*([^\r]*?)[ \t]*\r$",
    re.IGNORECASE | re.MULTILINE,
)
_PLAIN: Final = frozenset({b"content-length", b"connection"})
_KEEPS: Final = {b"keep-alive": True, b"close": False}
_LONGEST_NUMBER: Final = 9


@dataclass(frozen=True, slots=True)
class Answered:
    """What came. `body` is None where it was cut off; `keeps`: the connection can be used again.

    `headers` have names in any case. A plain yes has none here, as nobody looks at them.
    """

    status: int
    body: bytes | None
    keeps: bool
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def read_answer(sock: socket.socket, wait: float, most: int) -> Answered:
    """Return the answer to what was sent, and at most `most` bytes of its body.

    It must be there whole within `wait` seconds; a trickle does not prolong that. Raises
    HTTPException, HTTPError or OSError where no status came.
    """
    until = time.monotonic() + wait
    sock.settimeout(wait)
    data = sock.recv(_PIECE)
    head = _YES.match(data)
    plain = _plain(head[2]) if head else None
    if head is None or plain is None or plain[0] > most:
        return _by_library(sock, data, until, most)
    length, keeps = plain
    size = head.end() + length
    whole = _whole(sock, data, size, until)
    if whole is None:
        return Answered(int(head[1]), None, keeps=False)
    return Answered(int(head[1]), whole[head.end() : size], keeps and len(whole) == size)


def _plain(headers: bytes) -> tuple[int, bool] | None:
    """Return a body's length, and whether the connection stays; None where it is not so simple."""
    said = [(name.lower(), value.lower()) for name, value in _FRAMING.findall(headers)]
    told = dict(said)
    if len(told) != len(said) or not told.keys() <= _PLAIN:
        return None
    length, keeps = told.get(b"content-length", b""), told.get(b"connection", b"keep-alive")
    if keeps not in _KEEPS or not length.isdigit() or len(length) > _LONGEST_NUMBER:
        return None
    return int(length), _KEEPS[keeps]


def _whole(sock: socket.socket, data: bytes, size: int, until: float) -> bytes | None:
    """Return `data` with what follows, `size` bytes or more; None where they do not come."""
    try:
        while len(data) < size:
            _wait_until(until, sock)
            piece = sock.recv(_PIECE)
            if not piece:
                return None
            data += piece
    except OSError:
        return None
    return data


def _by_library(sock: socket.socket, data: bytes, until: float, most: int) -> Answered:
    """Read an answer that begins with `data`."""
    _wait_until(until, sock)
    with closing(Answer(sock, ahead=data)) as answer:
        answer.begin()
        headers = HTTPHeaderDict(answer.headers.items())
        body, whole = _unpacked(answer, headers, most)
        return Answered(answer.status, body, whole and not answer.will_close, headers)


def _unpacked(
    answer: http.client.HTTPResponse, headers: HTTPHeaderDict, most: int
) -> tuple[bytes | None, bool]:
    """Return the body, at most so many bytes of it, None where it was cut off; and whether it
    ended there.
    """
    try:
        reading = HTTPResponse(answer, headers, answer.status, preload_content=False)
        return reading.read(most, decode_content=True), answer.isclosed()
    except (HTTPError, OSError, ValueError):  # the last: a chunk of negative length
        return None, False


def _wait_until(until: float, sock: socket.socket) -> None:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the answer took too long as a whole")
    sock.settimeout(left)


class _Deadlined(io.RawIOBase):
    """A socket's bytes, behind those that were read ahead of it; all of them before a moment."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, ahead: bytes) -> None:
        self._raw, self._sock, self._ahead = raw, sock, io.BytesIO(ahead)
        self._until = time.monotonic() + (sock.gettimeout() or 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if taken := self._ahead.readinto(buffer):
            return taken
        _wait_until(self._until, self._sock)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class Answer(http.client.HTTPResponse):
    """An answer that must be whole within the socket's timeout; a trickle does not prolong it.

    `ahead` are its first bytes, where they have been read already.
    """

    def __init__(self, sock: socket.socket, *args: Any, ahead: bytes = b"", **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Deadlined(self.fp.detach(), sock, ahead))
