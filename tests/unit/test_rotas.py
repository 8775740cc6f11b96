"""Who is on call at a moment: turns, holidays, swaps and people's own hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from dispatcher.model.on_call import Contact, OnCall, Rota, Shift
from dispatcher.policy.rotas import turn_at, turns, who_is

ROTA = Rota(members=("ann", "bob"), start=date(2026, 1, 5), zone="Europe/Berlin")
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def shift(who: str, start: str, end: str) -> Shift:
    return Shift(who=who, start=start, end=end)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("when", "who"),
    [
        ("2026-01-05T08:59+01:00", None),
        ("2026-01-05T09:00+01:00", "ann"),
        ("2026-01-12T08:59+01:00", "ann"),
        ("2026-01-12T09:00+01:00", "bob"),
        ("2026-03-30T09:00+02:00", "ann"),  # after the clocks went forward, still at nine
        ("2026-03-30T08:59+02:00", "bob"),
    ],
)
def test_turns_begin_at_the_handover_by_the_rotas_clock(when: str, who: str | None) -> None:
    assert turn_at("primary", ROTA, at(when)).who == who


def test_before_its_first_turn_a_rota_has_a_hole_that_is_named() -> None:
    turn = turn_at("primary", ROTA, at("2026-01-01T00:00Z"))
    assert (turn.who, turn.why) == (None, "the rota primary begins on 2026-01-05")


def test_an_hour_that_comes_twice_hands_over_once() -> None:
    rota = ROTA.model_copy(update={"start": date(2026, 10, 25), "handover": "02:30"})
    assert turn_at("r", rota, at("2026-10-25T02:30+02:00")).who == "ann"
    assert turn_at("r", rota, at("2026-10-25T02:10+01:00")).who == "ann"


def test_the_latest_swap_overrules_the_others_and_holidays() -> None:
    rota = ROTA.model_copy(update={"holidays": (shift("nobody", "2026-01-06", "2026-01-08"),)})
    first, second = (
        shift("bob", "2026-01-06", "2026-01-07"),
        shift("ann", "2026-01-06T12:00", "2026-01-06T13:00"),
    )
    assert turn_at("r", rota, at("2026-01-07T12:00+01:00")).who is None
    assert turn_at("r", rota, at("2026-01-06T11:00+01:00"), [first, second]).who == "bob"
    assert turn_at("r", rota, at("2026-01-06T12:30+01:00"), [first, second]).who == "ann"


def test_who_is_outside_their_hours_is_named() -> None:
    on_call = OnCall(
        contacts={
            "ann": Contact(numbers=("+818012340002",), hours="09:00-18:00", zone="Asia/Tokyo"),
            "bob": Contact(numbers=("+818012340001",)),
        },
        teams={"ops": ("ann", "bob")},
        rotas={"primary": ROTA},
    )
    night, day = at("2026-01-05T03:00+09:00"), at("2026-01-05T10:00+09:00")
    assert [each.available for each in who_is(on_call, night)("ops")] == [False, True]
    assert [each.available for each in who_is(on_call, day)("ops")] == [True, True]
    (nobody,) = who_is(on_call, night)("primary")
    assert (nobody.available, nobody.numbers) == (False, ())
    assert "begins on" in nobody.why_not
    (gone,) = who_is(on_call, night)("carol")
    assert "no contact, team or rota carol any more" in gone.why_not
    assert who_is(on_call, night)("ann")[0].why_not == "outside their hours (09:00-18:00)"


@given(
    st.sampled_from(ZONES),
    st.dates(date(2023, 12, 1), date(2032, 12, 31)),
    st.integers(1, 30),
    st.times().map(lambda at: at.isoformat(timespec="minutes")),
    st.integers(1, 5),
    st.datetimes(datetime(2023, 1, 1), datetime(2033, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_at_each_moment_it_is_one_members_turn(  # noqa: PLR0917 - what is drawn
    zone: str, start: date, days: int, handover: str, many: int, now: datetime
) -> None:
    rota = Rota(
        members=tuple(f"m{n}" for n in range(many)),
        start=start,
        turn=timedelta(days=days),
        handover=handover,
        zone=zone,
    )
    turn = turn_at("r", rota, now)
    assert turn.start <= now < turn.end
    first = datetime.combine(start, time.fromisoformat(handover), ZoneInfo(zone))
    assert (turn.who is None) == (now < first)
    after = turn_at("r", rota, turn.end)
    assert after.start == turn.end
    if turn.who and after.who:
        place = rota.members.index
        assert (place(turn.who) + 1) % many == place(after.who)
        hour = turn.end.astimezone(ZoneInfo(zone)).strftime("%H:%M")
        back = datetime.combine(
            turn.end.astimezone(ZoneInfo(zone)).date(), datetime.min.time(), ZoneInfo(zone)
        )
        assert hour == handover or back.utcoffset() != (back + timedelta(days=1)).utcoffset()


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 100)), max_size=6), st.integers(0, 300)
)
def test_what_is_shown_has_no_gaps_and_is_what_holds(
    swaps: list[tuple[int, int]], since: int
) -> None:
    begin = at("2026-01-05T00:00Z")
    made = [
        shift(
            "bob",
            (begin + timedelta(hours=a)).isoformat(),
            (begin + timedelta(hours=a + b)).isoformat(),
        )
        for a, b in swaps
    ]
    start = begin + timedelta(hours=since)
    shown = list(turns("r", ROTA, start, start + timedelta(days=14), made))
    assert shown[0].start == start
    assert shown[-1].end == start + timedelta(days=14)
    for one, after in pairwise(shown):
        assert one.end == after.start
    for each in shown:
        for moment in (each.start, each.end - timedelta(seconds=1)):
            assert turn_at("r", ROTA, moment, made).who == each.who


@given(
    st.sampled_from(ZONES),
    st.dates(date(2024, 1, 1), date(2028, 12, 31)),
    st.lists(
        st.tuples(
            st.sampled_from(["ann", "bob", "nobody"]),
            st.datetimes(datetime(2024, 1, 1), datetime(2029, 1, 1)),  # noqa: DTZ001
            st.timedeltas(timedelta(minutes=1), timedelta(days=40)),
            st.booleans(),
        ),
        max_size=8,
    ),
)
@example(
    "Europe/Berlin",
    date(2024, 2, 26),
    [("nobody", datetime(2024, 2, 29), timedelta(days=1), True)],  # noqa: DTZ001
)
@example(
    "Europe/Berlin",
    date(2026, 10, 19),
    [("bob", datetime(2026, 10, 25, 2, 30), timedelta(minutes=40), False)],  # noqa: DTZ001
)
def test_at_each_moment_it_is_one_of_them_or_a_hole_that_is_named(
    zone: str, start: date, overrules: list[tuple[str, datetime, timedelta, bool]]
) -> None:
    """Over leap days and clock changes, whatever overrules what, in the rota's own clock."""
    made = [
        (shift(who, begin.isoformat(), (begin + long).isoformat()), by_hand)
        for who, begin, long, by_hand in overrules
    ]
    assume(all(_is_one(each, zone) for each, _ in made))
    rota = Rota(
        members=("ann", "bob"),
        start=start,
        turn=timedelta(days=1),
        zone=zone,
        holidays=tuple(each for each, by_hand in made if not by_hand),
    )
    swaps = [each for each, by_hand in made if by_hand]
    since = datetime.combine(start, time(0), UTC) - timedelta(days=2)
    shown = list(turns("r", rota, since, since + timedelta(days=12), swaps))
    assert (shown[0].start, shown[-1].end) == (since, since + timedelta(days=12))
    assert all(one.end == after.start for one, after in pairwise(shown))
    assert all(turn.start < turn.end for turn in shown)
    assert all(turn.who in {"ann", "bob"} or turn.why for turn in shown)
    edges = [at for each, _ in made for at in each.stretch(ZoneInfo(zone))]
    for turn in shown:
        within = [at for at in edges if turn.start < at < turn.end]
        for moment in (turn.start, *within, turn.end - timedelta(microseconds=1)):
            assert _by_hand(rota, moment, swaps) == turn.who


