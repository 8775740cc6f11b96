"""What became of campaigns: counted as jobs move, whatever happens to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from dispatcher.errors import DispatcherError
from dispatcher.model.campaign import Calls, Campaign, UnknownCampaign
from dispatcher.model.states import State
from dispatcher.policy import after_report
from dispatcher.provider import AnswerLost, NeverReached
from dispatcher.store import Store, campaigns
from support.campaign_books import assert_counted
from support.claims import claim_one
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.reports import ended
from support.store_jobs import (
    POLICY,
    at,
    claim,
    enqueue,
    failed,
    in_progress,
    placed,
    records,
    refused,
    request,
    snapshot,
)

DAY = 86_400.0
SPRING = ("campaign:spring",)
HOUR = timedelta(hours=1)


def end(store: Store, id_: str, word: str, cost: str | None = "7.5", seconds: float = 12) -> None:
    """Have the provider report the end of a job's call."""
    job = store.jobs.get(id_)
    report = ended(word, None if cost is None else Decimal(cost), seconds)
    decision = after_report(report, job, POLICY)
    assert decision is not None
    store.calls.settle(id_, job.attempts[-1].number, decision)


def spring(store: Store) -> Campaign:
    assert_counted(snapshot(store))
    return store.campaigns.get("spring")


def test_a_campaign_tells_where_its_jobs_are_and_what_their_calls_came_to(
    store: Store, clock: Clock
) -> None:
    began = at(clock.ms)
    for n in range(3):
        end(store, in_progress(store, f"a{n}", tags=SPRING), "ANSWERED")
    end(store, in_progress(store, "b", tags=SPRING), "NO ANSWER", "0", 0)
    failed(store, tags=SPRING)
    in_progress(store, "c", tags=SPRING)
    store.jobs.cancel(enqueue(store, tags=SPRING), actor="kim")
    enqueue(store, tags=SPRING)
    enqueue(store, tags=SPRING, at=60)
    enqueue(store, tags=("campaign:autumn",))
    enqueue(store, tags=("spring",))
    found = spring(store)
    assert (found.jobs, found.purged) == (9, 0)
    assert (found.waiting, found.in_progress, found.answered) == (2, 1, 3)
    assert found.failed == {"no_answer": 1, "invalid_request": 1}
    assert found.not_answered == 1
    assert found.of(State.CANCELLED) == 1
    assert (found.attempts, found.talked, found.credits) == (6, 36.0, Decimal("22.5"))
    assert found.by_attempt == {1: Calls(6, 3)}
    assert list((found.by_hour or {}).values()) == [Calls(6, 3)]
    assert (found.first_at, found.dialled_at) == (began, began)
    assert found.ended_at == at(clock.ms)


def test_a_campaign_that_is_not_there_is_said_to_be_unknown(store: Store) -> None:
    enqueue(store, tags=("urgent",))
    with pytest.raises(UnknownCampaign, match="there is no campaign 'urgent': check the name"):
        store.campaigns.get("urgent")
    assert list(store.campaigns.all()) == []


def test_jobs_without_a_campaign_write_nothing_of_one(store: Store) -> None:
    end(store, in_progress(store, tags=("a", "b")), "ANSWERED")
    assert not [name for name in snapshot(store) if name.startswith("campaign")]


def test_a_producer_with_the_name_of_a_campaign_is_none(store: Store) -> None:
    store.jobs.enqueue(request(), actor="campaign:spring")
    assert not [name for name in snapshot(store) if name.startswith("campaign")]


def test_redials_and_retries_count_by_attempt(store: Store, clock: Clock) -> None:
    id_ = in_progress(store, "c1", tags=SPRING, redial=1, redial_after=60)
    end(store, id_, "NO ANSWER", "0", 0)
    assert spring(store).waiting == 1
    clock.forward(3600)
    store.queue.pump()
    store.calls.settle(id_, claim(store, id_).attempt, placed("c2"))
    end(store, id_, "NO ANSWER", "0", 0)
    assert spring(store).not_answered == 1
    store.jobs.retry(id_, actor="kim")
    found = spring(store)
    assert (found.not_answered, found.waiting) == (0, 1)
    store.calls.settle(id_, claim(store, id_).attempt, placed("c3"))
    end(store, id_, "ANSWERED")
    found = spring(store)
    assert (found.jobs, found.answered, found.not_answered, found.attempts) == (1, 1, 0, 3)
    assert found.by_attempt == {1: Calls(1, 0), 2: Calls(1, 0), 3: Calls(1, 1)}
    assert list((found.by_hour or {}).values()) == [Calls(1, 0), Calls(2, 1)]


