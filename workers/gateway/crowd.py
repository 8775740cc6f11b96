"""Which connections stay, and whose requests are taken: decided here, without a wire or a clock.

A connection that waits for a request costs little, and stays as long as nobody else needs its
place. Then the one goes that has waited longest of those whose address has most of them: whoever
opens a thousand closes their own. What is counted against a client are requests under way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar

from workers.gateway.addresses import Network, group, is_one_client
from workers.gateway.caps import Cap, Full
from workers.gateway.counts import Counts

C = TypeVar("C", bound=Hashable)


class Share(StrEnum):
    """Requests that have places of their own, which no others take."""

    COMMON = "requests"
    CALLBACKS = "callbacks"
    HEALTH = "health"


@dataclass(frozen=True, slots=True)
class Caps:
    """How many requests are under way at most, of each share and of one client's address, and how
    many connections are open.
    """

    shares: dict[Share, Cap]
    per_address: Cap | None
    connections: int


@dataclass(frozen=True, slots=True)
class _Place:
    share: Share
    client: str | None

    @property
    def of_all(self) -> str:
        """What all places of its share are counted as."""
        return f"places for {self.share}"

    @property
    def of_one(self) -> str:
        """What those of its client are counted as."""
        return f"places of {self.client}"


_CONNECTIONS: Final = "connections"


class Crowd(Generic[C]):
    """All connections of a process, by what they do. `trusted` are proxies; `counts` are those of
    all processes of the gateway.
    """

    def __init__(
        self, caps: Caps, trusted: Sequence[Network] = (), counts: Counts | None = None
    ) -> None:
        self._caps, self._trusted = caps, trusted
        self._counts = counts or Counts()
        self._groups: dict[C, str] = {}
        self._resting: dict[str, dict[C, None]] = {}  # by address, the longest at rest first
        self._under_way: dict[C, deque[_Place | None]] = {}  # what each asked; None: refused

    def come(self, who: C, peer: str) -> C | None:
        """Take in a connection; return the one that must go for it, which may be itself."""
        leaves = None
        if self._counts.take(_CONNECTIONS, self._caps.connections) is not None:
            leaves = self._dispensable(who)
            if leaves == who:
                return who
            self.go(leaves)
            self._counts.add(_CONNECTIONS, 1)
        self._groups[who] = group(peer)
        self._rest(who)
        return leaves

    def go(self, who: C) -> None:
        """Forget a connection and all that it asked; one that is unknown is forgotten already."""
        for place in self._under_way.pop(who, ()):
            self._give_back(place)
        self._wake(who)
        if self._groups.pop(who, None) is not None:
            self._counts.add(_CONNECTIONS, -1)

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._groups)

    def has_share(self, processes: int) -> bool:
        """Whether more of all connections are here than one of so many processes should have."""
        return len(self._groups) * processes > self._counts[_CONNECTIONS]

    def ask(self, who: C, client: str, share: Share) -> Full | None:
        """Take a place for a request of a connection, or return what there is no place of."""
        self._wake(who)
        one = group(client) if is_one_client(client, self._trusted) else None
        place = _Place(share, one if share is Share.COMMON and self._caps.per_address else None)
        full = self._take(place)
        self._under_way.setdefault(who, deque()).append(None if full else place)
        if not any(self._under_way[who]):
            self._rest(who)  # who waits to be refused makes room as well
        return full

    def answered(self, who: C) -> None:
        """Give back the place of the oldest request of a connection."""
        asked = self._under_way.get(who)
        if not asked:
            return
        self._give_back(asked.popleft())
        if not asked:
            del self._under_way[who]
            self._rest(who)

    def _take(self, place: _Place) -> Full | None:
        """Take a place, or return why there is none."""
        cap, cap_of_one = self._caps.shares[place.share], self._caps.per_address
        full = cap.full(self._counts.take(place.of_all, cap.most), own=False)
        if full or not (place.client and cap_of_one):
            return full
        if own := cap_of_one.full(self._counts.take(place.of_one, cap_of_one.most), own=True):
            self._counts.add(place.of_all, -1)
        return own

    def _give_back(self, place: _Place | None) -> None:
        if place is None:
            return
        self._counts.add(place.of_all, -1)
        if place.client:
            self._counts.add(place.of_one, -1)

    def _dispensable(self, who: C) -> C:
        """Return who has rested longest, of the address with most that rest; else who came."""
        if not self._resting:
            return who
        most = max(self._resting.values(), key=len)
        return next(iter(most))

    def _rest(self, who: C) -> None:
        self._resting.setdefault(self._groups[who], {})[who] = None

    def _wake(self, who: C) -> None:
        name = self._groups.get(who, "")
        resting = self._resting.get(name, {})
        resting.pop(who, None)
        if not resting:
            self._resting.pop(name, None)
