"""The two Celery apps, each built in a function: the one that dials, and the door."""

from __future__ import annotations

from functools import cache

from celery import Celery

import workers.door
import workers.tasks
from config import celery as configuration
from config.settings import Settings
from dispatcher.client import Dispatcher
from dispatcher.messages import Messenger
from dispatcher.store import Store
from workers.parts import Parts, made_once


def create_app(settings: Settings) -> Celery:
    """Return the app of workers and beat."""
    app = Celery("voice-dispatcher", set_as_current=False)
    app.conf.update(configuration.dialling(settings))
    workers.tasks.register(app, made_once(lambda: Parts(settings, app)))
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
