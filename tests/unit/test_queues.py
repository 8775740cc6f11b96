"""The names of what is ours in the broker, and what Celery makes of them."""

from __future__ import annotations

from itertools import combinations

import pytest

from config import celery as configuration
from config.settings import Settings
from dispatcher.client.messages import Messenger
from dispatcher.client.queues import dial_queues, in_broker
from workers.queue.app import create_app, create_call_task, create_webhooks

REDIS = "redis://127.0.0.1:1/0"


def settings(namespace: str, **more: bool) -> Settings:
    return Settings(redis_url=REDIS, namespace=namespace, **more)


def names(namespace: str) -> set[str]:
    """Return what the call task's app of a namespace calls things in the broker."""
    conf = create_call_task(settings(namespace)).conf
    options = {name: conf.broker_transport_options[name] for name in KEYS}
    queues = {conf.task_default_queue, *dial_queues(namespace), in_broker(namespace, "webhooks")}
    return {conf.event_exchange, conf.event_queue_prefix, conf.control_exchange} | {
        *queues,
        *options.values(),
    }


KEYS = ("unacked_key", "unacked_index_key", "unacked_mutex_key")
CELERYS_OWN = {"celery", "celeryev", "unacked", "unacked_index", "unacked_mutex"}


@pytest.mark.parametrize(("one", "other"), [*combinations(["vd", "other", "celery", "vd-call"], 2)])
def test_two_namespaces_have_no_name_in_common_nor_one_with_celery(one: str, other: str) -> None:
    assert len(names(one)) == len(names(other)) == 11
    assert not names(one) & names(other)
    assert not (names(one) | names(other)) & CELERYS_OWN


def test_all_processes_of_a_namespace_hear_each_other() -> None:
    apps = [make(settings("b")) for make in (create_app, create_webhooks, create_call_task)]
    apps.append(Messenger.to_broker(REDIS, "b")._app)
    told = {
        (app.conf.event_exchange, app.control.mailbox.exchange.name, app.conf.event_queue_prefix)
        for app in apps
    }
    assert told == {("b.celeryev", "b.celery.pidbox", "b.celeryev")}


def test_beat_wakes_the_workers_of_its_namespace() -> None:
    schedule = create_app(settings("b")).conf.beat_schedule
    assert {entry["options"]["queue"] for entry in schedule.values()} == {"b.control"}


def test_celerys_default_queue_is_served_only_where_a_setting_says_so() -> None:
    assert configuration.call_queues(settings("b")) == ("b.call",)
    served = configuration.call_queues(settings("b", serve_default_queue=True))
    assert served == ("b.call", "celery")
