"""The dispatcher's worker and the naive one, on the same Redis, pool and provider."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.arrivals import provider
from workers.devstack.embedded_server import EmbeddedServer
from workers.run import READY

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Side:
    """A worker that can be started: its command and environment."""

    argv: tuple[str, ...]
    env: dict[str, str]

    @contextmanager
    def running(self) -> Iterator[int]:
        """Run it, from the line that says it is ready; yields its process id."""
        process = subprocess.Popen(
            self.argv,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if READY in line:
                    break
            yield process.pid
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@dataclass(frozen=True)
class Sides:
    """Both, and where they work."""

    ours: Side
    naive: Side
    redis_url: str
    naive_broker: str
    provider_url: str


@contextmanager
def sides(threads: int) -> Iterator[Sides]:
    """Set up Redis and provider; the workers are started by who measures."""
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedServer(Path(folder, "r")) as redis,
        provider() as url,
    ):
        broker = redis.url.removesuffix("0") + "5"
        base = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
        ours = base | {
            "DISPATCHER_REDIS_URL": redis.url,
            "XOXZO_API_HOST": url,
            "XOXZO_API_SID": "sid",
            "XOXZO_API_AUTH_TOKEN": "token",
            "DISPATCHER_ALLOWED_COUNTRIES": "any",
            "DISPATCHER_SPEND_PER_DAY": "none",
            "DISPATCHER_CALLER": "+815012345678",
            "DISPATCHER_RATE_LIMIT": "none",
            "DISPATCHER_MAX_CONNECTIONS": str(threads),
            "DISPATCHER_CHECK_FIRST": "1h",
            "DISPATCHER_LOG_LEVEL": "WARNING",
        }
        naive = base | {"NAIVE_BROKER": broker, "NAIVE_PROVIDER": url}
        celery = (sys.executable, "-m", "celery", "-A", "benchmarks.naive", "worker")
        options = ("--pool=threads", f"--concurrency={threads}", "--loglevel=WARNING")
        yield Sides(
            Side((sys.executable, "-m", "workers.run", "dial"), ours),
            Side((*celery, *options), naive),
            redis.url,
            broker,
            url,
        )


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
