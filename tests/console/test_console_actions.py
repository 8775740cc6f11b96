"""Acting: nothing without a preview, once however often it is sent, and a report after."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.do_not_call import Wish
from dispatcher.model.states import Priority, State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.budget import CheckRight
from dispatcher.store.schema import Field
from support.claims import claim_one
from support.console_client import Person, Reader
from support.redis_inside import key_of, redis_of
from support.store_jobs import claim, enqueue, failed, in_progress
from workers.gateway.console.actions import VERBS

NUMBERS = [f"+81801111{n:04d}" for n in range(20)]


def all_failed(store: Store, many: int, **fields: Any) -> list[str]:
    return [failed(store, recipient=number, **fields) for number in NUMBERS[:many]]


def unknown(store: Store) -> str:
    id_ = enqueue(store)
    why = Decision(State.FAILED, "maybe_placed", "nothing was heard of it", "outcome_unknown")
    store.calls.settle(id_, claim(store, id_).attempt, why)
    return id_


def create(person: Person, path: str = "/console/jobs?state=failed", **fields: Any) -> Reader:
    """Return the preview of what is asked for on a list."""
    answer = person.send(person.page(path), "/actions/preview", **fields)
    assert answer.status_code == 200, answer.text
    return Reader(answer.text)


def states(store: Store, ids: list[str]) -> list[str]:
    return [job.state for job in store.jobs.get_many(ids) if job]


def test_a_preview_says_how_many_and_what_it_costs_and_does_nothing(
    operator: Person, store: Store
) -> None:
    ids = all_failed(store, 3)
    page = create(operator, what="retry", which="all")
    assert "Retry: 3 of 3 jobs" in page.text
    assert "60 credits" in page.text
    assert states(store, ids) == ["failed"] * 3
    assert list(store.audit.read()) == []


def test_a_preview_says_what_would_keep_the_calls_back(operator: Person, store: Store) -> None:
    all_failed(store, 3)
    store.budget.note_balance(Decimal(50), CheckRight(0, 0), 300)
    store.holds.start("auth", "the provider says 401")
    page = create(operator, what="retry", which="all")
    assert "Calls are held: the provider says 401" in page.text
    assert "The credit is not enough for all of them" in page.text


def test_all_that_match_are_retried_with_who_and_why(operator: Person, store: Store) -> None:
    ids, other = all_failed(store, 3, tags=["zoo"]), failed(store)
    page = create(operator, "/console/jobs?tag=zoo", what="retry", which="all")
    report = operator.send(page, "/console/actions", note="line was cut")
    assert states(store, [*ids, other]) == ["queued"] * 3 + ["failed"]
    words = Reader(report.text).text
    assert "Retried 3 Remaining 0 Skipped 0" in words
    last = store.jobs.get(ids[0]).timeline[-1]
    assert (last.actor, last.why) == ("console:ops", "line was cut")
    assert [entry.actor for entry in store.audit.read()] == ["console:ops"] * len(
        list(store.audit.read())
    )
    assert "line was cut" in operator.page("/console/audit").text
    assert "Retry: tag=zoo" in operator.page("/console/actions").text


def test_only_the_ticked_are_acted_on(operator: Person, store: Store) -> None:
    ids = all_failed(store, 4)
    page = create(operator, what="retry", which="ticked", id=ids[:2])
    operator.send(page, "/console/actions", note="x")
    assert states(store, ids) == ["queued", "queued", "failed", "failed"]


def test_a_storm_of_the_same_click_does_it_once(operator: Person, store: Store) -> None:
    ids = all_failed(store, 5)
    page = create(operator, what="retry", which="all")
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: operator.send(page, "/console/actions", note="x"), range(16))
        )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.url for answer in answers}) == 1
    assert [sum(e.to == "queued" for e in store.jobs.get(id_).timeline) for id_ in ids] == [2] * 5
    assert len(store.bulk.recent()) == 1


def test_what_was_reached_meanwhile_is_left_alone_and_reported(
    operator: Person, store: Store
) -> None:
    ids = [unknown(store), *all_failed(store, 1)]
    page = create(operator, what="retry", which="all")
    assert "1 of these people may have been called already; nobody knows" in page.text
    store.jobs.mark_reached(ids[0], actor="cli:eve")
    words = Reader(operator.send(page, "/console/actions", note="x").text).text
    assert "Retried 1 Remaining 0 Skipped 1" in words
    assert "1: somebody was reached" in words
    assert states(store, ids) == ["completed", "queued"]


def test_what_cannot_be_done_is_left_out_and_said(operator: Person, store: Store) -> None:
    ids = [failed(store), in_progress(store)]
    page = create(operator, "/console/jobs", what="retry", which="all")
    assert "Retry: 1 of 2 jobs" in page.text
    assert "1: it has not ended" in page.text
    operator.send(page, "/console/actions", note="x")
    assert states(store, ids) == ["queued", "in_progress"]


def test_an_overdue_job_goes_on_with_a_new_deadline(operator: Person, store: Store) -> None:
    id_ = failed(store, expires="1h")
    redis_of(store).hset(key_of(store, "job", id_), Field.EXPIRES, round(store.now()) - 1000)
    page = create(operator, what="retry", which="all")
    assert "Retry: 0 of 1 job" in page.text
    assert "No job would change" in page.text
    answer = operator.send(page, "/actions/preview", expires="30m")
    page = Reader(answer.text)
    assert "Retry: 1 of 1 job" in page.text
    operator.send(page, "/console/actions", note="x")
    job = store.jobs.get(id_)
    assert job.state is State.QUEUED
    assert job.expires_at is not None
    assert 1700 < (job.expires_at.timestamp() * 1000 - store.now()) / 1000 <= 1800


def test_an_uncertain_job_is_dialled_again_by_those_who_say_so_twice(
    operator: Person, store: Store
) -> None:
    id_ = enqueue(store)
    lost = Decision(State.UNCERTAIN, "maybe_placed", "the answer was lost", delay=300)
    store.calls.settle(id_, claim(store, id_).attempt, lost)
    page = operator.page(f"/console/jobs/{id_}")
    preview = Reader(operator.send(page, "/actions/preview", what="retry").text)
    assert "Retry: 0 of 1 job" in preview.text
    assert "these people may be called twice" in preview.text
    preview = Reader(operator.send(preview, "/actions/preview", uncertain="1").text)
    assert "Retry: 1 of 1 job" in preview.text
    operator.send(preview, "/console/actions", note="she says it never rang")
    assert store.jobs.get(id_).state is State.QUEUED


@pytest.mark.parametrize("what", list(BulkActionKind))
def test_every_action_has_a_report_whoever_began_it(
    operator: Person, store: Store, what: BulkActionKind
) -> None:
    found = store.bulk.preview(what, (enqueue(store), failed(store)), priority=Priority.BULK)
    store.bulk.create(found)
    store.bulk.begin(found.id, actor="cli:eve", note="x")
    store.bulk.drive(found.id)
    assert "Done" in operator.page(f"/console/actions/{found.id}").text
    assert f"{VERBS[what][0]}: 2 jobs by id" in operator.page("/console/actions").text


def test_a_job_of_unknown_outcome_is_marked_as_reached(operator: Person, store: Store) -> None:
    id_ = unknown(store)
    page = operator.page(f"/console/jobs/{id_}")
    (form,) = (f for f in page.forms if f.action.endswith("/preview"))
    assert form.buttons == ["retry", "reached"]
    preview = Reader(operator.send(page, "/actions/preview", what="reached").text)
    operator.send(preview, "/console/actions", note="asked her")
    job = store.jobs.get(id_)
    assert (job.state, job.reason) == (State.COMPLETED, "marked_reached")
    assert job.timeline[-1].actor == "console:ops"


def test_waiting_jobs_are_cancelled(operator: Person, store: Store) -> None:
    ids = [enqueue(store), in_progress(store)]
    page = create(operator, "/console/jobs", what="cancel", which="all")
    operator.send(page, "/console/actions", note="x")
    assert states(store, ids) == ["cancelled", "in_progress"]


@pytest.mark.parametrize(
    ("make", "buttons"),
    [
        (enqueue, ["cancel"]),
        (failed, ["retry"]),
        (in_progress, []),
        (unknown, ["retry", "reached"]),
    ],
)
def test_a_job_offers_what_can_be_done_to_it(
    operator: Person, reader: Person, store: Store, make: Any, buttons: list[str]
) -> None:
    path = f"/console/jobs/{make(store)}"
    found = [f.buttons for f in operator.page(path).forms if f.action.endswith("/preview")]
    assert found == ([buttons] if buttons else [])
    assert not [f for f in reader.page(path).forms if f.action.endswith("/preview")]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"what": "retry", "which": "ticked"}, "no job is ticked"),
        ({"what": "explode", "which": "all"}, "is not an action"),
        ({"what": "prioritise", "which": "all"}, "is not an action"),
        ({"what": "retry", "which": "all", "expires": "soon"}, "is not a duration"),
        ({"what": "retry", "which": "all", "state": "odd"}, "is not a state"),
        ({"what": "retry", "which": "all", "recipient": "<b>"}, "is not a number"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    operator: Person, store: Store, fields: dict[str, str], words: str
) -> None:
    answer = operator.post("/console/actions/preview", fields | {"csrf": operator.token})
    assert answer.status_code == 422
    assert words in Reader(answer.text).text


def test_an_action_needs_a_note_and_a_preview(operator: Person, store: Store) -> None:
    ids = all_failed(store, 1)
    page = create(operator, what="retry", which="all")
    assert operator.send(page, "/console/actions", note="  ").status_code == 422
    fields = {"csrf": operator.token, "note": "x", "action": "0" * 12}
    assert operator.post("/console/actions", fields).status_code == 404
    assert states(store, ids) == ["failed"]


def test_a_running_action_can_be_stopped(operator: Person, store: Store) -> None:
    ids = all_failed(store, 3)
    page = create(operator, what="retry", which="all")
    (form,) = (f for f in page.forms if f.action == "/console/actions")
    id_ = dict(form.fields)["action"]
    store.bulk.begin(id_, actor="console:eve", note="x")
    report = operator.page(f"/console/actions/{id_}")
    assert "Running" in report.text
    answer = operator.send(report, "/stop")
    assert "Stopped" in Reader(answer.text).text
    assert states(store, ids) == ["failed"] * 3


def test_the_calls_of_a_retry_can_be_paused(operator: Person, store: Store) -> None:
    all_failed(store, 1)
    report = Reader(
        operator.send(
            create(operator, what="retry", which="all"), "/console/actions", note="x"
        ).text
    )
    answer = operator.send(report, "/pause")
    assert answer.url.endswith("/console?done=paused")
    (hold,) = store.holds.all()
    assert hold.name.startswith("paused:tag:retry:")
    assert "Calls are held: those with the tag retry:" in Reader(answer.text).text


@pytest.mark.parametrize(
    ("scope", "hold"),
    [
        ({"scope": "all"}, "paused"),
        ({"scope": "tag", "tag": "zoo:x"}, "paused:tag:zoo:x"),
        ({"scope": "priority", "priority": "bulk"}, "paused:priority:bulk"),
    ],
)
def test_a_pause_and_a_resume(
    operator: Person, store: Store, scope: dict[str, str], hold: str
) -> None:
    answer = operator.send(operator.page("/console"), "/console/pause", note="storm", **scope)
    assert [each.name for each in store.holds.all()] == [hold]
    assert "paused by console:ops: storm" in Reader(answer.text).text
    again = operator.send(operator.page("/console"), "/console/pause", note="storm", **scope)
    assert "Nothing changed" in Reader(again.text).text
    answer = operator.send(Reader(again.text), "/console/resume", note="over")
    assert store.holds.all() == []
    assert "Resumed" in Reader(answer.text).text
    assert [(each.action, each.note) for each in store.audit.read()] == [
        ("pause", "storm"),
        ("resume", "over"),
    ]


def test_the_hold_for_unusual_calls_is_resumed_by_hand(operator: Person, store: Store) -> None:
    store.holds.start("unusual", "SO was never called before")
    page = operator.page("/console")
    assert "SO was never called before" in page.text
    operator.send(page, "/console/resume", note="ours")
    assert store.holds.all() == []


@pytest.mark.parametrize(
    "hold", ["credit", "auth", "paused:tag:", "paused:odd:x", "limit:account", ""]
)
def test_only_pauses_are_resumed_by_hand(operator: Person, store: Store, hold: str) -> None:
    store.holds.start("credit", "no money")
    answer = operator.post("/console/resume", {"csrf": operator.token, "hold": hold})
    assert answer.status_code == 422
    assert [each.name for each in store.holds.all()] == ["credit"]


@pytest.mark.parametrize(
    "fields",
    [
        {"note": "x"},
        {"note": "x", "scope": "tag", "tag": ""},
        {"note": "x", "scope": "tag", "tag": "a,b"},
        {"note": "x", "scope": "priority", "priority": "odd"},
        {"scope": "all"},
    ],
)
def test_a_pause_that_makes_no_sense_is_refused(
    operator: Person, store: Store, fields: dict[str, str]
) -> None:
    answer = operator.post("/console/pause", fields | {"csrf": operator.token})
    assert answer.status_code == 422
    assert store.holds.all() == []


def test_the_workers_are_asked_to_look_at_the_balance(operator: Person, store: Store) -> None:
    redis_of(store).hset(key_of(store, "credit"), "next_check", round(store.now()) + 300_000)
    answer = operator.send(operator.page("/console"), "/console/balance-check")
    assert "checked within a few seconds" in Reader(answer.text).text
    assert float(redis_of(store).hget(key_of(store, "credit"), "next_check") or 1) == 0
    assert [(entry.actor, entry.action, entry.target) for entry in store.audit.read()] == [
        ("console:ops", "balance.check", "account")
    ]


def test_the_audit_is_read_page_by_page(operator: Person, reader: Person, store: Store) -> None:
    for n in range(120):
        store.jobs.cancel(
            enqueue(store, recipient=f"+81801112{n:04d}"), actor="cli:eve", note=f"no. {n}"
        )
    page = reader.page("/console/audit")
    assert "no. 119" in page.text
    assert "no. 19" not in page.text.replace("no. 119", "")
    (older,) = (link for link in page.links if "before=" in link)
    page = reader.page(older)
    assert "no. 19" in page.text
    assert "no. 0" in page.text
    assert not [link for link in page.links if "before=" in link]


# -- the do-not-call list --------------------------------------------------------------------------


def test_from_a_jobs_page_its_number_is_put_on_the_do_not_call_list(
    operator: Person, store: Store
) -> None:
    id_ = enqueue(store, recipient=NUMBERS[0])
    page = operator.page(f"/console/jobs/{id_}")
    assert f"Never call {NUMBERS[0]} again" in page.text
    answer = operator.send(page, "/do-not-call", number="0", note="asked by mail")
    assert "is on the do-not-call list" in Reader(answer.text).text
    (entry,) = store.do_not_call.check(NUMBERS[0])
    assert (entry.reason, entry.added_by) == ("asked by mail", "console:ops")
    assert "Never call" not in operator.page(f"/console/jobs/{id_}").text
    assert claim_one(store, id_, token="t", lease=30) is State.FAILED
    assert [each.action for each in store.audit.read()] == ["dnc.add"]


def test_who_is_on_it_for_some_jobs_can_be_put_on_it_for_all(
    operator: Person, store: Store
) -> None:
    id_ = enqueue(store, recipient=NUMBERS[0])
    store.do_not_call.add([Wish.of(NUMBERS[0], tag="marketing")], actor="cli")
    page = operator.page(f"/console/jobs/{id_}")
    assert "is on it for jobs with the tag marketing" in Reader(page.text).text
    operator.send(page, "/do-not-call", number="0")
    assert [entry.tag for entry in store.do_not_call.check(NUMBERS[0])] == [None, "marketing"]
    assert "Never call" not in operator.page(f"/console/jobs/{id_}").text


def test_who_only_reads_cannot_put_anybody_on_it(reader: Person, store: Store) -> None:
    id_ = enqueue(store, recipient=NUMBERS[0])
    assert "Never call" not in reader.page(f"/console/jobs/{id_}").text
    asked = {"csrf": reader.token, "number": "0"}
    assert reader.post(f"/console/jobs/{id_}/do-not-call", asked).status_code == 403
    assert store.do_not_call.size() == 0


def test_who_comes_back_to_a_preview_after_a_log_in_is_at_the_jobs(operator: Person) -> None:
    assert operator.get("/console/actions/preview").url.endswith("/console/jobs")
