"""Real Redis servers of any kind: with options, replicas, sentinels, TLS; killed, frozen, cut off.

For what one plain server (the fixture `server`) cannot bring about.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis
import trustme

from support.polling import eventually
from support.ports import free_port
from workers.devstack.redis_server import find_server, quoted

HOST = "127.0.0.1"
_ENDS_WITHIN = 60.0  # seconds


class Certificates:
    """A certificate authority, a server's certificate for 127.0.0.1, and a client's, as files.

    `valid` is from when to when the server's is, if not now.
    """

    def __init__(
        self, folder: Path, *, host: str = HOST, valid: tuple[datetime, datetime] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        authority = trustme.CA()
        begin, end = valid or (None, None)
        server = authority.issue_cert(host, not_before=begin, not_after=end)
        client = authority.issue_cert("client@example.org")
        self.authority = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.authority)
        self.certificate, self.key = _write(folder, "server", server)
        self.client_certificate, self.client_key = _write(folder, "client", client)

    def options(self) -> dict[str, str]:
        """Return what a server is given to speak TLS and nothing else."""
        return {
            "port": "0",
            "tls-cert-file": str(self.certificate),
            "tls-key-file": str(self.key),
            "tls-ca-cert-file": str(self.authority),
            "tls-auth-clients": "optional",
            "tls-replication": "yes",
        }


def _write(folder: Path, name: str, issued: trustme.LeafCert) -> tuple[Path, Path]:
    chain, key = folder / f"{name}.pem", folder / f"{name}.key"
    chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    return chain, key


class RedisProcess:
    """One server (or sentinel) process with a port and a folder of its own, inside a `with`.

    `options` are lines of redis.conf by their names; more than one line of a name are a tuple.
    """

    def __init__(
        self,
        folder: Path,
        options: Mapping[str, str | tuple[str, ...]] | None = None,
        *,
        binary: Path | None = None,
        tls: Certificates | None = None,
        sentinel: bool = False,
    ) -> None:
        self.folder, self.port, self.tls = folder, free_port(), tls
        self.binary = binary or find_server()
        self._sentinel = sentinel
        self._options: dict[str, str | tuple[str, ...]] = {
            "port": str(self.port),
            "bind": HOST,
            "dir": quoted(folder),
            "logfile": quoted(folder / "log"),
            **({} if sentinel else {"save": '""'}),
            **(tls.options() if tls else {}),
            **({"tls-port": str(self.port)} if tls else {}),
            **(options or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def url(self) -> str:
        """The URL without credentials; one with TLS names the authority."""
        if self.tls:
            return f"rediss://{HOST}:{self.port}/0?ssl_ca_certs={self.tls.authority}"
        return f"redis://{HOST}:{self.port}/0"

    def client(self, **options: Any) -> redis.Redis:
        """Return a bare client: no retries, no words of ours. Close it."""
        return redis.Redis.from_url(self.url, **options)

    def start(self, *, wait: bool = True) -> None:
        """Start it with the data and the configuration that it left, and wait for its answer."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "redis.conf"
        if not file.exists():  # a sentinel rewrites its own
            file.write_text("".join(_lines(self._options)))
        argv = [self.binary, file, *(["--sentinel"] if self._sentinel else [])]
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        if wait:
            eventually(self._answers, f"{self.binary.name} answers", more=self.log)

    def log(self) -> str:
        """Return what the server has logged."""
        file = self.folder / "log"
        return file.read_text(errors="replace") if file.exists() else ""

    def kill(self) -> None:
        """End it without a warning (SIGKILL)."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Let it end in order (SIGTERM)."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Let it hang: its connections stay open and say nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def follow(self, master: RedisProcess, *, port: int | None = None) -> None:
        """Make it a replica, through another port (a Cable's) if one is given, and wait for it."""
        with self.client() as client:
            client.execute_command("REPLICAOF", HOST, str(port or master.port))
            eventually(
                lambda: client.info("replication").get("master_link_status") == "up",
                "the replica is in step",
                more=self.log,
            )

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"it ended:\n{self.log()}"
        with self.client() as client:
            try:
                return bool(client.ping())
            except redis.AuthenticationError:
                return True
            except redis.ConnectionError:
                return False
            except redis.ResponseError:  # it answers, if only that it is loading
                return True

    def _end(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            self.process.send_signal(number)
            self.process.send_signal(signal.SIGCONT)
        self.process.wait(_ENDS_WITHIN)
        self.process = None


def _lines(options: Mapping[str, str | tuple[str, ...]]) -> Iterator[str]:
    for name, values in options.items():
        for value in values if isinstance(values, tuple) else (values,):
            yield f"{name} {value}\n"


SERVICE = "voice"
"""What the sentinels of tests call their master."""


class Together:
    """Servers that start and end together, inside a `with`."""

    def __init__(self, processes: list[RedisProcess]) -> None:
        self.processes = processes
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            for process in self.processes:
                exits.enter_context(process)
            self.join()
            self._exits = exits.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._exits.__exit__(kind, error, traceback)

    def join(self) -> None:
        """Have those that have started know each other, where they must be told."""


class Sentinels(Together):
    """Sentinels that watch one master, inside a `with`; a majority decides."""

    def __init__(
        self,
        folder: Path,
        master: RedisProcess,
        *,
        count: int = 3,
        down_after: float = 1.0,
        failover_timeout: float = 10.0,
        options: Mapping[str, str | tuple[str, ...]] | None = None,
        tls: Certificates | None = None,
    ) -> None:
        quorum = count // 2 + 1
        watched: dict[str, str | tuple[str, ...]] = {
            "sentinel": (
                f"monitor {SERVICE} {HOST} {master.port} {quorum}",
                f"down-after-milliseconds {SERVICE} {down_after * 1000:.0f}",
                f"failover-timeout {SERVICE} {failover_timeout * 1000:.0f}",
                f"parallel-syncs {SERVICE} 1",
            ),
        }
        self.master, self.tls = master, tls
        super().__init__(
            [
                RedisProcess(
                    folder / f"sentinel-{number}",
                    {**watched, **(options or {})},
                    binary=master.binary,
                    tls=tls,
                    sentinel=True,
                )
                for number in range(count)
            ]
        )

    @property
    def url(self) -> str:
        """The URL of the records behind these sentinels; one with TLS names the authority."""
        places = ",".join(f"{HOST}:{process.port}" for process in self.processes)
        tls = f"&tls=true&ssl_ca_certs={self.tls.authority}" if self.tls else ""
        return f"sentinel://{places}/0?service={SERVICE}{tls}"

    def wait_until_ready(self, replicas: int = 1) -> None:
        """Wait until each sentinel knows the others and so many replicas."""
        for process in self.processes:
            eventually(
                lambda process=process: self._knows(process, replicas),  # type: ignore[misc]
                "the sentinels know each other and the replicas",
                more=process.log,
            )

    def master_port(self) -> int:
        """Return the port of the master, as the first sentinel that runs tells."""
        running = next(p for p in self.processes if p.process and p.process.poll() is None)
        with running.client() as client:
            return int(client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)[1])

    def wait_for_failover(self, old: RedisProcess, within: float = 60.0) -> int:
        """Wait until another server is the master; return its port."""
        eventually(lambda: self.master_port() != old.port, "a failover", within)
        return self.master_port()

    def _knows(self, process: RedisProcess, replicas: int) -> bool:
        with process.client() as client:
            seen: Any = client.execute_command("SENTINEL", "MASTER", SERVICE)
        if not isinstance(seen, dict):
            seen = dict(zip(seen[::2], seen[1::2], strict=True))
        seen = {_text(name): _text(value) for name, value in seen.items()}
        others = len(self.processes) - 1
        return seen["num-slaves"] == str(replicas) and seen["num-other-sentinels"] == str(others)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@contextmanager
def replicated(
    folder: Path,
    options: Mapping[str, str | tuple[str, ...]] | None = None,
    *,
    binary: Path | None = None,
) -> Iterator[tuple[RedisProcess, RedisProcess]]:
    """Give a master and a replica that is in step with it."""
    with (
        RedisProcess(folder / "master", options, binary=binary) as master,
        RedisProcess(folder / "replica", options, binary=binary) as replica,
    ):
        replica.follow(master)
        yield master, replica
