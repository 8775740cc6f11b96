"""Takes the pictures of docs/how-to/console.md, as `make screenshots`: a night without credit."""

from __future__ import annotations

import random
import tempfile
from decimal import Decimal
from itertools import count
from pathlib import Path

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.api_key import Scope
from dispatcher.model.call import CallRef, CallReport
from dispatcher.model.outcome import Outcome
from dispatcher.model.request import JobRequest
from dispatcher.model.states import State
from dispatcher.policy import Decision, Policy, after_placing, after_report
from dispatcher.store import Store
from dispatcher.store.values import Claim
from dispatcher.values.rate import Rate
from support.claims import claim_one
from support.console_browser import Page, chromium
from support.gateway_process import Gateway
from workers.devstack.embedded_server import EmbeddedServer

IMAGES = Path(__file__).parents[1] / "docs/images"
DESK, PHONE = (1000, 900), (360, 740)
MINUTES, UNPAID = 55, 12
"""Minutes that are told of, and how long ago the credit ran out."""
CHANCE = random.Random(4)
TEXTS = {"lift": "The lift in house 3 does not run.", "db1": "The disk of db1 is full."}


class Night:
    """The last hour of an account: calls go out until the credit is gone."""

    def __init__(self, store: Store) -> None:
        self.store, self.now = store, store.now()
        self._moment = self.now
        client = store._connection.redis  # noqa: SLF001 - the same, an hour ago
        self._past = Store(client, clock=lambda: self._moment)
        self._serial = count(1000)

    def tell(self) -> str:
        """Write it all; return a job whose outcome nobody knows."""
        self._past.limiter.publish(AccountConfig(floor=50, one_at_a_time=False))
        self._minute(MINUTES)
        self._see(Decimal(5000))
        lost = self._call(Decision(State.FAILED, "maybe_placed", LOST, "outcome_unknown"), "lift")
        for ago in range(MINUTES, 0, -1):
            self._minute(ago)
            if ago == UNPAID:
                self._see(Decimal(42))
            for _ in range(CHANCE.randint(2, 9)):
                self._call(None, CHANCE.choice(list(TEXTS)))
        self.store.limiter.publish(AccountConfig(rate=Rate(5), floor=50, one_at_a_time=False))
        return lost

    def _minute(self, ago: int) -> None:
        self._moment = self.now - ago * 60_000

    def _see(self, balance: Decimal) -> None:
        look = self._past.budget.take_check(lease=1, now=True)
        assert look
        self._past.budget.note_balance(balance, look, 300)

    def _call(self, end: Decision | None, tag: str) -> str:
        number = f"+818012{next(self._serial)}{CHANCE.randint(10, 99)}"
        asked = {"recipient": number, "say": TEXTS[tag], "lang": "en", "tags": [tag]}
        actor = CHANCE.choice(["billing", "monitoring"])
        id_ = self._past.jobs.enqueue(JobRequest.of(asked), actor=actor).id
        claim = claim_one(self._past, id_, token=id_, lease=30)
        if isinstance(claim, Claim):
            for decision in [end] if end else self._becomes(id_):
                self._past.calls.settle(id_, claim.attempt, decision)
        return id_

    def _becomes(self, id_: str) -> list[Decision]:
        chance = CHANCE.random()
        if chance < 0.06:
            return [Decision(State.FAILED, "invalid_request", REFUSED, "invalid_request")]
        answered = chance >= 0.25
        outcome = Outcome.ANSWERED if answered else Outcome.NO_ANSWER
        word = "ANSWERED" if answered else "NO ANSWER"
        cost = Decimal(CHANCE.randint(16, 22))
        placed = after_placing(CallRef((f"call-{id_}",)), Policy())
        report = CallReport(outcome, word, duration=21, cost=cost)
        self._past.calls.settle(id_, 1, placed)
        ended = after_report(report, self._past.jobs.get(id_), Policy())
        assert ended
        return [ended]


LOST = "the call may have been placed, and no evidence arrived"
REFUSED = "The provider refused: recipient: this number does not exist"


def take(page: Page, store: Store, lost: str) -> None:
    """Take every picture."""
    key = store.api_keys.create("night-shift", [Scope.OPERATE])[1]
    page.size(*DESK)
    page.scheme("light")
    page.log_in(key)
    shot(page, "console-overview")
    page.open(f"/console/jobs/{lost}")
    shot(page, "console-job")
    page.open("/console/jobs?state=failed")
    page.field("Act on").send_keys("all that match")
    page.press("Retry")
    page.until_sees("Nothing has been done yet")
    shot(page, "console-preview")
    page.size(*PHONE)
    page.scheme("dark")
    page.open()
    shot(page, "console-phone")


def shot(page: Page, name: str) -> None:
    """Write what is seen to a file."""
    page.driver.save_screenshot(str(IMAGES / f"{name}.png"))
    print(IMAGES / f"{name}.png")


def main() -> None:
    """Take the pictures on a Redis and a gateway of their own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with EmbeddedServer(folder / "redis") as redis:
            store = Store.from_url(redis.url)
            lost = Night(store).tell()
            flower = "http://127.0.0.1:5555"
            with (
                Gateway(folder, redis.url, DISPATCHER_FLOWER_URL=flower) as gateway,
                chromium(gateway.url, folder / "profile") as page,
            ):
                take(page, store, lost)


if __name__ == "__main__":
    main()
