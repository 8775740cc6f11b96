"""The whole stack on one machine: Redis, sandbox, workers, gateway, Flower, one supervisor."""

from __future__ import annotations

import os
import secrets
import ssl
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

from config import flower, roles
from config.settings import Settings
from dispatcher.client.broker_rights import Part
from dispatcher.client.dispatcher import Dispatcher
from dispatcher.sandbox import SandboxOptions
from dispatcher.store.redis_url import connect
from dispatcher.store.server import check_version
from workers.devstack import own_process
from workers.devstack.child import Service
from workers.devstack.embedded_server import EmbeddedServer
from workers.devstack.ports import Ports
from workers.devstack.supervisor import Supervisor
from workers.health.watched import hung
from workers.run import READY

STARTS_WITHIN = 60.0  # seconds: a slow machine imports Celery six times at once
OVER_SOON = {
    "DISPATCHER_CALLER": "+815012345678",
    "DISPATCHER_RATE_LIMIT": "50",
    "DISPATCHER_RECIPIENT_GAP": "0",
    "DISPATCHER_RECIPIENT_PER_DAY": "none",
    "DISPATCHER_RECIPIENT_ONE_AT_A_TIME": "false",
    "DISPATCHER_CHECK_LONGEST": "10s",
    "DISPATCHER_EVIDENCE_WINDOW": "15s",
}
"""What suits the sandbox, unless the environment says otherwise: its calls end within seconds, and
its numbers stand for behaviours, not for people who want to be left alone."""
KEPT_KEY, HEARTBEATS = "secret_key", "heartbeats"
Ready = Callable[[], bool] | None


@dataclass(frozen=True)
class Plan:
    """What of the stack is wanted. `sandbox` None: where no credentials are set."""

    workers: int = 1
    concurrency: int | None = None
    flower: bool = True
    gateway: bool = True
    sandbox: bool | None = None
    sandbox_arguments: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


def use_sandbox(
    environment: MutableMapping[str, str], url: str, *, callbacks: bool = False
) -> None:
    """Make a sandbox the provider, with the settings that suit one where none are given."""
    environment.update(SandboxOptions().environment(url))
    for name, value in OVER_SOON.items():
        environment.setdefault(name, value)
    environment.setdefault("DISPATCHER_CHECK_FIRST", "10s" if callbacks else "1s")


