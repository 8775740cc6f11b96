"""A server that answers by script, or misbehaves by script, on real sockets."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl

TOKEN = "t0ken-that-nobody-may-read"


def http(status: int, body: object = b"", *, headers: dict[str, str] | None = None) -> bytes:
    """Return a whole answer; a body that is no bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"Content-Length": str(len(data)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Reason\r\n{head}\r\n".encode() + data


def placed(callid: str = "b160f404-f1d1") -> bytes:
    return http(201, [{"callid": callid}])


def reset(connection: socket.socket, _: object = None) -> None:
    """Cut a connection without a goodbye."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@dataclass
class Seen:
    """A request as the server read it."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def fields(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


Answer = bytes | Callable[[socket.socket, Seen | None], None]


def stop(connection: socket.socket, _: object = None) -> None:
    """End a connection politely, without a word."""
    connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def after(data: bytes, end: Callable[[socket.socket], None] = stop) -> Answer:
    """Send this and no more."""

    def answer(connection: socket.socket, _: object) -> None:
        connection.sendall(data)
        end(connection)

    return answer


@dataclass
class Wire:
    """Answers each request with the next of its answers, the last one for ever."""

    answers: list[Answer]
    tls: ssl.SSLContext | None = None
    reads: bool = True
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        # Wakes the accepting thread, which closing alone does not.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                self.connections += 1
                self._start(self._serve, connection, self.connections)

    def _serve(self, plain: socket.socket, number: int) -> None:
        with plain, suppress(OSError, ValueError):
            connection = self.tls.wrap_socket(plain, server_side=True) if self.tls else plain
            with connection:
                if not self.reads:
                    self._answer(connection, None)
                while self.reads and (request := self._read(connection, number)):
                    self._answer(connection, request)

    def _answer(self, connection: socket.socket, request: Seen | None) -> None:
        answer = self._next()
        if isinstance(answer, bytes):
            connection.sendall(answer)
        else:
            answer(connection, request)

    def _read(self, connection: socket.socket, number: int) -> Seen | None:
        data = _more(connection, b"", lambda data: b"\r\n\r\n" in data)
        head, _, body = data.partition(b"\r\n\r\n")
        line, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
        size = int(headers.get("content-length", 0))
        body = _more(connection, body, lambda data: len(data) >= size)
        request = Seen(line, headers, body, number)
        if line:
            self.seen.append(request)
        return request if line else None

    def _next(self) -> Answer:
        with self._lock:
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def _more(connection: socket.socket, data: bytes, enough: Callable[[bytes], bool]) -> bytes:
    while not enough(data) and (piece := connection.recv(65536)):
        data += piece
    return data
