"""A one-time code in Redis: kept until its job has ended, and told to nobody but the provider."""

from __future__ import annotations

import json

import pytest

from dispatcher.cli.job_output import details
from dispatcher.model.account_config import AccountConfig
from dispatcher.model.job import Job
from dispatcher.model.states import State
from dispatcher.policy import Decision, after_report
from dispatcher.provider import AnswerLost
from dispatcher.rows.exporting import rows
from dispatcher.store import Store
from dispatcher.store.values import Refused
from support.clock import Clock
from support.reports import ended
from support.store_jobs import POLICY, claim, enqueue, placed, refused, request, snapshot

CODE = "276983"
SPOKEN = "2,,7,,6,,9,,8,,3"


def coded(store: Store, **fields: object) -> str:
    return store.jobs.enqueue(request(**{"say": None, "code": CODE, **fields})).id


def holds_code(store: Store) -> bool:
    text = json.dumps(snapshot(store), ensure_ascii=False)
    return CODE in text or SPOKEN in text


def end(store: Store, id_: str, word: str) -> Job:
    job = store.jobs.get(id_)
    decision = after_report(ended(word), job, POLICY)
    assert decision
    store.calls.settle(id_, len(job.attempts), decision)
    return store.jobs.get(id_)


def test_the_provider_is_told_the_code_and_redis_forgets_it_at_the_end(store: Store) -> None:
    id_ = coded(store)
    claimed = claim(store, id_)
    assert SPOKEN in (claimed.job.spoken or "")
    store.calls.settle(id_, claimed.attempt, placed())
    assert holds_code(store)
    assert end(store, id_, "ANSWERED").state is State.COMPLETED
    assert not holds_code(store)


@pytest.mark.parametrize("way", ["cancelled", "expired", "failed"])
def test_every_end_removes_it(store: Store, clock: Clock, way: str) -> None:
    id_ = coded(store)
    if way == "cancelled":
        store.jobs.cancel(id_, actor="cli")
    elif way == "expired":
        clock.forward(601)
        store.queue.pump()
    else:
        why = Decision(State.FAILED, "invalid_request", "no such number", "invalid_request")
        store.calls.settle(id_, claim(store, id_).attempt, why)
    assert store.jobs.get(id_).state == way
    assert not holds_code(store)


def test_a_redial_says_it_again(store: Store, clock: Clock) -> None:
    id_ = coded(store, redial=1, redial_after=60)
    store.calls.settle(id_, claim(store, id_).attempt, placed())
    assert end(store, id_, "NO ANSWER").state is State.SCHEDULED
    clock.forward(61)
    store.queue.pump()
    assert SPOKEN in (claim(store, id_).job.spoken or "")


def test_an_uncertain_one_keeps_it_until_it_is_decided(store: Store) -> None:
    id_ = coded(store)
    claimed = claim(store, id_)
    store.calls.settle(id_, claimed.attempt, refused(AnswerLost("cut"), claimed.job))
    store.jobs.retry(id_, actor="cli", uncertain=True)
    assert SPOKEN in (store.jobs.get(id_).spoken or "")


def test_an_ended_one_is_not_retried(store: Store) -> None:
    id_ = coded(store)
    store.calls.settle(id_, claim(store, id_).attempt, placed())
    end(store, id_, "NO ANSWER")
    with pytest.raises(Refused, match="its code was removed when it ended"):
        store.jobs.retry(id_, actor="cli", expires=600)
    text = enqueue(store)
    store.calls.settle(text, claim(store, text).attempt, placed("call-2"))
    end(store, text, "NO ANSWER")
    store.jobs.retry(text, actor="cli")


def test_no_view_of_it_shows_it(store: Store) -> None:
    job = store.jobs.get(coded(store, say="Acme"))
    for mask in (True, False):
        told = job.to_dict(mask=mask)
        assert told["code"] == "hidden"
        assert CODE not in json.dumps(told)
        assert CODE not in str(list(rows(job, mask=mask)))
    assert CODE not in repr(job)
    assert "code" not in store.jobs.get(enqueue(store)).to_dict()


def test_the_command_line_shows_none(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    details(store.jobs.get(coded(store)))
    assert CODE not in capsys.readouterr().out


def test_no_webhook_ever_holds_it(store: Store) -> None:
    store.limiter.publish(AccountConfig(webhooks=1, every_change=True))
    id_ = coded(store, webhook="https://example.com/told")
    kept = {name: fields for name, fields in snapshot(store).items() if "delivery" in name}
    assert len(kept) == 2
    assert CODE not in json.dumps(kept)
    assert SPOKEN in (store.jobs.get(id_).spoken or "")
