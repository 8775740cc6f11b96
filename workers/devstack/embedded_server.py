"""A real Redis server in a folder of its own, for `up`, `demo` and the tests.

It keeps its data (append-only file) across stop, kill and start, listens on the loopback device
only and asks for a random password, because other users of the machine can reach that device too.
The folder is locked while the server runs, by the server itself: one that was left behind by a
killed owner keeps the lock, so two servers never write the same files.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.roles import environment_without
from dispatcher.errors import DispatcherError
from workers.devstack.process_reaper import PROCESS_REAPER, kill_group
from workers.devstack.redis_server import NoRedisServer, find_servers, quoted
from workers.devstack.server_data import why_unreadable

__all__ = ["EmbeddedServer", "EmbeddedServerError", "NoRedisServer", "PortInUse", "UnreadableData"]

LOADS_WITHIN = 60.0  # seconds: a log of some gigabytes is read in that
STOPS_WITHIN = 10.0
_HOST = "127.0.0.1"
_LOOK_EVERY = 0.005
_ANSWERS_WITHIN = 0.25  # seconds; then the process is looked at again
_MOST_PORTS = 10  # that a race for a free port is lost so often in a row means something else
_LAST_LINES = 5


class EmbeddedServerError(DispatcherError):
    """The server cannot run in this folder; the message says what to do."""


class PortInUse(EmbeddedServerError):
    """Something else listens on the port; choose another."""


class UnreadableData(EmbeddedServerError):
    """The data in the folder was written by a server whose format this one does not know."""


class EmbeddedServer:
    """A Redis server that is started and stopped with this process.

    `port` None: the folder's last one if it is free, else any free one; once started, an object
    keeps its port. `server` None: the first server of this machine that can read the folder's data.
    Nothing of the server outlives this process. Use it in a `with` block.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        appendfsync: str = "everysec",
        maxmemory: str = "0",
        server: Path | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None
        self._appendfsync, self._maxmemory = appendfsync, maxmemory
        self._server = server
        self._password = ""
        self._lock: int | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.folder)!r}, port={self.port})"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """`redis://:PASSWORD@127.0.0.1:PORT/0`, a secret.

        Raises EmbeddedServerError before the first start.
        """
        if self.port is None or not self._password:
            raise EmbeddedServerError(f"the Redis server in {self.folder} has no URL yet: start it")
        return f"redis://:{self._password}@{_HOST}:{self.port}/0"

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the server and wait until it answers with its data loaded.

        Raises EmbeddedServerError (the folder is in use, the server died: with the end of its
        log), PortInUse, UnreadableData, NoRedisServer.
        """
        if self.running:
            raise EmbeddedServerError(f"the server in {self.folder} runs already: stop it first")
        self._clean_up()
        servers = [self._server] if self._server else find_servers()
        try:
            self._prepare_folder()
            self._start_one_of(servers)
        except BaseException:
            self._end(signal.SIGKILL, STOPS_WITHIN)
            raise

    def stop(self, timeout: float = STOPS_WITHIN) -> None:
        """Stop the server with everything on disk; kill it after `timeout` seconds."""
        self._end(signal.SIGTERM, timeout)

    def kill(self) -> None:
        """End the server as a crash would (SIGKILL); `start` finds the data again."""
        self._end(signal.SIGKILL, STOPS_WITHIN)

    def restart(self) -> None:
        """Stop and start on the same port."""
        self.stop()
        self.start()

    def revive(self) -> bool:
        """Start the server again if it was started and has died; return whether it had."""
        if self.process is None or self.running:
            return False
        self.start()
        return True

    def _prepare_folder(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        self._take_lock()
        self._password = self._kept("password") or secrets.token_urlsafe(24)
        self._keep("password", self._password)

    def _take_lock(self) -> None:
        self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = self._kept("redis.pid") or "unknown"
            raise EmbeddedServerError(
                f"{self.folder} is in use by a Redis server (pid {pid}): stop that one, wait a"
                " moment if its owner was killed just now, or choose another folder"
            ) from None

    def _start_one_of(self, servers: Sequence[Path]) -> None:
        """Go on to the next server where one cannot read the data; the first says why."""
        first: UnreadableData | None = None
        for server in servers:
            try:
                self._start_on_a_port(server)
            except UnreadableData as error:
                first = first or error
            else:
                self._server = server
                return
        if first:
            raise first

    def _start_on_a_port(self, server: Path) -> None:
        """Race for a port: another process may take a free one before the server does."""
        for port in [self.port] if self.port else self._candidates():
            try:
                self._start_on(server, port)
            except PortInUse:
                continue
            self.port = port
            self._keep("port", str(port))
            return
        where = f"port {self.port} of {_HOST}" if self.port else f"every port tried of {_HOST}"
        raise PortInUse(f"{where} is in use by another process: stop it, or choose another port")

    def _candidates(self) -> list[int]:
        last = self._kept("port")
        tried = [int(last)] if last.isdecimal() else []
        return tried + [_free_port() for _ in range(_MOST_PORTS)]

    def _start_on(self, server: Path, port: int) -> None:
        if not _is_free(port):
            raise PortInUse  # asked first, so that no stranger is shown the password
        self._keep("redis.conf", self._configuration(port))
        with os.fdopen(os.open(self.folder / "redis.log", _APPEND, 0o600), "ab") as log:
            read_from = log.tell()
            self.process = PROCESS_REAPER.spawn(
                [str(server), str(self.folder / "redis.conf")],
                env=environment_without(os.environ),
                pass_fds=[self._lock],  # the lock is the server's own from here on
                stdout=log,  # what it says before it has read where its log is
                stderr=subprocess.STDOUT,
            )
        self._wait_until_it_answers(server, self.process, port, read_from)

    def _configuration(self, port: int) -> str:
        lines = {
            "bind": _HOST,
            "port": str(port),
            "requirepass": self._password,
            "dir": quoted(self.folder),
            "pidfile": quoted(self.folder / "redis.pid"),
            "logfile": quoted(self.folder / "redis.log"),
            "appendonly": "yes",
            "appendfsync": self._appendfsync,
            "save": '""',
            "maxmemory": self._maxmemory,
            "maxmemory-policy": "noeviction",
        }
        return "".join(f"{name} {value}\n" for name, value in lines.items())

    def _wait_until_it_answers(
        self, server: Path, process: subprocess.Popen[bytes], port: int, read_from: int
    ) -> None:
        deadline = time.monotonic() + LOADS_WITHIN
        client = redis.Redis(
            host=_HOST,
            port=port,
            password=self._password,
            socket_timeout=_ANSWERS_WITHIN,
            retry=Retry(NoBackoff(), 0),
        )
        with client:
            while not _answers(client):
                if process.poll() is not None:
                    raise self._death(server, read_from)
                if time.monotonic() > deadline:
                    raise EmbeddedServerError(
                        f"the Redis server in {self.folder} did not answer within"
                        f" {LOADS_WITHIN:g} s:\n{self._log_since(read_from)}"
                    )
                time.sleep(_LOOK_EVERY)

    def _death(self, server: Path, read_from: int) -> EmbeddedServerError:
        log = self._log_since(read_from)
        self._reap()
        if "Address already in use" in log:
            return PortInUse()
        if unreadable := why_unreadable(self.folder, server, log):
            return UnreadableData(unreadable)
        return EmbeddedServerError(f"the Redis server in {self.folder} ended at its start:\n{log}")

    def _log_since(self, position: int) -> str:
        with suppress(OSError), (self.folder / "redis.log").open("rb") as log:
            log.seek(position)
            lines = log.read().decode(errors="replace").strip().splitlines()
            return "\n".join(lines[-_LAST_LINES:]) or "(its log is empty)"
        return "(it wrote no log)"

    def _end(self, number: signal.Signals, timeout: float) -> None:
        try:
            if self.process and self.running:
                self.process.send_signal(number)
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(timeout)
        finally:
            self._clean_up()

    def _clean_up(self) -> None:
        """Leave neither process nor lock behind, whatever state they are in."""
        self._reap()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _reap(self) -> None:
        if self.process:
            kill_group(self.process.pid)
            self.process.wait()
            PROCESS_REAPER.release(self.process)
            self.process = None

    def _kept(self, name: str) -> str:
        with suppress(OSError):
            return (self.folder / name).read_text().strip()
        return ""

    def _keep(self, name: str, text: str) -> None:
        """Write a file that only its owner can read, from its first moment on."""
        with os.fdopen(os.open(self.folder / name, _REPLACE, 0o600), "w", encoding="utf-8") as file:
            file.write(text)


_REPLACE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:  # it does not listen yet, is loading, or is not our server
        return False


def _free_port() -> int:
    with socket.create_server((_HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    try:
        socket.create_server((_HOST, port)).close()
    except OSError:
        return False
    return True
