"""The heartbeat of each role: what it must be seen to do again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from config.fingerprint import fingerprint
from config.settings import Settings
from dispatcher.client.broker_rights import Part
from dispatcher.client.messages import Messenger
from dispatcher.errors import DispatcherError
from dispatcher.model.process import Role
from dispatcher.store import Store
from workers.engine.heartbeat import Heartbeat, Work
from workers.health.local import of_this_process

Count = Callable[[], int]


class Turns:
    """Counts how often something comes round; signals may call it, too."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, **_: object) -> None:
        self.number += 1


def heartbeat(
    store: Store,
    settings: Settings,
    role: Role,
    name: str | None = None,
    *,
    works: Sequence[Work] = (),
    tells: tuple[str, ...] = (),
) -> Heartbeat:
    """Return the heartbeat of this process, which beats from now on."""
    heart = Heartbeat(
        store,
        role,
        name or role,
        fingerprint(settings),
        works=works,
        tells=tells,
        local=of_this_process(),
    )
    heart.start()
    return heart


def of_worker(store: Store, settings: Settings, tasks: Count, looks: Count) -> list[Work]:
    """Return what a worker does: it looks for jobs by itself, and begins the tasks that beat sends.

    Without beat or a broker it has none to begin, and a new start would not help.
    """
    answers = broker_answers(settings, Part.DIAL)
    return [
        Work(looks, "has not looked for jobs"),
        Work(
            tasks,
            "has begun no task, though beat runs and the broker answers",
            due=lambda: _beat_is_steady(store) and answers(),
        ),
    ]


def _beat_is_steady(store: Store) -> bool:
    try:
        return store.heartbeats.roll().beat_is_steady
    except DispatcherError:
        return False


def of_loop(turns: Turns) -> list[Work]:
    """Return what a process with an event loop does."""
    return [Work(lambda: turns.number, "has served nothing, since its loop stands still")]


def of_beat(settings: Settings, sent: Turns) -> list[Work]:
    """Return what beat does."""
    words = "has sent no task, though the broker answers"
    return [Work(lambda: sent.number, words, due=broker_answers(settings, Part.BEAT))]


def of_consumer(settings: Settings, part: Part, turns: Turns) -> list[Work]:
    """Return what a Celery worker does that has tasks only now and then."""
    words = "has not taken messages, though the broker answers"
    return [Work(lambda: turns.number, words, due=broker_answers(settings, part))]


def broker_answers(settings: Settings, part: Part) -> Callable[[], bool]:
    """Return what tells whether the broker takes messages; it is given up after seconds."""
    messenger = Messenger.to_broker(settings.broker, settings.namespace, part)

    def answers() -> bool:
        try:
            messenger.ping()
        except DispatcherError:
            return False
        return True

    return answers
