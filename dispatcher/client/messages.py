"""Wake-up messages: a task's name and an id at most. The record is the truth.

Celery is loaded by who sends a message, not by who imports this: it takes a quarter of a second.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Any

from dispatcher.client import default_queue, rabbitmq, redis_broker
from dispatcher.client.broker_check import require_suitable_broker
from dispatcher.client.broker_rights import Part
from dispatcher.client.broker_url import NO_EMULATION, broker_settings
from dispatcher.client.default_queue import DefaultQueue
from dispatcher.client.queues import CONTROL, WEBHOOKS, exchanges, in_broker
from dispatcher.client.rabbitmq import BrokerUnavailable
from dispatcher.client.rabbitmq_url import is_rabbitmq
from dispatcher.errors import DispatcherError
from dispatcher.model.states import Priority
from dispatcher.store import Store
from dispatcher.store.connecting import fault
from dispatcher.store.errors import StoreUnavailable, StoreUnsuitable, in_our_words
from dispatcher.values.namespace import DEFAULT_NAMESPACE

if TYPE_CHECKING:
    from celery import Celery

log = logging.getLogger(__name__)

DIAL = "dispatcher.dial"
CHECK_CALL = "dispatcher.check_call"
APPLY_REPORT = "dispatcher.apply_report"
RETRIGGER = "dispatcher.retrigger"
DELIVER_WEBHOOK = "dispatcher.deliver_webhook"
TRANSIENT = 1  # a delivery mode: a lost wake-up is made up for, and needs no disk
_ONCE = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}


Message = tuple[str, tuple[str, ...]]
"""A queue without its namespace, and the arguments that a message carries."""


def broker_fault(error: BaseException) -> str:
    """Return what is wrong with a broker in a sentence: what a Redis refuses is named as that,
    however deep kombu has wrapped it.
    """
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, Exception) and (refusal := _refusal(found)):
            return refusal
        found = found.__cause__ or found.__context__
    return f"the broker cannot be reached ({type(error).__name__}): is it running?"


def _refusal(error: Exception) -> str:
    told = in_our_words(error, "the broker's Redis")
    named = isinstance(told, StoreUnsuitable) or (isinstance(told, StoreUnavailable) and told.code)
    return str(told) if named or fault(error) else ""


class Messenger:
    """Sends wake-ups through a Celery app, which `make_app` returns when the first is sent, to the
    queues of a namespace.

    A message that cannot be sent is no loss: the sweep finds the job and sends it again. So a
    broker that is away is logged, not raised.
    """

    def __init__(
        self,
        make_app: Callable[[], Celery],
        namespace: str = DEFAULT_NAMESPACE,
        check: Callable[[], object] = lambda: None,
    ) -> None:
        self._make_app = make_app
        self.namespace = namespace
        self._check, self._check_once = check, cache(check)

    @classmethod
    def to_broker(
        cls, url: str, namespace: str = DEFAULT_NAMESPACE, part: Part = Part.PRODUCER
    ) -> Messenger:
        """Return a messenger for what has no Celery app of its own: a producer, unless told."""
        check = partial(require_suitable_broker, url, part, namespace)
        return cls(partial(_producer_app, url, namespace), namespace, check)

    @cached_property
    def _app(self) -> Celery:
        return self._make_app()

    def wake(self, priority: Priority) -> None:
        """Send `dial()`: a worker that hears it takes what waits."""
        self._send(DIAL, [(priority.value, ())])

    def check(self, ids: Iterable[str]) -> int:
        """Send `check_call(job id)` for each; return how many were sent."""
        return self._send(CHECK_CALL, [(CONTROL, (id_,)) for id_ in ids])

    def apply_reports(self) -> None:
        """Send `apply_report`: it takes from the inbox whatever waits there."""
        self._send(APPLY_REPORT, [(CONTROL, ())])

    def retrigger(self, ids: Iterable[str]) -> int:
        """Send `retrigger(id)` for each bulk action; return how many were sent."""
        return self._send(RETRIGGER, [(CONTROL, (id_,)) for id_ in ids])

    def deliver(self, ids: Iterable[str]) -> int:
        """Send `deliver_webhook(delivery)` for each; return how many were sent."""
        return self._send(DELIVER_WEBHOOK, [(WEBHOOKS, (id_,)) for id_ in ids])

    def listeners(self, timeout: float = 1.0) -> dict[str, list[str]]:
        """Return the queues that each worker of the namespace consumes, of those that answer
        within the seconds.

        Raises BrokerUnavailable where the broker cannot be reached, or refuses messages.
        """
        try:
            found = self._app.control.inspect(timeout=timeout).active_queues() or {}
        except Exception as error:  # noqa: BLE001 - brokers fail in as many ways as there are of them
            raise BrokerUnavailable(broker_fault(error)) from None
        return {worker: [queue["name"] for queue in queues] for worker, queues in found.items()}

    def consumers(self, queues: Iterable[str]) -> Counter[str]:
        """Return how many workers consume each of the queues: as RabbitMQ knows it, or else as
        workers answer.

        Raises BrokerUnavailable as `listeners`.
        """
        try:
            with self._app.connection_for_read(connect_timeout=2) as connection:
                if rabbitmq.speaks(connection):
                    return rabbitmq.consumers(connection, queues)
        except Exception as error:  # noqa: BLE001 - brokers fail in as many ways as there are of them
            raise BrokerUnavailable(broker_fault(error)) from None
        return Counter(queue for some in self.listeners().values() for queue in some)

    def default_queue(self) -> DefaultQueue:
        """Return what lies in Celery's default queue. Raises BrokerUnavailable as `listeners`."""
        try:
            with self._app.connection_for_read(connect_timeout=2) as connection:
                return default_queue.look(connection)
        except Exception as error:  # noqa: BLE001 - brokers fail in as many ways as there are of them
            raise BrokerUnavailable(broker_fault(error)) from None

    def require_suitable(self) -> None:
        """Raise StoreUnsuitable where Celery cannot work with the broker; asked until it can.

        One that takes no messages for now passes: they are sent later.
        """
        with suppress(BrokerUnavailable):
            self._check_once()

    def ping(self) -> None:
        """Raise BrokerUnavailable where the broker cannot be reached or takes no messages, and
        StoreUnsuitable where it does not let us in, or Celery cannot work with it.
        """
        self._check()
        try:
            with self._app.connection_for_write(connect_timeout=2) as connection:
                connection.ensure_connection(**_ONCE)
                broker = rabbitmq if rabbitmq.speaks(connection) else redis_broker
                broker.require_taken(connection, self.namespace)
        except DispatcherError:  # said already
            raise
        except Exception as error:  # noqa: BLE001 - brokers fail in as many ways as there are of them
            raise self._fault(error) from None

    def _fault(self, error: Exception) -> DispatcherError:
        told = is_rabbitmq(str(self._app.conf.broker_url)) and rabbitmq.unsuitable(error)
        return told or BrokerUnavailable(broker_fault(error))

    def _publish(self, producer: Any, task: str, ids: tuple[str, ...], queue: str) -> None:
        """Publish a task's message as `send_task` does, without what a wake-up has no use for:
        routes, signals, results. That halves its cost, which is paid for every dial.
        """
        message = self._app.amqp.as_task_v2(str(uuid.uuid4()), task, ids, {}, ignore_result=True)
        producer.publish(
            message.body,
            exchange="",
            routing_key=in_broker(self.namespace, queue),
            serializer="json",
            delivery_mode=TRANSIENT,
            headers=message.headers,
            retry=True,
            retry_policy=_ONCE,
            **message.properties,
        )

    def _send(self, task: str, messages: list[Message]) -> int:
        """Return how many were sent."""
        if not messages:
            return 0
        from kombu.exceptions import OperationalError  # noqa: PLC0415

        sent = 0
        try:
            with self._app.producer_or_acquire() as producer:
                for queue, ids in messages:
                    self._publish(producer, task, ids, queue)
                    sent += 1
        except OperationalError as error:
            left = max(len(messages) - sent, 1)
            log.warning("%s; %d messages not sent: they are sent later", broker_fault(error), left)
        return sent


def _producer_app(url: str, namespace: str) -> Celery:
    from celery import Celery  # noqa: PLC0415

    app = Celery("dispatcher", set_as_current=False)
    app.conf.update(
        task_serializer="json",
        task_ignore_result=True,
        broker_connection_timeout=2,
        **broker_settings(url, NO_EMULATION),
        **exchanges(namespace),
    )
    return app


def wake(store: Store, messenger: Messenger) -> None:
    """Wake a worker, where jobs wait and none was told.

    Never raises for what Redis or a broker refuses: workers look by themselves as well, and
    whoever enqueued is not told of a failure after the job was accepted.
    """
    try:
        if priority := store.queue.wake():
            messenger.wake(priority)
    except (StoreUnavailable, StoreUnsuitable) as error:
        log.warning("no worker was woken: %s", error)
