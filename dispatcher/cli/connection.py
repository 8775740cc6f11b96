"""Where a command finds the dispatcher: told, from the environment, or a running `up`.

What it takes to connect is loaded by who does: `health` must be light, and needs none of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dispatcher.errors import DispatcherError
from dispatcher.running import Running, find_running
from dispatcher.values.namespace import DEFAULT_NAMESPACE

if TYPE_CHECKING:
    from dispatcher.client.dispatcher import Dispatcher


class NoDispatcher(DispatcherError):
    """Nobody said where the dispatcher's Redis is, and none runs here."""

    def __init__(self) -> None:
        super().__init__(
            "no dispatcher found: set DISPATCHER_REDIS_URL, give --redis-url,"
            " or start one in this directory with `voice-dispatcher up`"
        )


@dataclass(frozen=True, slots=True)
class Connection:
    """What the main options say; made once for each run of the command line."""

    redis_url: str | None
    broker_url: str | None
    named_namespace: str | None

    @property
    def running(self) -> Running | None:
        """The `up` that runs in this directory, where no Redis was named."""
        return None if self.redis_url else find_running(Path.cwd())

    @property
    def namespace(self) -> str:
        """The namespace: of the `up` that runs here unless another was named."""
        running = self.running
        announced = running.namespace if running else None
        return self.named_namespace or announced or DEFAULT_NAMESPACE

    @property
    def named(self) -> dict[str, str]:
        """What options or the environment say, as the environment variables of processes."""
        said = {
            "DISPATCHER_REDIS_URL": self.redis_url,
            "DISPATCHER_BROKER_URL": self.broker_url,
            "DISPATCHER_NAMESPACE": self.named_namespace,
        }
        return {name: value for name, value in said.items() if value}

    def url(self) -> str:
        """Return the URL of the job records. Raises NoDispatcher."""
        running = self.running
        url = self.redis_url or (running.redis_url if running else None)
        if url is None:
            raise NoDispatcher
        return url

    def broker(self) -> str:
        """Return the URL of the broker: the records' Redis unless another was named or announced.

        Raises NoDispatcher, StoreUnsuitable.
        """
        from dispatcher.client.broker_url import known_broker  # noqa: PLC0415

        running = self.running
        named = self.broker_url or (running.broker_url if running else None)
        return known_broker(named) if named else self.url()

    def dispatcher(self) -> Dispatcher:
        """Return the dispatcher, its Redis reached and new enough.

        Raises NoDispatcher, StoreUnavailable, StoreUnsuitable.
        """
        from dispatcher.client.dispatcher import Dispatcher  # noqa: PLC0415
        from dispatcher.client.messages import Messenger  # noqa: PLC0415
        from dispatcher.store import Store  # noqa: PLC0415

        store = Store.from_url(self.url(), namespace=self.namespace)
        broker = self.broker()
        store.server.check_version()
        return Dispatcher(store, Messenger.to_broker(broker, self.namespace), actor="cli")


def of(context: typer.Context) -> Connection:
    """Return the connection that the main options of this run describe."""
    found = context.find_object(Connection)
    if found is None:
        raise NoDispatcher
    return found


def dispatcher(context: typer.Context) -> Dispatcher:
    """Return this run's dispatcher, closed at its end. Raises as Connection.dispatcher does."""
    found = of(context).dispatcher()
    context.call_on_close(found.close)
    return found
