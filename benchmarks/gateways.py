"""A gateway that is measured, of this code or of another commit, beside a Redis of its own."""

from __future__ import annotations

import re
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.checkout import HERE, Checkout
from benchmarks.processes import cpu_seconds, family
from dispatcher.store.redis_url import connect
from workers.devstack.embedded_server import EmbeddedServer

OPERATIONS = ("cmdstat_fcall", "cmdstat_fcall_ro", "cmdstat_evalsha", "cmdstat_eval")
ROOM = {"DISPATCHER_JOBS_PER_CLIENT": "10000000", "DISPATCHER_JOB_BYTES_PER_CLIENT": f"{1 << 40}"}
_KEYS = """
import sys
from dispatcher import Dispatcher
store = Dispatcher.from_url(sys.argv[1]).store
try:
    from dispatcher.model.api_key import Scope
    keys = store.api_keys
except ImportError:  # 0.1.0
    from dispatcher.store.keys import ApiKeys, Scope
    keys = ApiKeys(store)
print(*(keys.create(name, [Scope.ENQUEUE])[1] for name in ("bench", "other")))
"""


@dataclass(frozen=True)
class Running:
    """A gateway beside a Redis, and keys to it of two clients; nobody dials."""

    pid: int
    port: int
    key: str
    other_key: str
    redis: EmbeddedServer
    connection: Any

    @property
    def operations(self) -> int:
        """How many operations of ours Redis has run."""
        told = self.connection.info("commandstats")
        return sum(int(told[name]["calls"]) for name in OPERATIONS if name in told)

    @property
    def cpu(self) -> float:
        """The seconds of processor time that its processes have used."""
        return sum(map(cpu_seconds, family(self.pid)))

    @property
    def redis_cpu(self) -> float:
        """The seconds that its Redis has used."""
        assert self.redis.process is not None
        return cpu_seconds(self.redis.process.pid)

    @property
    def peak(self) -> float:
        """The most memory that each of its processes ever had, in MiB, together."""
        return sum(map(_peak, family(self.pid)))


def _peak(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


@contextmanager
def running(code: Checkout = HERE, **variables: str) -> Iterator[Running]:
    """Run a gateway of a checkout until the end of the block."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        EmbeddedServer(Path(folder, "redis")) as redis,
        Path(folder, "log").open("w") as log,
    ):
        key, other_key = code.run(_KEYS, redis.url).split()
        port = _free_port()
        settings = {
            "DISPATCHER_REDIS_URL": redis.url,
            "DISPATCHER_GATEWAY_PORT": str(port),
            "DISPATCHER_LOG_LEVEL": "WARNING",
            **ROOM,
            **variables,
        }
        command, environment = code.command("workers.run", "gateway"), code.environment(**settings)
        with subprocess.Popen(
            command, cwd=code.root, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process:
            try:
                assert process.stdout
                assert process.stdout.readline().startswith("listening"), Path(log.name).read_text()
                yield Running(process.pid, port, key, other_key, redis, connect(redis.url))
            finally:
                _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
