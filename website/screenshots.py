"""Takes pictures of every page of the console, as `make screenshots`: a night without credit.

All of them go to dist/screenshots, at three widths; those of the documentation to docs/images.
"""

from __future__ import annotations

import base64
import random
import tempfile
from decimal import Decimal
from itertools import count
from pathlib import Path

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.alert import Acknowledgement
from dispatcher.model.api_key import Scope
from dispatcher.model.call import CallRef, CallReport
from dispatcher.model.outcome import Outcome
from dispatcher.model.process import Process, Role
from dispatcher.model.request import JobRequest
from dispatcher.model.states import State
from dispatcher.policy import Decision, Policy, after_placing, after_report
from dispatcher.store import Store
from dispatcher.store.values import Claim
from dispatcher.values.rate import Rate
from support.claims import claim_one
from support.console_books import on_call
from support.console_browser import Page, chromium
from support.gateway_process import Gateway
from support.seen_alerts import called, event, reported, unreached
from workers.devstack.embedded_server import EmbeddedServer

ROOT = Path(__file__).parents[1]
IMAGES, ALL = ROOT / "docs" / "images", ROOT / "dist" / "screenshots"
WIDTHS = {"phone": 360, "tablet": 768, "desk": 1280}
MINUTES, UNPAID = 55, 12
"""Minutes that are told of, and how long ago the credit ran out."""
CHANCE = random.Random(4)
TEXTS = {"lift": "The lift in house 3 does not run.", "db1": "The disk of db1 is full."}
LOST = "the call may have been placed, and no evidence arrived"
REFUSED = "The provider refused: recipient: this number does not exist"
PICTURES = {
    "console-overview": ("overview", "desk", "light"),
    "console-phone": ("overview", "phone", "dark"),
    "console-jobs": ("jobs", "desk", "light"),
    "console-jobs-phone": ("jobs", "phone", "light"),
    "console-job": ("job", "desk", "light"),
    "console-alerts": ("alerts", "desk", "dark"),
    "console-campaign": ("campaign", "desk", "light"),
    "console-preview": ("preview", "desk", "light"),
}
"""Those of the documentation: name -> page, width, scheme."""


class Night:
    """The last hour of an account: calls go out until the credit is gone."""

    def __init__(self, store: Store) -> None:
        self.store, self.now = store, store.now()
        self._moment = self.now
        client = store._connection.redis  # noqa: SLF001 - the same, an hour ago
        self._past = Store(client, clock=lambda: self._moment)
        self._serial = count(1000)

    def tell(self) -> dict[str, str]:
        """Write it all; return the address of each page, by its name."""
        self._past.limiter.publish(AccountConfig(floor=50, one_at_a_time=False))
        self._minute(MINUTES)
        self._see(Decimal(5000))
        on_call(self.store)
        lost = self._call(Decision(State.FAILED, "maybe_placed", LOST, "outcome_unknown"), "lift")
        redialled = self._stubborn()
        for ago in range(MINUTES, 0, -1):
            self._minute(ago)
            if ago == UNPAID:
                self._see(Decimal(42))
            for _ in range(CHANCE.randint(2, 9)):
                self._call(None, CHANCE.choice(list(TEXTS)))
        self.store.limiter.publish(AccountConfig(rate=Rate(5), floor=50, one_at_a_time=False))
        return {
            "overview": "/console",
            "overview-week": "/console?span=week",
            "jobs": "/console/jobs",
            "jobs-filtered": "/console/jobs?state=failed&tag=campaign:lift",
            "job": f"/console/jobs/{lost}",
            "job-redialled": f"/console/jobs/{redialled}",
            "alerts": "/console/alerts",
            "alert": f"/console/alerts/{self._alerts()}",
            "campaigns": "/console/campaigns",
            "campaign": "/console/campaigns/lift",
            "on-call": "/console/on-call",
            "do-not-call": "/console/do-not-call",
            "security-log": "/console/security-log",
            "actions": "/console/actions",
            "audit": "/console/audit",
            "search": "/console/find?q=nothing",
            "time-zone": "/console/time-zone",
            "not-found": "/console/nowhere",
        }

    def _minute(self, ago: int) -> None:
        self._moment = self.now - ago * 60_000

    def _see(self, balance: Decimal) -> None:
        look = self._past.budget.take_check(lease=1, now=True)
        assert look
        self._past.budget.note_balance(balance, look, 300)

    def beat(self) -> None:
        """Have the processes tell that they run."""
        for number, role in enumerate((Role.WORKER, Role.WORKER, Role.BEAT, Role.WEBHOOKS)):
            name = f"{role.words}-{number + 1}"
            self.store.heartbeats.beat(Process(str(number), role, name, "tokyo-1", 700, "0.3.0"))

    def _alerts(self) -> str:
        """Report three alerts, of which somebody has one and nobody another; return one's id."""
        names = {
            "db1": "Disk full on db1",
            "api": "Errors of the API above 5 %",
            "mail": "Mail waits",
        }
        ids = [reported(self.store, event(name, summary=words))[0] for name, words in names.items()]
        called(self.store, ids[0])
        unreached(self.store, ids[1])
        self.store.alerts.acknowledge(
            ids[2], by="console:ann", how=Acknowledgement.CONSOLE, note="on it"
        )
        return str(ids[0])

    def _stubborn(self) -> str:
        """Return a job that was dialled four times until somebody answered."""
        self._minute(MINUTES)
        id_ = self._enqueue("db1", max_attempts=5)
        for minutes, end in ((50, "no_answer"), (41, "no_answer"), (30, "call_failed")):
            self._minute(minutes)
            self._past.queue.pump()
            claim = claim_one(self._past, id_, token=f"{id_}{minutes}", lease=30)
            assert isinstance(claim, Claim)
            self._moment += 28_000
            why = end.replace("_", " ")
            self._past.calls.settle(
                id_, claim.attempt, Decision(State.SCHEDULED, end, why, delay=300)
            )
        return id_

    def _enqueue(self, tag: str, **options: object) -> str:
        number = f"+818012{next(self._serial)}{CHANCE.randint(10, 99)}"
        asked = {"recipient": number, "say": TEXTS[tag], "lang": "en", "tags": [f"campaign:{tag}"]}
        actor = CHANCE.choice(["billing", "monitoring"])
        return self._past.jobs.enqueue(JobRequest.of(asked | options), actor=actor).id

    def _call(self, end: Decision | None, tag: str) -> str:
        id_ = self._enqueue(tag)
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


