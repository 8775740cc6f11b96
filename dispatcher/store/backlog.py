"""What waits to be dialled: how many behind each gate, and since when the oldest was due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dispatcher.model.states import Priority
from dispatcher.store.redis_url import plain_errors
from dispatcher.store.store import Store


@dataclass(frozen=True, slots=True)
class Waits:
    """`behind` counts the held jobs by gate; `oldest` is the earliest due time of all that are
    held or stand in line (ms since the epoch), None where nobody waits.
    """

    behind: dict[str, int]
    oldest: float | None


def waits(store: Store) -> Waits:
    """Return what waits; reads the ends of the lines, however long they are."""
    with plain_errors():
        pipe = store.redis.pipeline(transaction=False)
        pipe.smembers(store.key("holds"))
        pipe.zrange(store.key("fed"), 0, 0)
        for priority in Priority:
            pipe.zrange(store.key("lines", priority), 0, -1)
        holds, fed, *lines = pipe.execute()
    gates = sorted(name.decode() for name in holds)
    held = [(gate, store.key("held", gate, priority)) for gate in gates for priority in Priority]
    ready = [
        store.key("ready", priority, line.decode())
        for priority, names in zip(Priority, lines, strict=True)
        for line in names
    ]
    sizes, firsts = _ends(store, [key for _, key in held], ready)
    behind = dict.fromkeys(gates, 0)
    for (gate, _), size in zip(held, sizes, strict=True):
        behind[gate] += size
    firsts += [at for id_ in fed if (at := _due(store, id_.decode())) is not None]
    return Waits({gate: size for gate, size in behind.items() if size}, min(firsts, default=None))


def _due(store: Store, id_: str) -> float | None:
    with plain_errors():
        found: Any = store.redis.hget(store.key("job", id_), "due")
    return float(found) if found else None


def _ends(store: Store, held: list[str], ready: list[str]) -> tuple[list[int], list[float]]:
    """Return the sizes of the held lines, and the first due time of each line that has one."""
    with plain_errors():
        pipe = store.redis.pipeline(transaction=False)
        for key in held:
            pipe.zcard(key)
        for key in (*held, *ready):
            pipe.zrange(key, 0, 0, withscores=True)
        answers: list[Any] = pipe.execute()
    return answers[: len(held)], [found[0][1] for found in answers[len(held) :] if found]


def used(store: Store, rate: float) -> int:
    """Return how many requests went out within the latest period of a rate (per second)."""
    most = max(1, int(rate))
    since = store.now() - most / rate * 1000
    with plain_errors():
        moments: Any = store.redis.lrange(store.key("recent"), -most, -1)
    return sum(float(moment) > since for moment in moments)
