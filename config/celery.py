"""How Celery runs: queues, routes, serialisation, the beat schedule."""

from __future__ import annotations

from typing import Any

from config.settings import Settings
from dispatcher.client.broker_url import (
    NO_EMULATION,
    broker_settings,
    is_redis,
    result_settings,
)
from dispatcher.client.queues import CALL, CONTROL, DEFAULT_QUEUE, exchanges, in_broker

TICKS = {
    "dispatcher.pump": 0.5,
    "dispatcher.reconcile": 1.0,
    "dispatcher.watch_credit": 1.0,
    "dispatcher.rescue": 2.0,
    "dispatcher.watch_replicas": 2.0,
    "dispatcher.test_callbacks": 5.0,
    "dispatcher.ring_drills": 5.0,
    "dispatcher.keep_history": 20.0,
    "dispatcher.summarise_alerts": 60.0,
    "dispatcher.purge": 600.0,
}
"""What beat wakes, and how often in seconds. Each finds by itself what is due, so that a tick
missed or doubled makes no difference."""


def common(settings: Settings) -> dict[str, Any]:
    """Return what holds for every process."""
    return {
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "accept_content": ["json"],
        "task_serializer": "json",
        "result_serializer": "json",
        "event_serializer": "json",
        "timezone": "UTC",
        "enable_utc": True,
        "worker_hijack_root_logger": False,
        "worker_send_task_events": settings.task_events,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_consumer": "workers.queue.consumer:Consumer",
        # What lowers it raises it again from the pool's threads, on the connection that the main
        # thread reads: after a restart of RabbitMQ they wait for each other for good.
        "worker_enable_prefetch_count_reduction": False,
        "task_send_sent_event": False,
        "task_create_missing_queues": True,
        "redis_socket_connect_timeout": 2,
        "redis_socket_timeout": 10,
        "redis_retry_on_timeout": True,
        **exchanges(settings.namespace),
    }


def dialling(settings: Settings) -> dict[str, Any]:
    """Return the configuration of the app that dials, and of beat.

    Nothing depends on the broker's redelivery: messages are acknowledged as they come.
    """
    control = in_broker(settings.namespace, CONTROL)
    return common(settings) | {
        **broker_settings(settings.broker, NO_EMULATION),
        "task_default_queue": control,
        "task_ignore_result": True,
        "task_acks_late": False,
        "worker_prefetch_multiplier": 2,
        "worker_disable_rate_limits": True,
        "beat_scheduler": "celery.beat:Scheduler",
        "beat_max_loop_interval": 1,
        "beat_schedule": {
            name: {"task": name, "schedule": seconds, "options": {"queue": control}}
            for name, seconds in TICKS.items()
        },
    }


def call_task(settings: Settings) -> dict[str, Any]:
    """Return the configuration of the call task, where the message is the only copy of a request.

    It is acknowledged after the record is written. A message that comes twice makes one job:
    its key, or else the task's id, names the job. Its result is kept under the task's id, which
    only its sender has: a namespace there would have to be set for all results of the sender.
    """
    return common(settings) | {
        **broker_settings(settings.broker, _redelivery(settings)),
        **result_settings(settings.records),
        "result_expires": 3600,
        "task_default_queue": in_broker(settings.namespace, CALL),
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 4,
    }


def call_queues(settings: Settings) -> tuple[str, ...]:
    """Return the queues that the call task consumes."""
    own = in_broker(settings.namespace, CALL)
    return (own, DEFAULT_QUEUE) if settings.serve_default_queue else (own,)


def _redelivery(settings: Settings) -> dict[str, Any]:
    """Return how a message of a killed call task worker comes again; other brokers see to it.

    kombu looks only at every tenth opportunity, a hundred seconds apart, unless told otherwise.
    What is not acknowledged has keys of the namespace: in kombu's own, which all apps of a Redis
    share, our short timeout would give out again what others' workers are still busy with.
    """
    if not is_redis(settings.broker):
        return {}
    return {
        "visibility_timeout": settings.call_redelivery,
        "unacked_restore_interval": max(1.0, min(10.0, settings.call_redelivery / 5)),
        "unacked_restore_throttle": 1,
        "unacked_mutex_expire": 30,  # one that dies while it looks keeps the others from it
        **{
            f"{name}_key": in_broker(settings.namespace, name)
            for name in ("unacked", "unacked_index", "unacked_mutex")
        },
    }
