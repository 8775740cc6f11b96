"""The account's limiter: its config, its rate, its connections."""

from __future__ import annotations

import math

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.states import Priority
from dispatcher.store.config_codec import config_fields, digest
from dispatcher.store.connection import Repository, milliseconds
from dispatcher.store.errors import plain_errors
from dispatcher.store.schema import Config as Setting
from dispatcher.store.schema import Pace as Stands
from dispatcher.store.values import Pace
from dispatcher.values.rate import Rate, period_of

_LEFT_AFTER_429 = 0.7
"""What is left of the working rate after a 429: the real limit is not documented, and a fifth too
much is likelier than twice too much."""


class Limiter(Repository):
    """Lets out as many requests as the provider takes, for all processes together."""

    def publish(self, config: AccountConfig) -> None:
        """Make this the config of the account, for every process and at once."""
        fields = config_fields(config)
        fields[Setting.DIGEST] = digest(fields)
        flat = [text for pair in fields.items() for text in pair]
        with plain_errors():
            pipe = self._pipeline(atomic=True)
            pipe.delete(self._key("config"))
            pipe.hset(self._key("config"), items=flat)
            pipe.execute()

    def take_slot(
        self, holder: str, *, patience: float = math.inf, probe: bool = False
    ) -> tuple[bool, float]:
        """Ask for one request that is not a dial, and goes out within `patience` seconds.

        True and in how many seconds it goes out, to `give_back` the holder after it; or False and
        in how many seconds to ask again. Only a `probe` goes out while the provider is down or
        refuses the account.
        """
        reckoning = self._connection.reckoning
        again, after, reading = self._run(
            "take_slot",
            holder=holder,
            ahead=None if patience == math.inf else milliseconds(patience),
            balance=probe,
            **reckoning.arguments(),
        )
        reckoning.tell(reading)
        granted = float(again) == 0
        return granted, float(after if granted else again) / 1000

    def give_back(self, holder: str) -> None:
        """Give back the connection of a request that take_slot let through."""
        self._run("release_connection", holder=holder)

    def rebook(self, booked: str) -> tuple[str, float]:
        """Say that a request that was granted goes out only now; return its new booking, and in how
        many seconds it may go out.
        """
        reckoning = self._connection.reckoning
        now_booked, after, reading = self._run("rebook", booked=booked, **reckoning.arguments())
        reckoning.tell(reading)
        return now_booked.decode(), float(after) / 1000

    def throttle(
        self, wait: float, *, told: bool = False, booked: str = "", counts: bool = True
    ) -> None:
        """Move the whole account's next request to `wait` seconds from now, and learn from it.

        `told`: the provider named the wait; `booked`: what the refused request was booked by;
        `counts`: as one more refused request, which an attempt counts by itself.
        """
        self._run(
            "throttle",
            wait=milliseconds(wait),
            told=told,
            booked=booked or None,
            counts=counts,
            left=_LEFT_AFTER_429,
            **self._connection.reckoning.arguments(),
        )

    def pace(self) -> Pace:
        """Return where the limiter and the lines stand."""
        rate, working, next_slot, connections, margin, window, idle, found, *lines = self._run(
            "pace"
        )
        by_priority = list(zip(Priority, lines[::2], lines[1::2], strict=True))
        return Pace(
            rate=float(rate) if rate else None,
            working_rate=float(working) if working else None,
            next_slot=float(next_slot) / 1000,
            connections=int(connections),
            margin=float(margin) / 1000 if margin else None,
            found=tuple(map(_found, found[::2], found[1::2])),
            ready={priority: ready for priority, ready, _ in by_priority},
            lines={priority: number for priority, _, number in by_priority},
            period=period_of(float(window or 0) / 1000),
            idle=float(idle) / 1000,
        )

    def recent_requests(self, rate: float) -> int:
        """Return how many requests went out within the latest period of a rate (per second)."""
        most = max(1, int(rate))
        with plain_errors():
            behind = self._redis.hget(self._key("pace"), Stands.BEHIND)
            moments: list[bytes] = self._redis.lrange(self._key("recent"), -most, -1)  # type: ignore[assignment]
        since = self._now() - int(behind or 0) / 1000 - most / rate * 1000
        return sum(int(moment) / 1000 > since for moment in moments)


def _found(count: int, milliseconds: int) -> Rate:
    period = int(milliseconds) // 1000
    return Rate(int(count) / period, period)
