"""Bulk actions: what a person asks for many jobs at once; frozen values."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from string import ascii_lowercase
from typing import Any

from dispatcher.errors import DispatcherError
from dispatcher.model.job import iso
from dispatcher.model.states import Priority
from dispatcher.values.masking import mask_text

MOST = 1_000_000
"""Jobs of one bulk action: their ids wait in Redis' memory."""
WORDS = {
    "gone": "the job does not exist (any more)",
    "reached": "somebody was reached",
    "not_ended": "it has not ended: it waits or is being called",
    "uncertain": "a call may be under way; nobody knows yet",
    "cancelled": "it was cancelled",
    "overdue": "the deadline has passed",
    "ended": "it has ended",
    "calling": "it is being called",
    "alert": "it is a call of an alert, whose chain says who is called, and as how urgent",
    "do_not_call": "a number is on the do-not-call list",
    "known": "its outcome is known",
    "code": "its code was removed when it ended: a new call needs a new code",
}
"""Why a job is left alone, by the words of store/lua/lib/actions.lua."""


class TooMany(DispatcherError):
    """More jobs are selected than one bulk action takes on; narrow it down."""

    def __init__(self) -> None:
        super().__init__(f"more than {MOST:,} jobs match: narrow the filter, such as by time")


class UnknownAction(DispatcherError, LookupError):
    """There is no such bulk action: it was never created, or is past its retention."""

    def __init__(self, id_: str) -> None:
        super().__init__(
            f"there is no action {mask_text(id_[:40])!r}: check the id, or preview again;"
            " a preview is kept for an hour, a started action for 30 days"
        )


class BulkActionKind(StrEnum):
    """What people do to jobs; `store/lua/lib/actions.lua` has the rules of each."""

    RETRY = "retry"
    CANCEL = "cancel"
    REACHED = "reached"
    PRIORITISE = "prioritise"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Jobs that are left alone for one reason: its word, how many, and the first ids of them."""

    reason: str
    count: int
    ids: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        return {
            "reason": self.reason,
            "why": WORDS[self.reason],
            "count": self.count,
            "ids": list(self.ids),
        }


@dataclass(frozen=True, slots=True)
class Preview:
    """What a bulk action would do now; nothing is changed.

    `ids` are the jobs it would act on, in that order; `matched` counts those and the excluded.
    `may_have_been_called` counts those of which nobody knows whether they were called. `credits`
    is what calling them once is expected to cost, `credits_if_answered` what if all are answered.
    `options` is how to act, as the operations take it.
    """

    id: str
    kind: BulkActionKind
    selection: str
    options: dict[str, Any]
    ids: tuple[str, ...]
    credits: Decimal
    credits_if_answered: Decimal
    may_have_been_called: int
    excluded: tuple[LeftOut, ...]

    @property
    def priority(self) -> Priority | None:
        """The new priority that it sets, if it sets one."""
        named = self.options.get("priority")
        return None if named is None else Priority(named)

    @property
    def matched(self) -> int:
        """How many jobs are selected."""
        return len(self.ids) + sum(each.count for each in self.excluded)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it, without the ids and with numbers masked."""
        return {
            "id": self.id,
            "action": self.kind,
            "priority": self.priority,
            "selection": mask_text(self.selection),
            "matched": self.matched,
            "selected": len(self.ids),
            "expected_credits": float(self.credits),
            "credits_if_all_answered": float(self.credits_if_answered),
            "may_have_been_called": self.may_have_been_called,
            "excluded": [each.to_dict() for each in self.excluded],
        }


@dataclass(frozen=True, slots=True)
class BulkAction:
    """How a bulk action stands. `state` is `previewed`, `running`, `done` or `stopped`.

    Of `selected` jobs `done` were acted on and `remaining` not yet (or not any more, if it was
    stopped); the rest is `skipped`, since something happened to them after the preview.
    """

    id: str
    kind: BulkActionKind
    priority: Priority | None
    state: str
    selection: str
    actor: str
    note: str
    started_at: datetime | None
    ended_at: datetime | None
    matched: int
    selected: int
    done: int
    remaining: int
    skipped: tuple[LeftOut, ...]
    credits: Decimal
    credits_if_answered: Decimal
    may_have_been_called: int
    excluded: tuple[LeftOut, ...]

    @property
    def over(self) -> bool:
        """Whether nothing more is done."""
        return self.state in {"done", "stopped"}

    @property
    def tag(self) -> str | None:
        """The tag of the jobs it reopened: to list, pause, cancel or limit them by."""
        return f"retry:{self.id}" if self.kind is BulkActionKind.RETRY else None

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON knows it, numbers masked in what people wrote."""
        return {
            "id": self.id,
            "action": self.kind,
            "priority": self.priority,
            "state": self.state,
            "selection": mask_text(self.selection),
            "actor": mask_text(self.actor),
            "note": mask_text(self.note),
            "started_at": iso(self.started_at),
            "ended_at": iso(self.ended_at),
            "matched": self.matched,
            "selected": self.selected,
            "done": self.done,
            "remaining": self.remaining,
            "skipped": [each.to_dict() for each in self.skipped],
            "expected_credits": float(self.credits),
            "credits_if_all_answered": float(self.credits_if_answered),
            "may_have_been_called": self.may_have_been_called,
            "excluded": [each.to_dict() for each in self.excluded],
            "tag": self.tag,
        }


def new_id(seed: str | None = None) -> str:
    """Return the id of a new bulk action, or of that which a seed stands for: 12 letters.

    Letters, since digits alone would look like a telephone number, and be masked.
    """
    raw = secrets.token_bytes(12) if seed is None else hashlib.sha256(seed.encode()).digest()[:12]
    return "".join(ascii_lowercase[byte % 26] for byte in raw)