def _by_hand(rota: Rota, now: datetime, swaps: list[Shift]) -> str | None:
    """Return who is on call, worked out by looking at everything."""
    for each in (*reversed(swaps), *rota.holidays):
        begins, ends = each.stretch(ZoneInfo(rota.zone))
        if begins <= now < ends:
            return None if each.who == "nobody" else each.who
    local = [
        datetime.combine(rota.start + timedelta(days=n), time(9), ZoneInfo(rota.zone))
        for n in range(20)
    ]
    begun = sum(at.astimezone(UTC) <= now for at in local)
    return rota.members[(begun - 1) % 2] if begun else None


def _is_one(each: Shift, zone: str) -> bool:
    try:
        each.stretch(ZoneInfo(zone))
    except ValueError:  # the hour that clocks leave out, or one that comes again
        return False
    return True


def test_a_swap_that_another_zone_leaves_out_stops_nobody() -> None:
    swap = shift("bob", "2026-03-29T02:30", "2026-03-29T03:10")
    utc, berlin = (ROTA.model_copy(update={"zone": each}) for each in ("UTC", "Europe/Berlin"))
    assert turn_at("r", utc, at("2026-03-29T03:00Z"), [swap]).why == "swap"
    assert turn_at("r", berlin, at("2026-03-29T03:00Z"), [swap]).why == ""
