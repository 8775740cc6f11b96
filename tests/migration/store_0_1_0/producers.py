"""Who asks for calls: a monitor, a clinic, a shop, a switchboard, a service over HTTP."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from dispatcher.request import JobRequest

from dispatcher.store import Store

LONG = (
    "これは予約のお知らせです。明日の午後三時にお待ちしております。ご都合が悪い場合は、"
    "お手数ですが受付までお電話ください。"
)
CAMPAIGNS = [
    "campaign:spring-sale-for-customers-who-bought-something-last-year-north",
    "campaign:spring-sale-for-customers-who-bought-something-last-year-south",
    "campaign:recall",
]
"""The first two begin alike: 0.1.0 has one line for both."""


class Producers:
    def __init__(self, store: Store, rng: random.Random, size: float, ticks: int) -> None:
        self.store, self.rng = store, rng
        self.ids: list[str] = []
        self.serial = 0
        self.ticks = ticks
        self.each_tick = 5400 * size / ticks
        self.campaign = round(1500 * size)
        self.numbers = [self._number() for _ in range(1000)]

    def _number(self) -> str:
        kind = self.rng.random()
        if kind < 0.8:
            return f"+8180{self.rng.randrange(10**8):08d}"
        if kind < 0.97:
            return f"+1201555{self.rng.randrange(10**4):04d}"
        if kind < 0.99:
            return f"+4420794600{self.rng.randrange(10**2):02d}"
        return f"+493012345{self.rng.randrange(10**2):02d}"  # blocked by the settings

    def some(self) -> str:
        """Return the id of a job, a late one rather than an early one."""
        return self.rng.choice(self.ids[-2000:])

    def at(self, tick: int, scope: str) -> None:
        """Ask for what is asked for in a tick."""
        whole, rest = divmod(self.each_tick, 1)
        for _ in range(int(whole) + (self.rng.random() < rest)):
            maker = self.rng.choices(
                [self.monitor, self.clinic, self.switchboard, self.over_http], [40, 35, 8, 17]
            )[0]
            maker(scope)
        for place, tag in enumerate(CAMPAIGNS):
            if tick == self.ticks * (2 + 3 * place) // 10:
                self.shop(tag)

    def enqueue(self, fields: dict[str, Any], *, actor: str = "producer", scope: str = "") -> str:
        made = self.store.enqueue(JobRequest.of(fields), actor=actor, scope=scope)
        if made.new:
            self.ids.append(made.id)
        return made.id

    def monitor(self, _: str) -> None:
        self.serial += 1
        host = f"db{self.rng.randrange(9)}"
        fields = {
            "recipient": self.rng.choice(self.numbers), "say": f"Disk full on {host}",
            "tags": [host, "monitoring"], "priority": "urgent",
            "expires": timedelta(minutes=self.rng.choice([2, 15, 60])),
            "on_uncertain": self.rng.choice([None, "redial", "hold"]),
        }  # fmt: skip
        if self.serial % 3 == 0:
            fields["key"] = f"alert-{self.serial}"
        self.enqueue(fields, actor="monitor")

    def clinic(self, _: str) -> None:
        fields = {
            "recipient": self.rng.choice(self.numbers), "say": LONG, "lang": "ja",
            "at": timedelta(hours=self.rng.choice([0, 1, 3, 8, 30])),
            "hours": self.rng.choice([None, "any", "09:00-20:00 Asia/Tokyo"]),
            "redial": self.rng.choice([0, 1, 2]), "redial_after": 300, "max_attempts": 5,
            "backoff_longest": 60, "evidence_window": 120, "call_deadline": 3600,
        }  # fmt: skip
        if self.rng.random() < 0.3:
            path = "appointments/" * 6 + "done"
            fields["webhook"] = f"https://clinic.example.com/{path}"
        self.enqueue(fields, actor="clinic")

    def switchboard(self, _: str) -> None:
        some = self.rng.sample([n for n in self.numbers if n[1] != "4"], self.rng.choice([2, 3]))
        self.enqueue({"participants": some, "lang": "en", "tags": ["oncall"]}, actor="switchboard")

    def over_http(self, scope: str) -> None:
        self.serial += 1
        fields = {
            "recipient": self.rng.choice(self.numbers), "play": "http://media.example.com/order.mp3",
            "key": f"order-{self.serial}", "caller": "815012345678", "expires": timedelta(hours=6),
            "priority": self.rng.choice(["normal", "bulk"]),
        }  # fmt: skip
        self.enqueue(fields, actor="crm", scope=scope)

    def shop(self, tag: str) -> None:
        fields = {
            "priority": "bulk",
            "tags": [tag, "shop"],
            "play": "http://media.example.com/a.mp3",
        }
        keys = [f"north-{n}" if tag.endswith("north") else None for n in range(self.campaign)]
        rows = [
            JobRequest.of({"recipient": self.numbers[n % len(self.numbers)], "key": key, **fields})
            for n, key in enumerate(keys)
        ]
        for start in range(0, len(rows), 500):
            made = self.store.enqueue_many(rows[start : start + 500], actor="import")
            self.ids += [each.id for each in made]