def take(page: Page, night: Night, pages: dict[str, str]) -> None:
    """Take every picture: of the log-in, of each page, and of a preview."""
    page.size(1280, 800)
    page.open()
    take_all(page, "log-in")
    page.log_in(night.store.api_keys.create("night-shift", [Scope.OPERATE])[1])
    for name, path in pages.items():
        night.beat()
        page.open(path)
        take_all(page, name)
    page.size(1280, 800)
    page.open("/console/jobs?state=failed")
    page.field("Act on").send_keys("all that match")
    page.press("Retry")
    page.until_sees("Nothing has been done yet")
    take_all(page, "preview")


def take_all(page: Page, name: str) -> None:
    """Take a page at each width, in both schemes."""
    for width_name, width in WIDTHS.items():
        page.size(width, 800)
        for scheme in ("light", "dark"):
            page.scheme(scheme)
            shot(page, ALL / f"{name}-{width_name}-{scheme}.png", width)
            for picture, what in PICTURES.items():
                if what == (name, width_name, scheme):
                    shot(page, IMAGES / f"{picture}.webp", width)


def shot(page: Page, path: Path, width: int) -> None:
    """Write the whole page to a file, as far as a picture of the documentation needs it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = int(page.driver.execute_script("return document.documentElement.scrollHeight"))
    height = min(whole, 3 * width) if path.parent == ALL else min(whole, 2 * width, 1000)
    found = page.driver.execute_cdp_cmd(
        "Page.captureScreenshot",
        {
            "format": path.suffix[1:],
            **({"quality": 80} if path.suffix == ".webp" else {}),
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1},
        },
    )
    path.write_bytes(base64.b64decode(found["data"]))
    print(path)


def main() -> None:
    """Take the pictures on a Redis and a gateway of their own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with EmbeddedServer(folder / "redis") as redis:
            store = Store.from_url(redis.url)
            night = Night(store)
            pages = night.tell()
            flower = "http://127.0.0.1:5555"
            with (
                Gateway(folder, redis.url, DISPATCHER_FLOWER_URL=flower) as gateway,
                chromium(gateway.url, folder / "profile") as page,
            ):
                take(page, night, pages)


if __name__ == "__main__":
    main()
