"""Reports of monitoring that were refused: kept so that people see them, as monitoring does not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dispatcher.store.connection import Repository
from dispatcher.store.errors import plain_errors
from dispatcher.values.masking import mask_text

LONGEST_WHY = 300


@dataclass(frozen=True, slots=True)
class RefusedReports:
    """What one sender was refused lately: how often in all, and the latest with its reason.

    `sender` is the name of its API key, '' where it showed none that is known.
    """

    source: str
    sender: str
    many: int
    at: datetime
    why: str

    def __str__(self) -> str:
        whose = f" with the key {self.sender}" if self.sender else ""
        return f"{self.source}{whose}: {self.why}"


class RefusedReportsNotes(Repository):
    """Notes of what was refused; they are gone a day after the latest."""

    def note(self, source: str, why: str, *, sender: str = "", many: int = 1) -> None:
        """Note that reports were refused; telephone numbers in `why` are masked."""
        said = mask_text(why)[:LONGEST_WHY]
        self._run("note_refused_reports", source=source, many=many, why=said, sender=sender or None)

    def all(self) -> list[RefusedReports]:
        """Return what was refused, the latest first."""
        with plain_errors():
            found: dict[bytes, bytes] = self._redis.hgetall(self._key("refused_reports"))  # type: ignore[assignment]
        notes = [_note(name.decode(), json.loads(note)) for name, note in found.items()]
        return sorted(notes, key=lambda each: each.at, reverse=True)


def _note(name: str, note: dict[str, Any]) -> RefusedReports:
    source, _, sender = name.partition(" ")
    at = datetime.fromtimestamp(note["at"] / 1000, UTC)
    return RefusedReports(source, sender, int(note["many"]), at, note["why"])
