"""Which connections stay, and whose requests are taken: decided here, without a wire or a clock.

A connection that waits for a request costs little, and stays as long as nobody else needs its
place. Then the one goes that has waited longest of those whose address has most of them: whoever
opens a thousand closes their own. What is counted against a client are requests under way.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from workers.gateway.addresses import Network, group, is_one_client
from workers.gateway.caps import Cap, Full

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


class Crowd(Generic[C]):
    """All connections of a process, by what they do. `trusted` are proxies."""

    def __init__(self, caps: Caps, trusted: Sequence[Network] = ()) -> None:
        self._caps, self._trusted = caps, trusted
        self._groups: dict[C, str] = {}
        self._resting: dict[str, dict[C, None]] = {}  # by address, the longest at rest first
        self._under_way: dict[C, deque[_Place | None]] = {}  # what each asked; None: refused
        self._of_share: Counter[Share] = Counter()
        self._of_client: Counter[str] = Counter()

    def come(self, who: C, peer: str) -> C | None:
        """Take in a connection; return the one that must go for it, which may be itself."""
        leaves = None
        if len(self._groups) >= self._caps.connections:
            leaves = self._dispensable(who)
            self.go(leaves)
        if leaves != who:
            self._groups[who] = group(peer)
            self._rest(who)
        return leaves

    def go(self, who: C) -> None:
        """Forget a connection and all that it asked; one that is unknown is forgotten already."""
        for place in self._under_way.pop(who, ()):
            self._give_back(place)
        self._wake(who)
        self._groups.pop(who, None)

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._groups)

    def ask(self, who: C, client: str, share: Share) -> Full | None:
        """Take a place for a request of a connection, or return what there is no place of."""
        self._wake(who)
        one = group(client) if is_one_client(client, self._trusted) else None
        full = self._full(share, one)
        place = None if full else _Place(share, one if share is Share.COMMON else None)
        self._under_way.setdefault(who, deque()).append(place)
        if place:
            self._of_share[share] += 1
            if place.client:
                self._of_client[place.client] += 1
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

    def _full(self, share: Share, one: str | None) -> Full | None:
        cap = self._caps.shares[share]
        if self._of_share[share] >= cap.most:
            return Full(cap, self._of_share[share], own=False)
        cap_of_one = self._caps.per_address
        if share is Share.COMMON and one and cap_of_one and self._of_client[one] >= cap_of_one.most:
            return Full(cap_of_one, self._of_client[one], own=True)
        return None

    def _give_back(self, place: _Place | None) -> None:
        if place is None:
            return
        self._of_share[place.share] -= 1
        if place.client:
            self._of_client[place.client] -= 1
            if not self._of_client[place.client]:
                del self._of_client[place.client]

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
