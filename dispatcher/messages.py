"""Wake-up messages: a task's name and a job's id, never more. The record is the truth."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from celery import Celery
from kombu.exceptions import OperationalError

from dispatcher.redis_url import StoreUnavailable
from dispatcher.states import Priority
from dispatcher.store import Store

log = logging.getLogger(__name__)

DIAL = "dispatcher.dial"
CHECK_CALL = "dispatcher.check_call"
CONTROL = "control"


class Messenger:
    """Sends wake-ups through a Celery app.

    A message that cannot be sent is no loss: the sweep finds the job and sends it again. So a
    broker that is away is logged, not raised.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app

    @classmethod
    def to_broker(cls, url: str) -> Messenger:
        """Return a messenger for a producer, which has no Celery app of its own."""
        app = Celery("dispatcher", broker=broker_url(url), set_as_current=False)
        app.conf.update(
            task_serializer="json",
            task_ignore_result=True,
            broker_connection_timeout=2,
            broker_transport_options=transport_options(url),
        )
        return cls(app)

    def dial(self, fed: Iterable[tuple[str, Priority]]) -> int:
        """Send `dial(job id)` for each job that was fed; return how many were sent."""
        return self._send(DIAL, fed)

    def check(self, ids: Iterable[str]) -> int:
        """Send `check_call(job id)` for each; return how many were sent."""
        return self._send(CHECK_CALL, ((id_, CONTROL) for id_ in ids))

    def listeners(self, timeout: float = 1.0) -> dict[str, list[str]]:
        """Return the queues that each worker consumes, of those that answer within the seconds.

        Raises what kombu raises where the broker cannot be reached.
        """
        found = self._app.control.inspect(timeout=timeout).active_queues() or {}
        return {worker: [queue["name"] for queue in queues] for worker, queues in found.items()}

    def _send(self, task: str, rows: Iterable[tuple[str, str]]) -> int:
        sent = 0
        rows = list(rows)
        if not rows:
            return 0
        try:
            with self._app.producer_or_acquire() as producer:
                for id_, queue in rows:
                    self._app.send_task(task, (id_,), queue=str(queue), producer=producer, **_ONCE)
                    sent += 1
        except OperationalError as error:
            log.warning(
                "broker away (%s): %d wake-ups not sent; the sweep sends them later",
                type(error).__name__,
                len(rows) - sent,
            )
        return sent


_ONCE: dict[str, Any] = {
    "ignore_result": True,
    "retry": True,
    "retry_policy": {
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.1,
        "interval_max": 0.1,
    },
}


def broker_url(url: str) -> str:
    """Return a Redis URL as kombu writes it; others as they are."""
    if url.startswith("unix://"):
        return "redis+socket://" + url.removeprefix("unix://")
    if url.startswith("sentinel://"):
        parts = urlsplit(url)
        credentials, at, places = parts.netloc.rpartition("@")
        return ";".join(
            f"sentinel://{credentials}{at}{place}{parts.path}" for place in places.split(",")
        )
    return url


def transport_options(url: str) -> dict[str, Any]:
    """Return kombu's options for a broker URL: bounded waits, no emulated acknowledgement.

    The acknowledgement emulation of the Redis transport brings unacknowledged messages back
    after a visibility timeout. Where the record is the truth and a sweep sends lost messages
    again that only costs: half of the speed, and jobs delivered twice (docs/architecture.md).
    """
    if not url.startswith(REDIS_BROKERS):
        return {}
    return {"ack_emulation": False, **redis_options(url)}


REDIS_BROKERS = ("redis", "unix", "sentinel")


def redis_options(url: str) -> dict[str, Any]:
    """Return what any use of a Redis broker wants: bounded waits, the sentinels' master."""
    options: dict[str, Any] = {
        "socket_timeout": 10,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }
    if url.startswith("sentinel"):
        options["master_name"] = parse_qs(urlsplit(url).query).get("service", ["mymaster"])[0]
    return options


def feed(store: Store, messenger: Messenger, most: int = 100) -> int:
    """Run the feeder once: choose what is dialled next and send its wake-ups.

    Never raises for a Redis or a broker that is away: the next run, and the sweep, make up for it.
    """
    try:
        return messenger.dial(store.feed(most))
    except StoreUnavailable as error:
        log.warning("nothing fed: %s", error)
        return 0
