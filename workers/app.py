"""The two Celery apps, each built in a function: the one that dials, and the door."""

from __future__ import annotations

from functools import cache

from celery import Celery
from celery.signals import worker_init

import workers.door
import workers.tasks
from config import celery as configuration
from config.settings import Settings
from dispatcher.client import Dispatcher
from dispatcher.messages import Messenger
from dispatcher.store import Store
from workers.parts import Parts, made_once
from workers.teller import Teller, step


def create_app(settings: Settings) -> Celery:
    """Return the app of workers and beat."""
    app = Celery("voice-dispatcher", set_as_current=False)
    app.conf.update(configuration.dialling(settings))
    parts, teller = made_once(lambda: Parts(settings, app)), Teller()
    workers.tasks.register(app, parts, teller)
    app.steps["consumer"].add(step(teller))
    # The first dial would otherwise come late for its slot, by the time it takes to make them.
    worker_init.connect(lambda **_: parts().warm_up(), weak=False)
    return app


def create_door(settings: Settings) -> Celery:
    """Return the app of the door."""
    app = Celery("voice-dispatcher-door", set_as_current=False)
    app.conf.update(configuration.door(settings))

    @cache
    def dispatcher() -> Dispatcher:
        store = Store.from_url(settings.records, namespace=settings.namespace)
        return Dispatcher(store, Messenger.to_broker(settings.broker), actor="task")

    workers.door.register(app, dispatcher)
    return app
