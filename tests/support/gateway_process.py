"""A gateway as a process of its own, and a wire on which anything can be said to it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import requests

from support.forked import Forked
from support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
KEY = "k3y-of-the-gateways-tests"


class Gateway:
    """`python -m workers.run gateway`, with the environment that it is given and PATH alone."""

    def __init__(self, folder: Path, redis_url: str, **variables: str) -> None:
        self.port = free_port()
        self.scheme = "https" if "DISPATCHER_GATEWAY_TLS_CERT" in variables else "http"
        self.log_file = folder / f"gateway-{self.port}.log"
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "DISPATCHER_REDIS_URL": redis_url,
            "DISPATCHER_GATEWAY_PORT": str(self.port),
            "DISPATCHER_SECRET_KEY": KEY,
            **variables,
        }
        self._process: subprocess.Popen[str] | None = None
        self.session = requests.Session()

    def __enter__(self) -> Self:
        with self.log_file.open("a") as log:
            self._process = Forked(
                [sys.executable, "-m", "workers.run", "gateway"],
                cwd=ROOT,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout
        line = self._process.stdout.readline()
        if line != f"listening on {self.url}\n":
            self.__exit__()
            raise AssertionError(line + self.log)
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()
        if self._process:
            self.stop(signal.SIGKILL)

    def stop(self, number: signal.Signals = signal.SIGTERM, within: float = 30) -> int:
        """Send the signal; return the exit code."""
        assert self._process
        with self._process as process:
            self._process = None
            process.send_signal(number)
            try:
                return process.wait(within)
            finally:
                process.kill()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, self.url + path, timeout=30, **options)

    def wire(self, within: float = 20) -> socket.socket:
        """Return a plain connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=within)


def everything(wire: socket.socket) -> bytes:
    """Return what comes until the other side closes."""
    read = b""
    while chunk := wire.recv(65536):
        read += chunk
    return read


def problem(answer: requests.Response, status: int) -> dict[str, Any]:
    """Return the problem that an answer holds; it must be one of this status."""
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    return found
