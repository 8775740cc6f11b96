"""Drills: which schedules were dealt with when, and which drills ring."""

from __future__ import annotations

from typing import Any

from dispatcher.store.connection import Repository
from dispatcher.store.errors import plain_errors
from dispatcher.values.masking import mask_text

OUTCOMES = ("passed", "failed")


class Drills(Repository):
    """`drill` names a chain and its schedule; moments are ms since the epoch."""

    def last(self, drill: str) -> float | None:
        """Return when the drill was due that was dealt with last; None: none was."""
        with plain_errors():
            found: bytes | None = self._redis.hget(self._key("drills"), drill)  # type: ignore[assignment]
        return None if found is None else float(found)

    def note(self, drill: str, due: float, *, chain: str = "", skipped: str = "") -> bool:
        """Note that one that was due then is dealt with; `skipped` says why it was left out, which
        is told. False: that is known.
        """
        noted = self._run(
            "note_drill", drill=drill, due=round(due), chain=chain, skipped=skipped or None
        )
        return bool(noted)

    def rings(self, alert: str, chain: str) -> None:
        """Note that the drill of a chain rings as this alert: what it comes to is to be told."""
        with plain_errors():
            self._redis.hset(self._key("drills_ringing"), alert, chain)

    def ringing(self) -> dict[str, str]:
        """Return the drills whose outcome is to be told: the alert's id -> the chain."""
        with plain_errors():
            found: dict[bytes, bytes] = self._redis.hgetall(self._key("drills_ringing"))  # type: ignore[assignment]
        return {id_.decode(): chain.decode() for id_, chain in found.items()}

    def end(self, alert: str, outcome: str, why: str, *, by: str | None, seconds: float) -> bool:
        """Tell what a drill came to; False where that was told before."""
        told: Any = self._run(
            "end_drill",
            alert=alert,
            outcome=outcome,
            why=mask_text(why),
            by=mask_text(by) if by else None,
            seconds=round(seconds),
        )
        return bool(told)