def test_a_cost_that_comes_late_and_one_that_grows_are_counted_once(store: Store) -> None:
    id_ = in_progress(store, tags=SPRING)
    end(store, id_, "ANSWERED", None)
    assert spring(store).credits == 0
    for _ in range(2):
        end(store, id_, "ANSWERED", "7.5")
    assert spring(store).credits == Decimal("7.5")
    end(store, id_, "ANSWERED", "9")
    assert (spring(store).credits, spring(store).talked) == (9, 12)


def test_evidence_that_saves_a_call_moves_its_job(store: Store, clock: Clock) -> None:
    made = claim(store, id_ := enqueue(store, tags=SPRING))
    store.calls.settle(id_, 1, refused(AnswerLost("cut"), made.job))
    assert spring(store).in_progress == 1
    clock.forward(POLICY.evidence_window)
    end(store, id_, "ANSWERED")
    assert spring(store).answered == 1


def test_a_person_who_was_marked_as_reached_is_no_answer(store: Store) -> None:
    made = claim(store, id_ := enqueue(store, tags=SPRING))
    store.calls.settle(id_, 1, refused(AnswerLost("cut"), made.job))
    store.jobs.mark_reached(id_, actor="kim", note="she says so")
    found = spring(store)
    assert (found.answered, found.marked_reached, found.by_attempt) == (0, 1, {1: Calls(1, 0)})


def test_held_jobs_are_told_by_the_reason_of_the_hold(store: Store) -> None:
    store.holds.start("credit", "no credit")
    id_ = enqueue(store, tags=SPRING)
    claim_one(store, id_, token="t", lease=30)
    assert spring(store).held == {"credit": 1}
    store.holds.end("credit")
    store.queue.pump()
    assert (spring(store).held, spring(store).waiting) == ({}, 1)


def test_a_claim_that_redis_lost_counts_its_attempt(store: Store) -> None:
    id_ = enqueue(store, tags=SPRING)
    decision = after_report(ended("ANSWERED", Decimal(7), 3), store.jobs.get(id_), POLICY)
    assert decision is not None
    store.calls.settle(id_, 2, decision)
    found = store.campaigns.get("spring")
    assert (found.attempts, found.answered, found.credits) == (2, 1, 7)
    assert found.by_attempt == {1: Calls(1, 0), 2: Calls(1, 1)}


def test_jobs_that_were_withdrawn_were_never_accepted(store: Store) -> None:
    kept, gone = enqueue(store, tags=SPRING), enqueue(store, tags=SPRING)
    made = claim(store, gone)
    store.calls.settle(gone, made.attempt, refused(NeverReached("no"), made.job))
    connection = store.campaigns._connection
    assert connection.run("withdraw", ids=[gone], why="too few replicas") == [b"gone"]
    found = spring(store)
    assert (found.jobs, found.attempts, found.by_hour) == (1, 0, {})
    assert connection.run("withdraw", ids=[kept], why="too few replicas") == [b"gone"]
    assert_counted(snapshot(store))
    assert list(store.campaigns.all()) == []


# -- how long it is kept -------------------------------------------------------------------


def test_what_was_purged_still_counts_and_the_summary_stays_for_its_own_time(
    store: Store, clock: Clock
) -> None:
    ids = [in_progress(store, f"c{n}", tags=SPRING) for n in range(2)]
    for id_ in ids:
        end(store, id_, "ANSWERED")
    gone = [records(snapshot(store))[ids[0]]]
    assert store.jobs.purge(ids[0], clock.ms + 1)
    assert_counted(snapshot(store), gone)
    found = store.campaigns.get("spring")
    assert (found.jobs, found.purged, found.answered, found.credits) == (2, 1, 2, 15)
    clock.forward(400 * DAY)
    assert store.campaigns.forget_older(clock.ms) == 0  # it has a job
    assert store.jobs.purge(ids[1], clock.ms + 1)
    assert store.campaigns.forget_older(clock.ms) == 0
    clock.forward(DAY)
    assert store.campaigns.get("spring").answered == 2
    assert store.campaigns.forget_older(clock.ms) == 1
    assert not [name for name in snapshot(store) if name.startswith("campaign")]


def test_a_campaign_that_goes_on_after_a_purge_is_no_summary(store: Store, clock: Clock) -> None:
    id_ = failed(store, tags=SPRING)
    assert store.jobs.purge(id_, clock.ms + 1)
    enqueue(store, tags=SPRING)
    clock.forward(DAY)
    assert store.campaigns.forget_older(clock.ms) == 0
    assert store.campaigns.get("spring").jobs == 2


