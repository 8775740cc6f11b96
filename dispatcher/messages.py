"""Wake-up messages: a task's name and a job's id, never more. The record is the truth."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from celery import Celery
from kombu.exceptions import OperationalError
from kombu.transport import resolve_transport

from dispatcher.redis_url import StoreUnavailable, StoreUnsuitable, hide_password
from dispatcher.states import Priority
from dispatcher.store import Store

log = logging.getLogger(__name__)

DIAL = "dispatcher.dial"
CHECK_CALL = "dispatcher.check_call"
CONTROL = "control"
TRANSIENT = 1  # a delivery mode: a lost wake-up is sent again, so that no broker need write it down
_ONCE = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}


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

    def _publish(self, producer: Any, task: str, id_: str, queue: str) -> None:
        """Publish a task's message as `send_task` does, without what a wake-up has no use for:
        routes, signals, results. That halves its cost, which is paid for every dial.
        """
        message = self._app.amqp.as_task_v2(str(uuid.uuid4()), task, (id_,), {}, ignore_result=True)
        producer.publish(
            message.body,
            exchange="",
            routing_key=queue,
            serializer="json",
            delivery_mode=TRANSIENT,
            headers=message.headers,
            retry=True,
            retry_policy=_ONCE,
            **message.properties,
        )

    def _send(self, task: str, rows: Iterable[tuple[str, str]]) -> int:
        sent = 0
        rows = list(rows)
        if not rows:
            return 0
        try:
            with self._app.producer_or_acquire() as producer:
                for id_, queue in rows:
                    self._publish(producer, task, id_, str(queue))
                    sent += 1
        except OperationalError as error:
            log.warning(
                "broker away (%s): %d wake-ups not sent; the sweep sends them later",
                type(error).__name__,
                len(rows) - sent,
            )
        return sent


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


def known_broker(url: str) -> str:
    """Return the URL, or raise StoreUnsuitable where kombu knows no such transport."""
    try:
        resolve_transport(broker_url(url).partition("://")[0])
        return url
    except (KeyError, ImportError):
        raise StoreUnsuitable(
            f"{hide_password(url)!r} is not the URL of a broker that is known here:"
            " write redis://host:6379/0 or amqp://user:password@host//"
        ) from None


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
