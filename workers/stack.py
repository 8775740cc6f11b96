"""The whole stack on one machine: Redis, sandbox, workers, door, beat, Flower, one supervisor."""

from __future__ import annotations

import os
import socket
import sys
import urllib.request
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from config.settings import InvalidSettings, Settings
from dispatcher.redis_url import check_version, connect
from dispatcher.sandbox import SandboxOptions
from workers.child import Service
from workers.embedded_redis import EmbeddedRedis
from workers.run import READY
from workers.supervisor import Supervisor

STARTS_WITHIN = 60.0  # seconds: a slow machine imports Celery six times at once
OVER_SOON = {
    "DISPATCHER_CALLER": "+815012345678",
    "DISPATCHER_CHECK_FIRST": "1s",
    "DISPATCHER_RATE_LIMIT": "50",
    "DISPATCHER_RECIPIENT_GAP": "0",
    "DISPATCHER_RECIPIENT_PER_DAY": "none",
    "DISPATCHER_RECIPIENT_ONE_AT_A_TIME": "false",
    "DISPATCHER_CHECK_LONGEST": "10s",
    "DISPATCHER_EVIDENCE_WINDOW": "15s",
}
"""What suits the sandbox, unless the environment says otherwise: its calls end within seconds, and
its numbers stand for behaviours, not for people who want to be left alone."""
ROOT = Path(__file__).resolve().parents[1]
Ready = Callable[[], bool] | None


@dataclass(frozen=True)
class Plan:
    """What of the stack is wanted. `sandbox` None: where no credentials are set."""

    workers: int = 1
    concurrency: int | None = None
    flower: bool = True
    sandbox: bool | None = None
    sandbox_arguments: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


def use_sandbox(environment: MutableMapping[str, str], url: str) -> None:
    """Make a sandbox the provider, with the settings that suit one where none are given."""
    known = SandboxOptions()
    environment.update(
        XOXZO_API_HOST=url, XOXZO_API_SID=known.sid, XOXZO_API_AUTH_TOKEN=known.token
    )
    for name, value in OVER_SOON.items():
        environment.setdefault(name, value)


class Stack:
    """The running stack. Use it in a `with` block inside the main thread: its end stops it all.

    `folder` keeps Redis' data and Flower's history.
    """

    def __init__(self, plan: Plan, folder: Path, *, log: TextIO = sys.stderr) -> None:
        self.plan, self.folder = plan, folder
        # Our own environment, since Settings reads it and every process inherits it.
        self.environment = os.environ
        self.environment.update(plan.settings)
        self.sandbox_url: str | None = None
        self.flower_url: str | None = None
        self.supervisor = Supervisor(log=log)
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        """Start everything and wait until it answers. Raises DispatcherError, StopRequested."""
        # The supervisor leaves first, so that Redis is there until the last process has ended.
        redis = self._redis()
        self._exits.enter_context(self.supervisor)
        try:
            self._start(redis)
        except BaseException as error:
            if self.__exit__(type(error), error, error.__traceback__):
                raise SystemExit(0) from None
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return self._exits.__exit__(kind, error, traceback)

    @property
    def redis_url(self) -> str:
        """Where the job records are."""
        return self.environment["DISPATCHER_REDIS_URL"]

    def _redis(self) -> EmbeddedRedis | None:
        """Return the embedded server to start, or None where another is named and answers."""
        if self.environment.get("DISPATCHER_REDIS_URL"):
            check_version(connect(self.redis_url))
            return None
        return self._exits.enter_context(EmbeddedRedis(self.folder / "redis"))

    def _start(self, redis: EmbeddedRedis | None) -> None:
        self.supervisor.start()
        if redis is not None:
            self.environment["DISPATCHER_REDIS_URL"] = redis.url
            self.supervisor.watch(redis.revive)
        if self._wants_sandbox():
            self._start_sandbox()
        self.environment.setdefault("DISPATCHER_FLOWER_DB", str(self.folder / "flower.db"))
        if self.plan.flower:
            self.flower_url = self._place_flower()
        settings = self._settings()
        services = self._services(settings)
        for service in services:
            self.supervisor.add(service)
        for service in services:
            if service.role in {"dial", "door"}:
                self.supervisor.wait_line(service.name, f"^{READY}$", STARTS_WITHIN)
        self.supervisor.wait_ready(STARTS_WITHIN)

    def _wants_sandbox(self) -> bool:
        if self.plan.sandbox is None:
            return not self.environment.get("XOXZO_API_SID")
        return self.plan.sandbox

    def _start_sandbox(self) -> None:
        argv = [sys.executable, "-m", "dispatcher.sandbox", *self.plan.sandbox_arguments]
        self.supervisor.add(Service("sandbox", argv, cwd=ROOT))
        found = self.supervisor.wait_line("sandbox", r"listening on (http://\S+)", STARTS_WITHIN)
        self.sandbox_url = found[1]
        use_sandbox(self.environment, self.sandbox_url)

    def _place_flower(self) -> str:
        """Choose Flower's port: the one that was asked for, else the usual one or any free one."""
        settings = self._settings()
        if "flower_port" not in settings.model_fields_set:
            host, usual = settings.flower_host, settings.flower_port
            port = usual if self._claim(host, usual) else _any_free(host)
            self.environment["DISPATCHER_FLOWER_PORT"] = str(port)
        elif not _is_free(settings.flower_host, settings.flower_port):
            raise InvalidSettings(
                f"DISPATCHER_FLOWER_PORT={settings.flower_port}: another program listens there;"
                " choose another port"
            )
        settings = self._settings()
        return f"http://{settings.flower_host}:{settings.flower_port}"

    def _claim(self, host: str, port: int) -> bool:
        """Take a port before its server listens there, unless it is in use.

        Two stacks that start at once would both find it free: the one that has the UDP port of
        the same number, for as long as it runs, has it.
        """
        claim = self._exits.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        try:
            claim.bind((host, port))
        except OSError:
            return False
        return _is_free(host, port)

    def _settings(self) -> Settings:
        return Settings.load()

    def _services(self, settings: Settings) -> list[Service]:
        patience = settings.lease
        services = [
            self._process(
                f"worker-{n}", "dial", f"name=worker-{n}", *self._threads(), stop=patience
            )
            for n in range(1, self.plan.workers + 1)
        ]
        services.append(self._process("door", "door", stop=15))
        services.append(self._process("beat", "beat"))
        if self.plan.flower:
            services.append(self._process("flower", "flower", ready=self._flower_answers))
        return services

    def _threads(self) -> list[str]:
        return [f"concurrency={self.plan.concurrency}"] if self.plan.concurrency else []

    def _process(
        self, name: str, role: str, *options: str, stop: float = 10, ready: Ready = None
    ) -> Service:
        argv = [sys.executable, "-m", "workers.run", role, *options]
        return Service(
            name,
            argv,
            env=dict(self.environment),
            stop_timeout=stop,
            role=role,
            ready=ready,
            cwd=ROOT,
        )

    def _flower_answers(self) -> bool:
        with urllib.request.urlopen(f"{self.flower_url}/healthcheck", timeout=2) as answer:  # noqa: S310 - ours
            return bool(answer.status == HTTPStatus.OK)

    def announcement(self) -> dict[str, str | None]:
        """Return what other commands want to know (dispatcher.running.Running)."""
        return {
            "redis_url": self.redis_url,
            "broker_url": self.environment.get("DISPATCHER_BROKER_URL"),
            "flower_url": self.flower_url,
            "sandbox_url": self.sandbox_url,
            "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _any_free(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
