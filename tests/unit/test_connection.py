"""Which dispatcher is meant: by its URLs and its namespace."""

from __future__ import annotations

import pytest

from dispatcher import Dispatcher
from dispatcher.cli.connection import Connection
from dispatcher.values.namespace import InvalidNamespace
from support.redis_inside import root_of

URL = "redis://127.0.0.1:1/0"


def test_a_namespace_is_that_of_the_records_and_of_the_queues() -> None:
    ours, other = Dispatcher.from_url(URL), Dispatcher.from_url(URL, namespace="other")
    assert (root_of(ours.store), ours.messenger.namespace) == ("{vd}", "vd")
    assert (root_of(other.store), other.messenger.namespace) == ("{other}", "other")


@pytest.mark.parametrize("namespace", ["", "a.b", "{vd}", "a b", "x" * 33, "vd\n", "数"])
def test_what_is_no_namespace_is_refused(namespace: str) -> None:
    with pytest.raises(InvalidNamespace, match="1 to 32 ASCII letters"):
        Dispatcher.from_url(URL, namespace=namespace)


def test_processes_are_told_what_was_named_and_no_more() -> None:
    named = Connection(URL, None, "other").named
    assert named == {"DISPATCHER_REDIS_URL": URL, "DISPATCHER_NAMESPACE": "other"}
    assert Connection(None, "amqp://mq", None).named == {"DISPATCHER_BROKER_URL": "amqp://mq"}
