"""Whether Celery can work with a broker: looked at before anything is sent to it."""

from __future__ import annotations

from contextlib import suppress

from dispatcher.client.broker_url import is_redis
from dispatcher.store.errors import StoreUnavailable, StoreUnsuitable
from dispatcher.store.redis_url import connect
from dispatcher.store.server import in_cluster_mode

IN_CLUSTER_MODE = (
    "the broker is a Redis in cluster mode, where Celery cannot take messages: set"
    " DISPATCHER_BROKER_URL (broker_url in Python) to RabbitMQ, or to a Redis without cluster mode;"
    " the records may stay (docs/servers.md)"
)
_QUICKLY = 2.0  # seconds, once: who sends says by itself that a broker is out of reach


def require_suitable_broker(url: str) -> None:
    """Raise StoreUnsuitable where the broker is a Redis in cluster mode.

    There kombu fails with every message that it waits for, thousands of times a second, and sends
    without a complaint what nobody will take. A broker that cannot be asked passes.
    """
    if not is_redis(url):
        return
    with connect(url, within=_QUICKLY) as client, suppress(StoreUnavailable):
        if in_cluster_mode(client):
            raise StoreUnsuitable(IN_CLUSTER_MODE)
