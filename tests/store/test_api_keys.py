"""API keys: only a hash is kept, nobody is let in by anything else, and rates are kept."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.model.api_key import ApiKey, InvalidKeyOptions, NotLetIn, Quota, Scope, UnknownKey
from dispatcher.store import Store
from dispatcher.store.api_keys import ApiKeys
from dispatcher.values.masking import mask_text
from support.clock import Clock
from support.redis_inside import key_of, redis_of, root_of
from support.store_jobs import NOW


@pytest.fixture
def keys(store: Store) -> ApiKeys:
    return store.api_keys


def everything(store: Store) -> str:
    """Return all that Redis keeps of the namespace, in one text."""
    found = []
    for name in redis_of(store).scan_iter(f"{root_of(store)}:*"):
        found.append(name.decode())
        if redis_of(store).type(name) == b"hash":
            found += [
                text.decode() for pair in redis_of(store).hgetall(name).items() for text in pair
            ]
    return "\n".join(found)


def test_a_key_lets_in_what_it_was_made_for(keys: ApiKeys) -> None:
    made, text = keys.create("billing", [Scope.ENQUEUE], quota=Quota(50, 60), note="invoices")
    found = keys.authenticate(text)
    assert (found.id, found.name, found.note) == (made.id, "billing", "invoices")
    assert (found.scopes, found.quota) == ({Scope.ENQUEUE}, Quota(50, 60))
    assert found.may(Scope.ENQUEUE)
    assert not found.may(Scope.READ)
    assert not found.may(Scope.OPERATE)


def test_operate_holds_read_and_no_more(keys: ApiKeys) -> None:
    made, _ = keys.create("ops", [Scope.OPERATE])
    assert made.may(Scope.READ)
    assert not made.may(Scope.ENQUEUE)


def test_the_secret_is_kept_nowhere(keys: ApiKeys, store: Store) -> None:
    _, text = keys.create("billing", [Scope.READ])
    keys.authenticate(text)
    secret = text.rpartition("_")[2]
    assert len(bytes.fromhex(secret)) * 8 == 256
    assert secret not in everything(store)
    assert secret not in repr(keys.all())


def test_no_id_of_a_key_looks_like_a_number(keys: ApiKeys) -> None:
    ids = [keys.create("x", [Scope.READ])[0].id for _ in range(50)]
    assert len(set(ids)) == 50
    assert all(id_.isalpha() and mask_text(f"key:{id_}") == f"key:{id_}" for id_ in ids)


def test_keys_of_one_name_take_each_others_place(keys: ApiKeys) -> None:
    old, old_text = keys.create("billing", [Scope.ENQUEUE])
    new, new_text = keys.create("billing", [Scope.ENQUEUE])
    assert {keys.authenticate(text).id for text in (old_text, new_text)} == {old.id, new.id}
    assert keys.revoke(old.id)
    assert not keys.revoke(old.id)
    with pytest.raises(NotLetIn):
        keys.authenticate(old_text)
    assert keys.authenticate(new_text).name == "billing"
    assert {key.id: key.revoked_at for key in keys.all()} == {old.id: NOW, new.id: None}


def test_a_key_ends_when_it_was_said_to(keys: ApiKeys, clock: Clock) -> None:
    _, text = keys.create("billing", [Scope.READ], expires_at=NOW + timedelta(days=90))
    clock.forward(90 * 86_400 - 1)
    assert keys.authenticate(text).name == "billing"
    clock.forward(1)
    with pytest.raises(NotLetIn):
        keys.authenticate(text)


def test_whatever_lets_nobody_in_is_told_in_the_same_words(keys: ApiKeys, clock: Clock) -> None:
    _, expired_text = keys.create("a", [Scope.READ], expires_at=NOW + timedelta(seconds=1))
    revoked, revoked_text = keys.create("b", [Scope.READ])
    keys.revoke(revoked.id)
    clock.forward(2)
    live, _ = keys.create("c", [Scope.READ])
    _, other = keys.create("c", [Scope.READ])
    mixed = f"vd_{live.id}_{other.rpartition('_')[2]}"
    unknown = f"vd_{'a' * 10}_{secrets.token_hex(32)}"
    said = set()
    for text in (expired_text, revoked_text, mixed, unknown, "", "vd_", other + "0", other + "\n"):
        with pytest.raises(NotLetIn) as refusal:
            keys.authenticate(text)
        said.add(str(refusal.value))
    assert len(said) == 1


@settings(max_examples=50)
@given(text=st.text() | st.from_regex(r"vd_[a-z]{10}_[0-9a-f]{64}", fullmatch=True))
def test_no_text_that_is_made_up_lets_in(keys: ApiKeys, text: str) -> None:
    with pytest.raises(NotLetIn):
        keys.authenticate(text)


def used(keys: ApiKeys, made: ApiKey) -> datetime | None:
    return keys.get(made.id).used_at


def test_the_last_use_is_written_once_a_minute(keys: ApiKeys, clock: Clock) -> None:
    made, text = keys.create("billing", [Scope.READ])
    assert used(keys, made) is None
    keys.authenticate(text)
    assert used(keys, made) == NOW
    clock.forward(59)
    keys.authenticate(text)
    assert used(keys, made) == NOW
    clock.forward(1)
    keys.authenticate(text)
    assert used(keys, made) == NOW + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("", {}, "not a client name"),
        ("a b", {}, "not a client name"),
        ("日本", {}, "not a client name"),
        ("-x", {}, "not a client name"),
        ("x" * 32, {}, "not a client name"),
        ("CLI", {}, "without a key"),
        ("producer", {}, "without a key"),
        ("x", {"note": "two\nlines"}, "note"),
        ("x", {"note": "x" * 201}, "note"),
        ("x", {"expires_at": NOW}, "has passed"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(
    keys: ApiKeys, name: str, options: dict[str, object], says: str
) -> None:
    with pytest.raises(InvalidKeyOptions, match=says):
        keys.create(name, [Scope.READ], **options)  # type: ignore[arg-type]
    assert not keys.any()


def test_a_key_needs_a_scope(keys: ApiKeys) -> None:
    with pytest.raises(InvalidKeyOptions, match="enqueue, read, operate"):
        keys.create("x", [])


def test_an_unknown_key_cannot_be_revoked(keys: ApiKeys, store: Store) -> None:
    with pytest.raises(UnknownKey, match="keys list"):
        keys.revoke("abcdefghij")
    assert not redis_of(store).exists(key_of(store, "api_key", "abcdefghij"))


def test_any_says_whether_a_key_was_ever_made(keys: ApiKeys) -> None:
    assert not keys.any()
    made, _ = keys.create("x", [Scope.READ])
    keys.revoke(made.id)
    assert keys.any()


# -- rates ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "quota"),
    [
        ("50/minute", Quota(50, 60)),
        (" 5/S ", Quota(5, 1)),
        ("1000/h", Quota(1000, 3600)),
        ("20000/day", Quota(20000, 86_400)),
    ],
)
def test_a_rate_is_read_and_shown(text: str, quota: Quota) -> None:
    assert Quota.parse(text) == quota
    assert Quota.parse(str(quota)) == quota


@pytest.mark.parametrize(
    "text", ["", "0/s", "-1/s", "1.5/s", "5", "5/week", "99999999/s", "\u0665/s"]
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(InvalidKeyOptions, match="50/minute"):
        Quota.parse(text)


def test_a_rate_is_let_through_at_once_and_then_bit_by_bit(keys: ApiKeys, clock: Clock) -> None:
    made, _ = keys.create("x", [Scope.ENQUEUE], quota=Quota(60, 60))
    assert [keys.take(made).many for _ in range(60)] == [1] * 60
    refused = keys.take(made)
    assert (refused.many, refused.again) == (0, 1.0)
    clock.forward(3)
    assert keys.take(made, 10).many == 3
    clock.forward(3600)
    assert keys.take(made, 100).many == 60


def test_what_was_not_used_is_given_back(keys: ApiKeys) -> None:
    made, _ = keys.create("x", [Scope.ENQUEUE], quota=Quota(10, 60))
    assert keys.take(made, 10).many == 10
    keys.give_back(made, 4)
    assert keys.take(made, 10).many == 4
    keys.give_back(made, 1000)
    assert keys.take(made, 1000).many == 10


def test_each_key_has_a_rate_of_its_own_and_none_has_no_limit(keys: ApiKeys) -> None:
    first, _ = keys.create("x", [Scope.ENQUEUE], quota=Quota(1, 60))
    second, _ = keys.create("x", [Scope.ENQUEUE], quota=Quota(1, 60))
    free, _ = keys.create("x", [Scope.ENQUEUE])
    assert [keys.take(key).many for key in (first, first, second)] == [1, 0, 1]
    assert keys.take(free, 10**6).many == 10**6


@settings(max_examples=30)
@given(
    many=st.integers(1, 7),
    asked=st.lists(st.tuples(st.integers(1, 9), st.floats(0, 3)), min_size=1, max_size=15),
)
def test_no_more_than_twice_the_rate_within_any_period(
    keys: ApiKeys, clock: Clock, many: int, asked: list[tuple[int, float]]
) -> None:
    """All at once after a pause, and what comes free meanwhile: that is what GCRA promises."""
    made, _ = keys.create("x", [Scope.ENQUEUE], quota=Quota(many, 1))
    took: list[tuple[float, int]] = []
    for wanted, pause in asked:
        clock.forward(pause)
        took.append((clock.ms, keys.take(made, wanted).many))
    for start, _ in took:
        within = sum(each for at, each in took if start <= at < start + 1000)
        assert within <= 2 * many


def test_a_rate_leaves_nothing_behind(keys: ApiKeys, store: Store) -> None:
    made, _ = keys.create("x", [Scope.ENQUEUE], quota=Quota(10, 60))
    keys.take(made, 10)
    assert 0 < redis_of(store).pttl(key_of(store, "quota", made.id)) <= 60_000
    keys.give_back(made, 10)
    assert not redis_of(store).exists(key_of(store, "quota", made.id))


def test_now_is_aware(keys: ApiKeys) -> None:
    made, _ = keys.create("x", [Scope.READ])
    assert made.created_at.tzinfo is UTC


def test_who_makes_and_revokes_a_key_is_written_down(keys: ApiKeys, store: Store) -> None:
    made, _ = keys.create("x", [Scope.READ], note="for the wall", actor="cli:sam")
    for _ in range(2):
        keys.revoke(made.id, actor="cli:kim", note="lost")
    entries = [(e.actor, e.action, e.target, e.note, e.facts) for e in store.audit.read()]
    assert entries == [
        (
            "cli:sam",
            "keys.create",
            f"key:{made.id}",
            "for the wall",
            {"name": "x", "scopes": "read", "note": "for the wall"},
        ),
        ("cli:kim", "keys.revoke", f"key:{made.id}", "lost", {"name": "x"}),
    ]


def test_a_clock_that_steps_back_lets_nobody_through_for_nothing_and_shuts_nobody_out(
    keys: ApiKeys, clock: Clock
) -> None:
    key, _ = keys.create("billing", [Scope.ENQUEUE], quota=Quota(2, 60))
    assert keys.take(key, 2).many == 2
    clock.forward(-3600)
    assert keys.take(key).many == 0
    assert keys.take(key, 5).again <= 60


def test_a_key_that_was_let_in_may_end(keys: ApiKeys, store: Store, clock: Clock) -> None:
    ending, _ = keys.create("billing", [Scope.READ], expires_at=NOW + timedelta(minutes=1))
    revoked, _ = keys.create("billing", [Scope.READ])
    gone, _ = keys.create("billing", [Scope.READ])
    for key in (ending, revoked, gone):
        keys.require_live(key)
    clock.forward(60)
    keys.revoke(revoked.id)
    redis_of(store).delete(key_of(store, "api_key", gone.id))
    for key in (ending, revoked, gone):
        with pytest.raises(NotLetIn):
            keys.require_live(key)
