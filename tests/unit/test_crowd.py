"""Nobody who opens connections or asks for much keeps others out."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from workers.gateway.caps import Cap
from workers.gateway.crowd import Caps, Crowd, Share

CAPS = Caps(
    {
        Share.COMMON: Cap("requests", 4, "REQUESTS"),
        Share.CALLBACKS: Cap("callbacks", 2, "CALLBACKS"),
        Share.HEALTH: Cap("health checks", 1, "HEALTH"),
    },
    Cap("requests", 3, "PER_ADDRESS"),
    7,
)
FLOODER, OTHER = "192.0.2.66", "192.0.2.7"


def crowded(**asked: Share) -> Crowd[str]:
    """A crowd with these connections of the flooder's, each with a request under way."""
    crowd: Crowd[str] = Crowd(CAPS)
    for name, share in asked.items():
        crowd.come(name, FLOODER)
        assert crowd.ask(name, FLOODER, share) is None
    return crowd


def test_who_opens_more_connections_than_there_are_places_closes_their_own() -> None:
    crowd: Crowd[str] = Crowd(CAPS)
    assert crowd.come("other", OTHER) is None
    gone = [crowd.come(f"flood{n}", FLOODER) for n in range(20)]
    assert gone == [*[None] * 6, *(f"flood{n}" for n in range(14))]
    assert crowd.come("late", "192.0.2.8") == "flood14"
    assert crowd.connections == CAPS.connections == 7


def test_a_connection_whose_request_is_under_way_stays() -> None:
    crowd = crowded(a=Share.COMMON, b=Share.COMMON)
    for n in range(20):
        assert crowd.come(f"flood{n}", FLOODER) not in {"a", "b"}


def test_who_comes_where_all_are_busy_is_turned_away() -> None:
    crowd = crowded(a=Share.COMMON, b=Share.COMMON, c=Share.COMMON)
    crowd.come("d", OTHER)
    crowd.ask("d", OTHER, Share.COMMON)
    for name, share in {"e": Share.CALLBACKS, "f": Share.CALLBACKS, "g": Share.HEALTH}.items():
        crowd.come(name, OTHER)
        assert crowd.ask(name, OTHER, share) is None
    assert crowd.come("late", OTHER) == "late"
    assert crowd.connections == 7


def test_an_address_has_so_many_requests_and_no_more() -> None:
    crowd = crowded(a=Share.COMMON, b=Share.COMMON, c=Share.COMMON)
    crowd.come("d", FLOODER)
    full = crowd.ask("d", FLOODER, Share.COMMON)
    assert full
    assert (full.own, full.cap.setting) == (True, "PER_ADDRESS")
    crowd.come("e", OTHER)
    assert crowd.ask("e", OTHER, Share.COMMON) is None


def test_a_place_is_free_again_when_its_request_is_answered_or_its_connection_is_gone() -> None:
    crowd = crowded(a=Share.COMMON, b=Share.COMMON, c=Share.COMMON)
    crowd.answered("a")
    assert crowd.ask("a", FLOODER, Share.COMMON) is None
    crowd.go("b")
    crowd.go("b")
    assert crowd.ask("c", FLOODER, Share.COMMON) is None
    assert crowd.ask("a", FLOODER, Share.COMMON)


def test_callbacks_and_health_checks_have_places_that_nothing_else_takes() -> None:
    crowd = crowded(a=Share.COMMON, b=Share.COMMON, c=Share.COMMON)
    crowd.come("d", OTHER)
    crowd.ask("d", OTHER, Share.COMMON)
    crowd.come("e", OTHER)
    full = crowd.ask("e", OTHER, Share.COMMON)
    assert full
    assert (full.own, full.cap.setting) == (False, "REQUESTS")
    crowd.answered("e")
    assert crowd.ask("e", FLOODER, Share.CALLBACKS) is None  # of the flooder's address, too
    crowd.come("f", OTHER)
    assert crowd.ask("f", OTHER, Share.HEALTH) is None
    crowd.answered("f")
    assert crowd.ask("f", OTHER, Share.CALLBACKS) is None


def test_requests_sent_ahead_on_one_connection_are_counted_one_by_one() -> None:
    """Were they all of the first one's share, a health check would make room for anything."""
    crowd: Crowd[str] = Crowd(CAPS)
    crowd.come("a", FLOODER)
    asked = [crowd.ask("a", FLOODER, share) for share in (Share.HEALTH, *[Share.COMMON] * 4)]
    assert [full is None for full in asked] == [True, True, True, True, False]
    for _ in range(5):
        crowd.answered("a")
    assert crowd.ask("a", FLOODER, Share.COMMON) is None


STEPS = st.lists(
    st.tuples(st.sampled_from(["come", "ask", "answered", "go"]), st.integers(0, 9),
              st.sampled_from(list(Share)), st.booleans()),
    max_size=80,
)  # fmt: skip


class Books:
    """What the connections of a crowd do, as they know it themselves."""

    def __init__(self) -> None:
        self.crowd: Crowd[int] = Crowd(CAPS)
        self.there: dict[int, list[Share | None]] = {}

    def step(self, what: str, who: int, share: Share, address: str) -> None:
        if (who in self.there) is (what == "come"):
            return
        if what == "come":
            self.there[who] = []
            leaves = self.crowd.come(who, address)
            assert leaves is None or not any(self.there.pop(leaves))  # never one with a place
        elif what == "ask":
            refused = self.crowd.ask(who, address, share)
            self.there[who].append(None if refused else share)
        elif what == "answered":
            self.crowd.answered(who)
            self.there[who] = self.there[who][1:]
        else:
            self.crowd.go(who)
            del self.there[who]

    def check(self) -> None:
        taken = [each for asked in self.there.values() for each in asked if each]
        for share, cap in CAPS.shares.items():
            assert taken.count(share) <= cap.most
        assert self.crowd.connections == len(self.there) <= CAPS.connections


@given(STEPS)
@settings(max_examples=200)
def test_whatever_comes_the_caps_hold_and_all_is_given_back(
    steps: list[tuple[str, int, Share, bool]],
) -> None:
    books = Books()
    for what, who, share, other in steps:
        books.step(what, who, share, OTHER if other else FLOODER)
        books.check()
    for who in books.there:
        books.crowd.go(who)
    assert all_are_free(books.crowd)


def all_are_free(crowd: Crowd[int]) -> bool:
    """Whether all places are free."""
    for number in range(3):
        crowd.come(number, FLOODER)
        assert crowd.ask(number, FLOODER, Share.COMMON) is None
    crowd.come(3, FLOODER)
    return crowd.ask(3, FLOODER, Share.COMMON) is not None
