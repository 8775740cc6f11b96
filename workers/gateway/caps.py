"""Caps: how many there may be at once, in all and of one client, and what is said of more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from workers.gateway.counts import Counts
from workers.gateway.problems import AGAIN, Problem


@dataclass(frozen=True, slots=True)
class Cap:
    """`most` of `what` (in the plural), which a setting says."""

    what: str
    most: int
    setting: str

    def full(self, taken: int | None, *, own: bool) -> Full | None:
        """Return what to say where a place was not to be had, since so many are taken."""
        return None if taken is None else Full(self, taken, own)


@dataclass(frozen=True, slots=True)
class Full:
    """There is no place: `taken` of a cap's. `own`: the client's own doing."""

    cap: Cap
    taken: int
    own: bool

    def problem(self, headers: dict[str, str] | None = None) -> Problem:
        """Return what the client is told: 429 where it has too much itself, else 503."""
        cap = self.cap
        whose = "of yours " if self.own else ""
        return Problem(
            HTTPStatus.TOO_MANY_REQUESTS if self.own else HTTPStatus.SERVICE_UNAVAILABLE,
            f"{self.taken} {cap.what} {whose}are under way, and {cap.setting} allows {cap.most}",
            remedy=f"try again in {AGAIN} s" + (", and do less at once" if self.own else ""),
            headers={"Retry-After": AGAIN, **(headers or {})},
        )


class Places:
    """Places for what lasts, in all and for each client; `counts` says how many are taken."""

    def __init__(self, in_all: Cap, of_one: Cap, counts: Counts) -> None:
        self._in_all, self._of_one, self._counts = in_all, of_one, counts

    @contextmanager
    def one(self, client: str) -> Iterator[None]:
        """Take a place. Raises Problem where there is none."""
        own, all_ = f"{self._in_all.what} of {client}", f"all {self._in_all.what}"
        with self._place(own, self._of_one, own=True), self._place(all_, self._in_all, own=False):
            yield

    @contextmanager
    def _place(self, name: str, cap: Cap, *, own: bool) -> Iterator[None]:
        if full := cap.full(self._counts.take(name, cap.most), own=own):
            raise full.problem()
        try:
            yield
        finally:
            self._counts.add(name, -1)