class Stack:
    """The running stack. Use it in a `with` block inside the main thread: its end stops it all.

    `folder` keeps Redis' data, Flower's history, and the secret key where none is set.
    """

    def __init__(self, plan: Plan, folder: Path, *, log: TextIO = sys.stderr) -> None:
        self.plan, self.folder = plan, folder
        # Our own environment, since Settings reads it; each process is given its part of it.
        self.environment = os.environ
        self.environment.update(plan.settings)
        self.sandbox_url: str | None = None
        self.flower_url: str | None = None
        self.gateway_url: str | None = None
        self.supervisor = Supervisor(log=log)
        self._exits = ExitStack()
        self._ports = Ports()

    def __enter__(self) -> Self:
        """Start everything and wait until it answers. Raises DispatcherError, StopRequested."""
        # The supervisor leaves first, so that Redis is there until the last process has ended.
        redis = self._redis()
        self._exits.enter_context(self._ports)
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

    def dispatcher(self, actor: str = "producer") -> Dispatcher:
        """Return a dispatcher whose calls this stack makes."""
        settings = self._settings()
        return Dispatcher.from_url(
            settings.records,
            broker_url=settings.broker,
            namespace=settings.namespace,
            actor=actor,
        )

    def _redis(self) -> EmbeddedServer | None:
        """Return the embedded server to start, or None where another is named and answers."""
        if self.environment.get("DISPATCHER_REDIS_URL"):
            check_version(connect(self.redis_url))
            return None
        return self._exits.enter_context(
            EmbeddedServer(
                self.folder / "redis",
                appendfsync=self._settings().appendfsync,
                maxmemory=self._settings().redis_maxmemory,
            )
        )

    def _start(self, redis: EmbeddedServer | None) -> None:
        self.supervisor.start()
        if redis is not None:
            self.environment["DISPATCHER_REDIS_URL"] = redis.url
            self.supervisor.watch(redis.revive)
        if self._wants_sandbox():
            self._start_sandbox()
        self._place_servers()
        settings = self._settings()
        settings.check_together()  # here, and not in each process
        settings.require_bounds()
        if self.plan.flower:
            flower.environment(settings)
        services = self._services(settings)
        for service in services:
            self.supervisor.add(service)
        for service in services:
            if service.role in {Part.DIAL, Part.CALL_TASK, Part.WEBHOOKS}:
                self.supervisor.wait_line(service.name, f"^{READY}$", STARTS_WITHIN)
        self.supervisor.wait_ready(STARTS_WITHIN)

    def _place_servers(self) -> None:
        self.environment.setdefault("RUNTIME_DIRECTORY", str(self.folder / HEARTBEATS))
        self.environment.setdefault("DISPATCHER_FLOWER_DB", str(self.folder / "flower.db"))
        if not self.environment.get("DISPATCHER_SECRET_KEY"):
            self.environment["DISPATCHER_SECRET_KEY"] = _kept_key(self.folder / KEPT_KEY)
        if self.plan.gateway:
            self.gateway_url = self._place_gateway()
        if self.plan.flower:
            self.flower_url = self._place_flower()

    def _wants_sandbox(self) -> bool:
        if self.plan.sandbox is None:
            credentials = self._settings().registration.credentials
            return not any(self.environment.get(name) for name in credentials)
        return self.plan.sandbox

    def _start_sandbox(self) -> None:
        argv = own_process.command("dispatcher.sandbox", *self.plan.sandbox_arguments)
        env = own_process.environment(roles.environment_without(self.environment))
        self.supervisor.add(Service("sandbox", argv, env=env))
        found = self.supervisor.wait_line("sandbox", r"listening on (http://\S+)", STARTS_WITHIN)
        self.sandbox_url = found[1]
        use_sandbox(self.environment, self.sandbox_url, callbacks=self.plan.gateway)

    def _place(self, server: str) -> None:
        """Choose the port of `flower` or `gateway`, and tell every process."""
        settings, name = self._settings(), f"{server}_port"
        setting = f"DISPATCHER_{name.upper()}"
        host, port = getattr(settings, f"{server}_host"), getattr(settings, name)
        asked = name in settings.model_fields_set
        self.environment[setting] = str(self._ports.choose(host, port, setting, asked=asked))

    def _place_gateway(self) -> str:
        """Choose where the gateway is, which is where a sandbox reaches it."""
        self._place("gateway")
        url = self._settings().gateway_url
        if self.sandbox_url:
            self.environment.setdefault("DISPATCHER_PUBLIC_URL", url)
        return url

    def _place_flower(self) -> str:
        self._place("flower")
        settings = self._settings()
        url = f"http://{settings.flower_host}:{settings.flower_port}"
        self.environment.setdefault("DISPATCHER_FLOWER_URL", url)
        return url

    def _settings(self) -> Settings:
        return Settings.load()

    def _services(self, settings: Settings) -> list[Service]:
        patience = settings.lease
        # Stopped in the other order: what the last calls came to is told still.
        services = [self._process("webhooks", Part.WEBHOOKS, stop=20)]
        services += [
            self._process(
                f"worker-{n}", Part.DIAL, f"name=worker-{n}", *self._threads(), stop=patience
            )
            for n in range(1, self.plan.workers + 1)
        ]
        services.append(self._process("call-task", Part.CALL_TASK, stop=15))
        services.append(self._process("beat", Part.BEAT))
        if self.plan.gateway:
            services.append(self._process("gateway", Part.GATEWAY, ready=self._gateway_answers))
        if self.plan.flower:
            services.append(self._process("flower", Part.FLOWER, ready=self._flower_answers))
        return services

    def _threads(self) -> list[str]:
        return [f"concurrency={self.plan.concurrency}"] if self.plan.concurrency else []

    def _process(
        self, name: str, part: Part, *options: str, stop: float = 10, ready: Ready = None
    ) -> Service:
        return Service(
            name,
            own_process.command("workers.run", part, *options),
            env=own_process.environment(roles.environment_of(part, self.environment)),
            stop_timeout=stop,
            role=part,
            ready=ready,
            hung=hung,
        )

    def _flower_answers(self) -> bool:
        return _answers(f"{self.flower_url}/healthcheck")

    def _gateway_answers(self) -> bool:
        return _answers(f"{self.gateway_url}/readyz")

    def announcement(self) -> dict[str, str | None]:
        """Return what other commands want to know (dispatcher.running.Running)."""
        return {
            "redis_url": self.redis_url,
            "broker_url": self.environment.get("DISPATCHER_BROKER_URL"),
            "namespace": self._settings().namespace,
            "gateway_url": self.gateway_url,
            "flower_url": self.flower_url,
            "sandbox_url": self.sandbox_url,
            "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "heartbeats": self.environment["RUNTIME_DIRECTORY"],
        }


def _answers(url: str) -> bool:
    # Our own server on this machine: its certificate is made out to the name that others know.
    context = ssl._create_unverified_context()  # noqa: S323, SLF001 - the documented way has no name
    with urllib.request.urlopen(url, timeout=2, context=context) as answer:  # noqa: S310 - ours
        return bool(answer.status == HTTPStatus.OK)


def _kept_key(file: Path) -> str:
    """Return the secret key that is kept in `file`; make it there the first time."""
    if not file.exists():
        draft = file.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(32))
        draft.replace(file)
    return file.read_text().strip()
