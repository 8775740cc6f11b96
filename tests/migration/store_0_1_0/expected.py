"""What 0.1.0 answers about its store: every job, what searches find, money, limits, acts, audit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from dispatcher.job import Job
from dispatcher.states import State
from dispatcher.store.credit import account, costs
from dispatcher.store.filters import Filter
from dispatcher.store.keys import ApiKey, ApiKeys
from dispatcher.store.listing import counts, find, find_ids
from dispatcher.store.notices import notices
from dispatcher.store.outbox import Outbox

from dispatcher import acts
from dispatcher.store import Store, audit
from dispatcher.store.spending import limits

WHOLE_EVERY = 100
"""Of the other jobs a digest is kept, which says that one differs, not in what. The digests are in
the order of a list of all jobs, without their ids, which do not pack.
"""


def expected(store: Store) -> dict[str, Any]:
    """Return the answers as JSON knows them."""
    jobs = list(find(store, Filter()))
    return {
        "digests": "".join(digest(_facts(job)) for job in jobs),
        "jobs": [_facts(job) for job in _some(jobs)],
        "counts": counts(store),
        "searches": [_search(store, wanted) for wanted in _wanted(jobs)],
        "account": {k: str(v) for k, v in asdict(account(store)).items()},
        "costs": {name: str(value) for name, value in costs(store).means.items()},
        "usual": {kind: store.usual(kind) for kind in ("playback", "tts", "conference")},
        "limits": [limit.to_dict() for limit in limits(store)],
        "gates": [asdict(gate) for gate in store.gates()],
        "counted": store.counts(),
        "keys": [_told(key) for key in ApiKeys(store).all()],
        "acts": [each.to_dict() for each in acts.recent(store)],
        "audit": [entry.to_dict() for entry in audit.read(store, mask=False)],
        "notices": [[each.kind, each.facts] for each in notices(store)],
        "webhooks": Outbox(store).counts(),
    }


def _told(key: ApiKey) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(key).items()} | {
        "scopes": ",".join(sorted(key.scopes))
    }


def _facts(job: Job) -> dict[str, Any]:
    """Return a job as JSON knows it, without the sentence on what happens next."""
    found = job.to_dict()
    if found["next_action"]:
        del found["next_action"]["what"]
    return found


def digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:6]


def _some(jobs: Iterable[Job]) -> list[Job]:
    """Return one of each kind and way to stand, and some more."""
    first = {(job.kind, job.state, job.reason, job.hold_reason): job for job in jobs}
    return [*first.values(), *list(jobs)[::WHOLE_EVERY]]


def _wanted(jobs: list[Job]) -> list[dict[str, Any]]:
    middle = jobs[len(jobs) // 2]
    return [
        *({"states": [state]} for state in State),
        {"states": ["failed"], "reason": "no_answer"},
        {"states": ["held"], "reason": "limit"},
        {"tag": "monitoring"},
        {"tag": "oncall", "states": ["completed"]},
        {"recipient": middle.numbers[0]},
        {"recipient": middle.numbers[0][-4:]},
        {"producer": "clinic", "states": ["scheduled"]},
        {"since": middle.created_at.timestamp()},
        {"until": middle.created_at.timestamp(), "producer": "crm"},
    ]


def _search(store: Store, wanted: dict[str, Any]) -> dict[str, Any]:
    moments = {
        name: datetime.fromtimestamp(wanted[name], UTC)
        for name in ("since", "until")
        if name in wanted
    }
    found = [id_ for some in find_ids(store, Filter(**{**wanted, **moments})) for id_ in some]
    return {"wanted": wanted, "many": len(found), "digest": digest(found)}
