"""What the lists of the console are full of: campaigns, alerts, people on call, and logs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dispatcher.model.alert import Acknowledgement, Severity
from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.do_not_call import Wish
from dispatcher.model.filters import Filter
from dispatcher.model.on_call import OnCall, Shift
from dispatcher.policy import after_report
from dispatcher.store import Store
from dispatcher.store.holds import PauseScope
from support.reports import ended
from support.seen_alerts import called, event, reported, unreached
from support.store_jobs import POLICY, claim, enqueue, placed

LONG = "a-name-that-is-as-long-as-names-may-well-become-in-the-course-of-a-few-years-of-use"
ARABIC = "القرص ممتلئ على الخادم"
HEBREW = "דחוף-מאוד-מחלקה"
NUMBER = "+818011234567"


def answered(store: Store, id_: str, word: str = "ANSWERED") -> None:
    """Have a job's call end with a word of the provider."""
    attempt = claim(store, id_).attempt
    store.calls.settle(id_, attempt, placed(f"call-{id_}"))
    decision = after_report(ended(word), store.jobs.get(id_), POLICY)
    assert decision is not None
    store.calls.settle(id_, attempt, decision)


def campaign(store: Store, name: str, *, reached: int = 6, missed: int = 2, left: int = 3) -> None:
    """Fill a campaign: so many were reached, were not, and wait; and one was cancelled."""
    how = {"tags": (f"campaign:{name}", HEBREW), "max_attempts": 1}
    for n in range(reached + missed):
        answered(store, enqueue(store, **how), "ANSWERED" if n < reached else "NO ANSWER")
    for _ in range(left):
        enqueue(store, **how)
    store.jobs.cancel(enqueue(store, **how), actor="cli:eve")


def on_call(store: Store) -> OnCall:
    """Publish who is on call, with one who stands in; return it."""
    today = datetime.now(UTC)
    rota = {"members": ["ann", "bob"], "start": f"{today - timedelta(days=3):%Y-%m-%d}"}
    found = OnCall.model_validate(
        {
            "contacts": {
                "ann": {"number": "+818012340002", "lang": "en"},
                "bob": {"number": "+818012340001"},
            },
            "teams": {"all": ["ann", "bob"]},
            "rotas": {"week": rota, "night": rota | {"zone": "Asia/Tokyo"}},
            "chains": {
                "database": {
                    "steps": [
                        {"call": ["week"], "times": 2, "every": "1m"},
                        {"call_in_turn": ["ann", "bob"], "wait": "5m"},
                    ],
                    "repeat": 3,
                },
                "web": {"steps": [{"call": ["all"]}]},
            },
            "routes": [
                {"match": {"severity": ["critical", "error"]}, "chain": "database"},
                {"chain": "web"},
            ],
        }
    )
    store.on_call.publish(found, by="cli:eve")
    until = today + timedelta(days=5)
    days = {"from": f"{today + timedelta(days=2):%Y-%m-%d}", "to": f"{until:%Y-%m-%d}"}
    shift = Shift.model_validate({"who": "bob", "why": f"{ARABIC} holiday", **days})
    store.on_call.swap("week", shift, until=until, by="cli:eve")
    return found


def alerts(store: Store) -> list[str]:
    """Report alerts of which one rings, one reached nobody and one somebody has; their ids."""
    names = (f"Disk full {ARABIC}", "Errors of the API", LONG)
    severities = (Severity.CRITICAL, Severity.ERROR, Severity.WARNING)
    ids = [
        reported(store, event(name, summary=name, severity=severity))[0]
        for name, severity in zip(names, severities, strict=True)
    ]
    called(store, ids[0])
    unreached(store, ids[1])
    store.alerts.acknowledge(ids[2], by="cli:ann", how=Acknowledgement.CLI)
    return ids


def logs(store: Store) -> str:
    """Write entries into the do-not-call list and the audit log; return a bulk action's id."""
    wish = Wish.of(NUMBER, reason=f"asked on 3 May {HEBREW}")
    store.do_not_call.add([wish], actor="cli:eve")
    store.do_not_call.add(
        [Wish.of("+818011119999", tag=f"campaign:{LONG}", until="90d")], actor="api:crm"
    )
    store.do_not_call.add([Wish.of("+818011118888", keep=False)], actor="cli:eve")
    store.audit.record("cli:eve", "export", f"tag={LONG}", f"{ARABIC} {LONG}", unmasked=True)
    found = store.bulk.preview(BulkActionKind.RETRY, Filter(tag="campaign:spring"))
    store.bulk.create(found)
    store.bulk.begin(found.id, actor="console:ops", note=f"again {HEBREW}")
    store.holds.pause(PauseScope(tag="campaign:paused"), actor="cli:eve", note=LONG)
    return found.id
