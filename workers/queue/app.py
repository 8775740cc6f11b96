"""The Celery apps, each built in a function: for dialling, for the call task, for webhooks."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from celery import Celery, bootsteps
from celery.signals import worker_ready, worker_shutting_down

import workers.queue.call_task
import workers.queue.tasks
from config import celery as configuration
from config.settings import Settings
from dispatcher.client.dispatcher import Dispatcher
from dispatcher.client.messages import Messenger
from dispatcher.store import Store
from workers.container import Container, made_once
from workers.queue.broker_connection import Amqp
from workers.queue.task_events import TaskEvents, step


class DiallingApp(Celery):
    """The app of workers and beat; `container` makes what they stand on when it is first asked."""

    container: Callable[[], Container]

    def wake(self) -> None:
        """Say that there may be something to dial; what is dialled is told of by itself."""
        self.container().dialler.wake()


def create_app(settings: Settings, threads: int | None = None) -> DiallingApp:
    """Return the app of workers and beat; its workers dial by so many threads."""
    app = DiallingApp("voice-dispatcher", set_as_current=False, amqp=Amqp)
    app.conf.update(configuration.dialling(settings))
    task_events = TaskEvents()
    container = made_once(lambda: Container(settings, app, task_events.begin, threads))
    app.container = container
    workers.queue.tasks.register(app, container, task_events)
    app.steps["consumer"].add(step(task_events))
    app.steps["worker"].add(dialling(container))
    return app


def dialling(container: Callable[[], Container]) -> type[bootsteps.StartStopStep]:
    """Return the worker's step that dials: until it is told to stop, and has finished."""

    class Dialling(bootsteps.StartStopStep):
        requires = ("celery.worker.components:Pool",)

        def start(self, _worker: object) -> None:
            # Else the first dial would come late for its slot, by the time it takes to make them.
            container().warm_up()
            container().dialler.start()

        def stop(self, _worker: object) -> None:
            container().dialler.stop()

        def terminate(self, _worker: object) -> None:
            """Leave what is under way to its lease."""

    return Dialling


def create_webhooks(settings: Settings) -> Celery:
    """Return the app of the process that delivers webhooks, which sends its own messages."""
    app = Celery("voice-dispatcher-webhooks", set_as_current=False, amqp=Amqp)
    app.conf.update(configuration.dialling(settings))
    container = made_once(lambda: Container(settings, app))
    workers.queue.tasks.register_webhooks(app, container)
    worker_ready.connect(lambda **_: container().webhook_sender.start(), weak=False)
    worker_shutting_down.connect(lambda **_: container().webhook_sender.stop(), weak=False)
    return app


def create_call_task(settings: Settings) -> Celery:
    """Return the app of the call task."""
    app = Celery("voice-dispatcher-call-task", set_as_current=False, amqp=Amqp)
    app.conf.update(configuration.call_task(settings))

    @cache
    def dispatcher() -> Dispatcher:
        store = Store.from_url(settings.records, namespace=settings.namespace)
        messenger = Messenger.to_broker(settings.broker, settings.namespace)
        return Dispatcher(store, messenger, actor="task", region=settings.region)

    workers.queue.call_task.register(app, dispatcher)
    return app
