"""Whether Celery can work with a broker: looked at before anything is sent to it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

from dispatcher.client.broker_rights import Part, result_wishes, wishes
from dispatcher.client.broker_url import is_redis
from dispatcher.client.rabbitmq import BrokerUnavailable, unsuitable
from dispatcher.client.rabbitmq_url import is_rabbitmq, rabbitmq_settings
from dispatcher.store.errors import NotAllowed, StoreUnavailable, StoreUnsuitable
from dispatcher.store.probe import not_allowed
from dispatcher.store.redis_place import place_of
from dispatcher.store.redis_url import connect
from dispatcher.store.refusals import REMEDIES
from dispatcher.store.server import kind_of

IN_CLUSTER_MODE = (
    "the broker is a Redis in cluster mode, where Celery cannot take messages: set"
    " DISPATCHER_BROKER_URL (broker_url in Python) to RabbitMQ, or to a Redis without cluster mode;"
    " the records may stay (docs/reference/servers.md)"
)
A_REPLICA = f"the broker's Redis {REMEDIES['READONLY']}"
LACKS = (
    "{where} does not allow its user {rules}: grant it with ACL SETUSER; docs/redis.acl"
    " has all that each process needs"
)
_QUICKLY = 2.0  # seconds, once: who sends says by itself that a broker is out of reach


def require_suitable_broker(url: str, part: Part, namespace: str) -> None:
    """Raise StoreUnsuitable where the broker is a Redis in cluster mode, a sentinel, or one that
    does not allow its user what this part of the dispatcher does there; or a RabbitMQ that refuses
    the user, the virtual host or TLS of the URL. Raise BrokerUnavailable where it is a replica, as
    for a moment after a failover.

    In cluster mode kombu fails with every message that it waits for, thousands of times a second,
    and sends without a complaint what nobody will take. A broker that cannot be asked passes.
    """
    if is_rabbitmq(url):
        _require_user(url)
    if not is_redis(url):
        return
    database = place_of(url).database
    with connect(url, within=_QUICKLY) as client, suppress(StoreUnavailable):
        kind = kind_of(client)
        if kind.in_cluster:
            raise StoreUnsuitable(IN_CLUSTER_MODE)
        if kind.replica:
            raise BrokerUnavailable(A_REPLICA)
        if missing := not_allowed(client, wishes(part, namespace, database)):
            raise NotAllowed(LACKS.format(where="the broker's Redis", rules=", ".join(missing)))


def require_results_kept(url: str) -> None:
    """Raise NotAllowed where the Redis of the records does not allow its user to keep results of
    the call task: the message would come again and again. One that cannot be asked passes.
    """
    with connect(url, within=_QUICKLY) as client, suppress(StoreUnavailable):
        if missing := not_allowed(client, result_wishes(), "Redis"):
            raise NotAllowed(LACKS.format(where="Redis", rules=", ".join(missing)))


def _require_user(url: str) -> None:
    """Connect once: Celery would try again without an end, with the same user."""
    from kombu.connection import Connection  # noqa: PLC0415

    settings = rabbitmq_settings(url)
    tls, connection_to = settings.get("broker_use_ssl"), cast("Any", Connection)
    try:
        with connection_to(settings["broker_url"], ssl=tls, connect_timeout=_QUICKLY) as connection:
            connection.connect()
    except Exception as error:  # noqa: BLE001 - one that is away is told of by who sends
        if told := unsuitable(error):
            raise told from None