def test_of_too_many_summaries_the_oldest_go(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatcher.store.campaigns.CAMPAIGN_SUMMARIES", 3)
    monkeypatch.setattr("dispatcher.store.campaigns.AT_ONCE", 2)
    for n in range(8):
        id_ = failed(store, tags=(f"campaign:{n}",))
        clock.forward(1)
        assert store.jobs.purge(id_, clock.ms)
    assert store.campaigns.forget_older(0) == 5
    assert [each.name for each in store.campaigns.all()] == ["7", "6", "5"]


def test_a_purge_of_a_number_leaves_no_summary_with_that_number(store: Store, clock: Clock) -> None:
    for name in ("for +81 80 1123 4567", "spring"):
        failed(store, recipient="+818011234567", tags=(f"campaign:{name}",))
    enqueue(store, recipient="+14155550123", tags=("campaign:08011234567 too",))
    clock.forward(1)
    left = store.retention.forget_recipient("+818011234567", actor="kim", note="").redacted.left
    assert {each.name for each in store.campaigns.all()} == {"spring", "08011234567 too"}
    assert len(left) == 1
    assert left[0].startswith("the campaign 080")
    assert "11234567" not in left[0]


# -- pace ----------------------------------------------------------------------------------


def test_the_pace_is_that_of_the_latest_minutes_and_says_when_it_will_end(
    store: Store, clock: Clock
) -> None:
    for n in range(20):
        end(store, in_progress(store, f"early{n}", tags=SPRING), "ANSWERED")
    assert spring(store).pace == 20
    clock.forward(3600)
    assert (spring(store).pace, spring(store).expected_end) == (0, None)
    for n in range(10):
        end(store, in_progress(store, f"late{n}", tags=SPRING), "ANSWERED")
        clock.forward(60)
    for _ in range(50):
        enqueue(store, tags=SPRING)
    found = spring(store)
    assert 0.9 <= found.pace <= 1.1
    assert found.expected_end is not None
    assert 45 <= (found.expected_end - found.at).total_seconds() / 60 <= 56


def test_a_campaign_that_is_over_has_no_expected_end(store: Store) -> None:
    end(store, in_progress(store, tags=SPRING), "ANSWERED")
    assert spring(store).expected_end is None


def test_hours_are_kept_for_a_month(store: Store, clock: Clock) -> None:
    first = datetime.fromtimestamp(clock.ms // 3_600_000 * 3600, UTC)
    for n in range(3):
        end(store, in_progress(store, f"c{n}", tags=SPRING), "ANSWERED")
        clock.forward(20 * DAY)
    found = store.campaigns.get("spring")
    assert list(found.by_hour or ()) == [first + 20 * 24 * HOUR, first + 40 * 24 * HOUR]
    assert found.answered == 3


# -- the list ------------------------------------------------------------------------------


def test_campaigns_are_listed_newest_first_page_by_page(store: Store, clock: Clock) -> None:
    for n in range(7):
        enqueue(store, tags=(f"campaign:{n}",))
        if n % 3:
            clock.forward(1)
    wanted = [each.name for each in store.campaigns.all()]
    assert {each.by_hour for each in store.campaigns.all()} == {None}
    assert set(wanted) == {str(n) for n in range(7)}
    for limit in (1, 2, 3, 7):
        page = store.campaigns.page(limit)
        found = [each.name for each in page.campaigns]
        while page.cursor is not None:
            page = store.campaigns.page(limit, page.cursor)
            assert len(page.campaigns) <= limit
            found += [each.name for each in page.campaigns]
        assert found == wanted
    with pytest.raises(DispatcherError, match="is not a cursor"):
        store.campaigns.page(5, "x")


def test_campaigns_are_found_by_a_part_of_their_name(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaigns, "NAMES_AT_ONCE", 3)
    monkeypatch.setattr(campaigns, "LOOKED_AT", 5)
    for n in range(12):
        enqueue(store, tags=(f"campaign:{'Spring' if n % 4 == 0 else 'other'}-{n}",))
        clock.forward(n % 2)
    enqueue(store, tags=("campaign:to-+818011234567",))
    found, cursor = list[str](), None
    for _ in range(13):
        page = store.campaigns.page(2, cursor, named="sPRING")
        found += [each.name for each in page.campaigns]
        if (cursor := page.cursor) is None:
            break
    assert found == ["Spring-8", "Spring-4", "Spring-0"]
    assert store.campaigns.page(5, named="to-").campaigns
    assert not store.campaigns.page(5, named="80112345").campaigns  # it is hidden in lists, too


def test_to_read_a_campaign_takes_two_reads_however_many_jobs_it_has(store: Store) -> None:
    for _ in range(30):
        enqueue(store, tags=SPRING)
    client = redis_of(store)
    client.config_resetstat()
    store.campaigns.get("spring")
    stats = client.info("commandstats")
    assert stats["cmdstat_hgetall"]["calls"] == 2
    assert client.hlen(key_of(store, "campaign", "spring")) < 10
