"""The do-not-call list: looked at when a job is enqueued, and again right before a dial."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.do_not_call import KeyedHash, OtherKey, Wish, whom
from dispatcher.model.invalid_job import DoNotCall, InvalidJob
from dispatcher.model.states import Dnc, State
from dispatcher.policy import Policy, after_report
from dispatcher.store import Store, packing
from dispatcher.store.do_not_call import KEPT
from dispatcher.store.values import Claim, Refused
from dispatcher.values.mentions import Mentions
from support.claims import claim_one
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.reports import ended
from support.store_jobs import RECIPIENT, claim, enqueue, in_progress, request

OTHER = "+14155550123"
CONFERENCE = {"say": None, "recipient": None, "participants": (OTHER, RECIPIENT)}


def add(store: Store, who: str = RECIPIENT, **how: object) -> list[str]:
    return store.do_not_call.add([Wish.of(who, **how)], actor="cli:ann").answers  # type: ignore[arg-type]


def claimed(store: Store, id_: str) -> State | Claim:
    found = claim_one(store, id_, token="t", lease=30)
    assert isinstance(found, State | Claim)
    return found


def test_a_request_for_somebody_on_the_list_is_refused_and_nothing_is_written(store: Store) -> None:
    add(store, reason="asked us")
    with pytest.raises(DoNotCall) as caught:
        enqueue(store)
    assert isinstance(caught.value, InvalidJob)
    ((field, message),) = caught.value.problems
    assert field == "recipient"
    assert "'+8180****4567' is on the do-not-call list" in message
    assert RECIPIENT not in message
    assert "asked us" not in message  # what somebody said of a person is not for every producer
    assert not redis_of(store).keys(key_of(store, "job", "*"))
    assert claim(store, enqueue(store, recipient=OTHER)).attempt == 1


def test_a_job_that_waits_ends_with_a_reason_of_its_own(store: Store) -> None:
    id_ = enqueue(store)
    add(store)
    assert claimed(store, id_) is State.FAILED
    job = store.jobs.get(id_)
    assert (job.reason, job.attempts, job.spent) == ("do_not_call", (), 0)
    assert job.timeline[-1].why == "the number is on the do-not-call list"
    assert store.statistics.counters()["do_not_call.claim"] == 1


def test_all_participants_of_a_conference_are_looked_at(store: Store) -> None:
    id_ = enqueue(store, **CONFERENCE)
    add(store)
    with pytest.raises(DoNotCall, match=r"participants: '\+8180\*\*\*\*4567"):
        enqueue(store, **CONFERENCE)
    assert claimed(store, id_) is State.FAILED
    assert store.jobs.get(id_).timeline[-1].why == "participant 2 is on the do-not-call list"


def test_a_retry_is_refused_while_a_number_is_on_the_list(store: Store) -> None:
    id_ = enqueue(store)
    add(store)
    claimed(store, id_)
    with pytest.raises(Refused, match="on the do-not-call list"):
        store.jobs.retry(id_, actor="cli")
    preview = store.bulk.preview(BulkActionKind.RETRY, [id_])
    assert [left.reason for left in preview.excluded] == ["do_not_call"]
    store.do_not_call.remove([RECIPIENT], actor="cli")
    store.jobs.retry(id_, actor="cli")
    assert claim(store, id_).attempt == 1


def test_a_redial_looks_again(store: Store, clock: Clock) -> None:
    id_ = in_progress(store)
    job = store.jobs.get(id_)
    add(store)
    decision = after_report(ended("NO ANSWER"), job, Policy(redial=2, redial_after=60))
    assert decision is not None
    store.calls.settle(id_, 1, decision)
    clock.forward(61)
    store.queue.pump()
    assert claimed(store, id_) is State.FAILED
    assert (store.jobs.get(id_).reason, len(store.jobs.get(id_).attempts)) == ("do_not_call", 1)


def test_who_is_taken_off_is_called_again(store: Store) -> None:
    add(store)
    assert store.do_not_call.remove([RECIPIENT, OTHER], actor="cli:ann") == [1, 0]
    assert store.do_not_call.check(RECIPIENT) == []
    assert claim(store, enqueue(store)).attempt == 1


def test_an_entry_ends_by_itself_when_its_time_is_over(store: Store, clock: Clock) -> None:
    add(store, until=timedelta(days=30))
    id_ = enqueue(store, recipient=OTHER)
    add(store, OTHER, until="1h")
    clock.forward(3601)
    assert claim(store, id_).attempt == 1  # nothing had to be tidied for that
    with pytest.raises(DoNotCall):
        enqueue(store)
    clock.forward(30 * 86400)
    assert store.do_not_call.check(RECIPIENT) == []
    clock.forward(KEPT)
    assert store.do_not_call.end_due() == 2
    assert (
        store.do_not_call.size(),
        redis_of(store).exists(key_of(store, "do_not_call_ends")),
    ) == (0, 0)


def test_a_clock_that_was_ahead_ends_no_entry_for_good(store: Store, clock: Clock) -> None:
    add(store, until=timedelta(days=30))
    clock.forward(31 * 86400)
    assert store.do_not_call.end_due() == 0
    clock.forward(-31 * 86400)
    with pytest.raises(DoNotCall):
        enqueue(store)


def test_a_purge_hides_a_number_in_what_has_ended_too(store: Store, clock: Clock) -> None:
    add(store, until="1h", reason=f"husband of {OTHER}")
    clock.forward(3601)
    assert store.do_not_call.hide(Mentions(OTHER)) == 1
    assert OTHER[1:] not in str(redis_of(store).hgetall(key_of(store, "do_not_call")))


def test_a_purge_names_the_tag_of_an_entry_that_holds_the_number(store: Store) -> None:
    add(store, tag=f"family of {OTHER}")
    assert store.redaction.redact(Mentions(OTHER)).left == (
        "the tag family of +141****0123 of the do-not-call list",
    )


def test_an_entry_for_a_tag_is_for_jobs_with_that_tag_alone(store: Store) -> None:
    add(store, tag="marketing")
    waits = enqueue(store, tags=["a"])
    for tags in (["marketing"], ["a", "marketing"]):
        with pytest.raises(DoNotCall):
            enqueue(store, tags=tags)
    for tags in ([], ["marketing-mail"], ["market"]):
        enqueue(store, tags=tags)
    assert claim(store, waits).attempt == 1
    add(store)
    scopes = [entry.tag for entry in store.do_not_call.check(RECIPIENT)]
    assert scopes == [None, "marketing"]
    assert store.do_not_call.size() == 1
    assert store.do_not_call.remove([RECIPIENT], actor="cli", tag="marketing") == [1]
    assert [entry.tag for entry in store.do_not_call.check(RECIPIENT)] == [None]


def test_two_of_everything_is_one_and_an_entry_is_never_made_shorter(store: Store) -> None:
    assert add(store, until="1d", reason="first") == ["new"]
    assert add(store, until="1h", reason="again") == ["known"]
    assert store.do_not_call.check(RECIPIENT)[0].reason == "first"
    assert add(store, until="30d", reason="later") == ["longer"]
    assert add(store) == ["longer"]
    assert add(store, until="30d", reason="an import") == ["known"]
    (entry,) = store.do_not_call.check(RECIPIENT)
    assert (entry.until, entry.reason, entry.added_by) == (None, "", "cli:ann")
    assert len(list(store.audit.read())) == 3  # only what changed something is written down


def test_a_hash_alone_tells_nobody_and_stops_the_call(store: Store) -> None:
    id_ = enqueue(store)
    add(store, keep=False)
    (entry,) = store.do_not_call.check(RECIPIENT)
    assert entry.number is None
    assert RECIPIENT[1:] not in str(redis_of(store).hgetall(key_of(store, "do_not_call")))
    assert claimed(store, id_) is State.FAILED
    assert store.do_not_call.check(whom(entry.hash)) == [entry]
    assert store.do_not_call.remove([whom(entry.hash)], actor="cli") == [1]
    enqueue(store)


def test_a_hash_is_the_hmac_that_anybody_with_the_key_can_make(store: Store) -> None:
    add(store)
    key = redis_of(store).hget(key_of(store, "do_not_call"), "key")
    assert isinstance(key, bytes)
    for number in (OTHER, "+6421123456", "+492211234567"):
        own = hmac.new(key, number.encode(), hashlib.sha1).hexdigest()
        who = whom(f"{store.do_not_call.key_id()}:{own}")
        store.do_not_call.add([Wish(who)], actor="cli")
        with pytest.raises(DoNotCall):
            enqueue(store, recipient=number)


@pytest.mark.parametrize(
    ("listed", "called"),
    [("+5491123456789", "+541123456789"), ("+3780549886377", "+390549886377")],
)
@pytest.mark.parametrize("swap", [False, True])
def test_a_number_that_is_in_use_in_two_writings_is_on_the_list_in_both(
    store: Store, listed: str, called: str, swap: bool
) -> None:
    listed, called = (called, listed) if swap else (listed, called)
    waits = enqueue(store, recipient=called)
    add(store, listed)
    with pytest.raises(DoNotCall):
        enqueue(store, recipient=called)
    assert claimed(store, waits) is State.FAILED
    assert [entry.number for entry in store.do_not_call.check(called)] == [listed]
    assert store.do_not_call.remove([called], actor="cli:ann") == [1]
    under_way = enqueue(store, recipient=called)
    assert claim(store, under_way).attempt == 1
    assert store.do_not_call.add([Wish.of(listed)], actor="cli").calling == [under_way]


def test_numbers_that_only_begin_so_have_one_writing(store: Store) -> None:
    add(store, "+390549886377")
    add(store, "+5491123456789")
    for other in ("+390612345678", "+543511234567", "+5493511234567"):
        assert store.do_not_call.check(other) == []


def test_a_hash_of_another_list_is_refused_as_it_would_match_nobody(store: Store) -> None:
    stranger = KeyedHash("0" * 8, "1" * 40)
    with pytest.raises(OtherKey, match="this list has none yet"):
        store.do_not_call.add([Wish(stranger)], actor="cli")
    add(store)
    with pytest.raises(OtherKey, match=f"this list's is {store.do_not_call.key_id()}"):
        store.do_not_call.add([Wish(stranger)], actor="cli")
    assert store.do_not_call.size() == 1


def test_urgent_jobs_obey_unless_the_setting_exempts_them(store: Store) -> None:
    add(store)
    with pytest.raises(DoNotCall):
        enqueue(store, priority="urgent")
    store.limiter.publish(AccountConfig(dnc_urgent=Dnc.EXEMPT))
    id_ = enqueue(store, priority="urgent")
    with pytest.raises(DoNotCall):
        enqueue(store)
    assert claim(store, id_).attempt == 1


def test_a_job_that_is_exempt_is_called_and_that_is_written_down(store: Store) -> None:
    add(store)
    id_ = store.jobs.enqueue(request(dnc="exempt"), actor="billing").id
    assert claim(store, id_).attempt == 1
    job = store.jobs.get(id_)
    assert job.dnc is Dnc.EXEMPT
    assert job.timeline[0].why == "exempt from the do-not-call list"
    entry = list(store.audit.read())[-1]
    assert (entry.actor, entry.action, entry.target) == ("billing", "dnc.exempt", f"job:{id_}")


def test_to_say_what_is_usual_makes_no_other_request(store: Store) -> None:
    first = store.jobs.enqueue(request(key="k"))
    assert store.jobs.enqueue(request(key="k", dnc="obey")).id == first.id
    assert store.jobs.get(first.id).dnc is Dnc.OBEY


def test_a_dry_run_says_who_is_on_the_list(store: Store) -> None:
    add(store, tag="a")
    rows = [packing.packed(request(tags=tags)) for tags in (["a"], ["b"])]
    answers = ["listed:818011234567", "new"]
    assert store.jobs.find_existing(rows) == answers
    assert store.jobs.enqueue_packed(rows) == answers


def test_adding_tells_of_a_call_whose_claim_came_before(store: Store) -> None:
    id_ = enqueue(store)
    claim(store, id_)
    assert store.do_not_call.add([Wish.of(RECIPIENT)], actor="cli").calling == [id_]
    assert store.do_not_call.add([Wish.of(OTHER)], actor="cli").calling == []


def test_many_entries_are_listed_each_once(store: Store) -> None:
    numbers = [f"+81801234{n:04}" for n in range(1200)]
    store.do_not_call.add((Wish(number) for number in numbers), actor="cli")
    assert sorted(entry.number or "" for entry in store.do_not_call.all()) == numbers
    assert store.do_not_call.size() == 1200


def test_who_did_it_is_written_down_with_numbers_masked(store: Store) -> None:
    add(store, reason=f"wife of {OTHER}", tag="marketing")
    store.do_not_call.remove([RECIPIENT], actor="console:ops", note="a mistake")
    added, removed = store.audit.read(mask=False)
    assert (added.action, added.actor, added.target) == (
        "dnc.add",
        "cli:ann",
        "recipient:+8180****4567",
    )
    assert added.note == "wife of +141****0123"
    assert added.facts == {"entries": 1, "tag": "marketing", "until": None}
    assert (removed.action, removed.actor, removed.note) == (
        "dnc.remove",
        "console:ops",
        "a mistake",
    )
