"""What a RabbitMQ says of itself: whether it lets us in, takes messages, and who consumes them."""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from dispatcher.client.queues import in_broker
from dispatcher.errors import DispatcherError
from dispatcher.store.errors import StoreUnsuitable
from dispatcher.values.tls_faults import TlsFault, tls_fault

CONFIRMED_WITHIN = 2.0  # seconds for the broker to say that it has a message
NOBODY = "nobody"
"""The queue that does not exist: what is sent there to see whether it is taken is thrown away."""
IN_ALARM = (
    "RabbitMQ is out of memory or disk space and takes no messages (its alarm): free some, or raise"
    " vm_memory_high_watermark or disk_free_limit; dialling goes on by itself then"
)
SILENT = f"RabbitMQ has not confirmed a message within {CONFIRMED_WITHIN:g} s: see its log"
_REFUSED, _NOT_ALLOWED = 403, 530  # AMQP's codes


class BrokerUnavailable(DispatcherError):
    """The Celery broker cannot be reached, or takes no messages; records are written all the
    same.
    """


def speaks(connection: Any) -> bool:
    """Return whether a kombu connection is to a RabbitMQ."""
    return bool(connection.transport.driver_type == "amqp")


def require_taken(connection: Any, namespace: str) -> None:
    """Send messages that no queue gets. Raises BrokerUnavailable where the broker does not confirm
    them, and what kombu raises.

    An alarm is told to who publishes, and to nobody else: connecting works as ever, and so does
    the first message. The connection is not read any more after that.
    """
    told: list[str] = []
    connection.connection.on_blocked = told.append
    channel = connection.channel()
    try:
        for _ in range(2):
            _send(channel, in_broker(namespace, NOBODY))
    except TimeoutError:
        told.append(SILENT)
    if told:
        connection.connection.collect()  # closed in order it would wait for an answer for good
        raise BrokerUnavailable(SILENT if told[0] is SILENT else IN_ALARM)


def _send(channel: Any, queue: str) -> None:
    message = channel.prepare_message(b"")
    channel.basic_publish_confirm(
        message, exchange="", routing_key=queue, confirm_timeout=CONFIRMED_WITHIN
    )


def consumers(connection: Any, queues: Iterable[str]) -> Counter[str]:
    """Return how many workers consume each of the queues; none where there is no such queue."""
    return Counter({queue: _declared(connection, queue).consumer_count for queue in queues})


class _Missing:
    consumer_count = 0


def _declared(connection: Any, queue: str) -> Any:
    channel = connection.channel()
    try:
        return channel.queue_declare(queue, passive=True)
    except connection.channel_errors:  # there is none; the channel is closed by that
        return _Missing


def unsuitable(error: BaseException) -> StoreUnsuitable | None:
    """Return in a sentence what waiting will not mend of a connection that failed, or None."""
    for cause in _causes(error):
        if words := _words(cause):
            return StoreUnsuitable(words)
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _of_tls(error: ssl.SSLError) -> str:
    if (found := tls_fault(error)) in {TlsFault.EXPIRED, TlsFault.NOT_YET}:
        return f"the broker is not to be trusted: {found}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the broker's certificate is not trusted ({error.verify_message}): name the file of"
            " its authority in the URL of the broker, amqps://…?ssl_ca_certs=FILE, and the host as"
            " the certificate does"
        )
    return "the broker does not speak TLS on this port: write amqp://, or the port for TLS"


def _words(error: BaseException) -> str:
    if isinstance(error, ssl.SSLError):
        return _of_tls(error)
    code, text = getattr(error, "code", None), str(getattr(error, "message", ""))
    if code == _REFUSED and "Login" in text:
        return "RabbitMQ refuses the user: correct the user or password of the broker's URL"
    if code == _NOT_ALLOWED:
        said = text.removeprefix("NOT_ALLOWED - ")
        return f"RabbitMQ says {said!r}: correct the virtual host of the broker's URL"
    if code == _REFUSED:
        said = text.removeprefix("ACCESS_REFUSED - ")
        return (
            f"RabbitMQ says {said!r}: grant its user the rights that docs/how-to/rabbitmq.md lists"
        )
    return ""
