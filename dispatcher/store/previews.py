"""What an act on many jobs would do: how many, at what cost, and what is left out and why."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from string import ascii_lowercase
from typing import Any

from dispatcher.errors import DispatcherError
from dispatcher.model.filters import Filter
from dispatcher.model.states import Priority, State
from dispatcher.store.credit import costs
from dispatcher.store.search import find_ids
from dispatcher.store.store import NAMED_BY_ID, Store, deadline
from dispatcher.values.masking import mask_text

TOGETHER = 100
"""Jobs looked at in one atomic step: a millisecond of Redis' time."""
MOST = 1_000_000
"""Jobs of one act: their ids wait in Redis' memory."""
EXAMPLES = 10
"""As in advance_act.lua: ids that are told of each reason."""


class TooMany(DispatcherError):
    """More jobs are meant than one act takes on; narrow it down."""

    def __init__(self) -> None:
        super().__init__(f"more than {MOST:,} jobs are meant: narrow it down, such as by time")


class Act(StrEnum):
    """What people do to jobs; `_acts.lua` has the rules of each."""

    RETRY = "retry"
    CANCEL = "cancel"
    REACHED = "reached"
    PRIORITISE = "prioritise"


WORDS = {
    "gone": "there is no such job (any more)",
    "reached": "somebody was reached",
    "not_ended": "it has not ended: it waits or is being called",
    "uncertain": "a call may be under way, nobody knows yet",
    "cancelled": "it was cancelled",
    "overdue": "its deadline passed",
    "ended": "it has ended",
    "calling": "it is being called",
    "known": "what came of it is known",
}
"""Why a job is left alone, by the words of _acts.lua."""


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
    """What an act would do now; nothing is changed.

    `ids` are the jobs it would act on, in that order; `matched` counts those and the ones that are
    left out. `unknown` of them may have been called already, and nobody knows. `credits` is what
    calling them once is expected to cost, and `credits_if_answered` what it does if all are
    answered. `wish` is how to act, as the operations take it.
    """

    id: str
    act: Act
    meant: str
    wish: dict[str, Any]
    ids: tuple[str, ...]
    credits: Decimal
    credits_if_answered: Decimal
    unknown: int
    left_out: tuple[LeftOut, ...]

    @property
    def matched(self) -> int:
        """How many jobs are meant."""
        return len(self.ids) + sum(each.count for each in self.left_out)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it, without the ids and with numbers masked."""
        return {
            "id": self.id,
            "act": self.act,
            "meant": mask_text(self.meant),
            "matched": self.matched,
            "chosen": len(self.ids),
            "expected_credits": float(self.credits),
            "credits_if_all_answered": float(self.credits_if_answered),
            "may_have_been_called": self.unknown,
            "left_out": [each.to_dict() for each in self.left_out],
        }


@dataclass
class _Tally:
    """What was found so far."""

    ids: list[str] = field(default_factory=list)
    unknown: int = 0
    tariffs: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    examples: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, id_: str, answer: str, tariff: str) -> None:
        if answer not in {"", "?"}:
            self.left[answer] += 1
            if self.left[answer] <= EXAMPLES:
                self.examples[answer].append(mask_text(id_[:40]))  # what is gone may be no id
            return
        self.ids.append(id_)
        self.unknown += answer == "?"
        self.tariffs[tariff] += 1

    def left_out(self) -> tuple[LeftOut, ...]:
        return tuple(
            LeftOut(reason, count, tuple(self.examples[reason]))
            for reason, count in self.left.most_common()
        )


def preview(
    store: Store,
    act: Act,
    meant: Filter | Sequence[str],
    *,
    expires: float | None = None,
    uncertain: bool = False,
    priority: Priority | None = None,
    id_: str | None = None,
) -> Preview:
    """Return what an act would do to the jobs that a filter or a list of ids means.

    A retry leaves out jobs that were cancelled, and those whose deadline passed, unless they are
    meant by name: by a filter's states, by their ids, or by a new deadline (`expires`, seconds
    from now). `uncertain` is also to redial those of which nobody knows yet whether a call is
    under way. `id_` names the act (see new_id); one is made up unless given.
    Raises TooMany, Refused.
    """
    name = id_ or new_id()
    wish = _wish(act, meant, expires, priority, uncertain=uncertain, name=name)
    found = _Tally()
    for ids in _meant(store, meant):
        flat = store.run("weigh", act, json.dumps(wish), *ids)
        answers = [text.decode() for text in flat]
        for row in zip(ids, answers[::2], answers[1::2], strict=True):
            found.add(*row)
        if len(found.ids) > MOST:
            raise TooMany
    by_name = not isinstance(meant, Filter)
    return Preview(
        id=name,
        act=act,
        meant=_by_name(meant) if by_name else str(meant),
        wish=wish,
        # Who has waited longest comes first.
        ids=tuple(found.ids if by_name else reversed(found.ids)),
        **_credits(store, found.tariffs if act is Act.RETRY else Counter()),
        unknown=found.unknown,
        left_out=found.left_out(),
    )


def new_id(seed: str | None = None) -> str:
    """Return the id of a new act, or of that which a seed stands for: 12 letters.

    Letters, since digits alone would look like a telephone number, and be masked.
    """
    raw = secrets.token_bytes(12) if seed is None else hashlib.sha256(seed.encode()).digest()[:12]
    return "".join(ascii_lowercase[byte % 26] for byte in raw)


def _wish(
    act: Act,
    meant: Filter | Sequence[str],
    expires: float | None,
    priority: Priority | None,
    *,
    uncertain: bool,
    name: str,
) -> dict[str, Any]:
    states = {State(each).value for each in meant.states} if isinstance(meant, Filter) else None
    named = NAMED_BY_ID if states is None else NAMED_BY_ID & states
    wish: dict[str, Any] = {"named": dict.fromkeys(sorted(named), True)}
    if act is Act.RETRY:
        wish["tag"] = f"retry:{name}"
        if uncertain:
            wish["named"]["uncertain"] = True
        if expires is not None:
            wish["span"] = deadline(expires)
    if priority is not None:
        wish["priority"] = priority
    return wish


def _meant(store: Store, meant: Filter | Sequence[str]) -> Iterator[list[str]]:
    """Yield the ids of the jobs that are meant, each once, some at a time."""
    found: Iterable[list[str]] = (
        find_ids(store, meant) if isinstance(meant, Filter) else [list(dict.fromkeys(meant))]
    )
    for ids in found:
        for start in range(0, len(ids), TOGETHER):
            yield ids[start : start + TOGETHER]


def _by_name(meant: Filter | Sequence[str]) -> str:
    ids = list(dict.fromkeys(meant if not isinstance(meant, Filter) else ()))
    return f"job:{mask_text(ids[0][:40])}" if len(ids) == 1 else f"{len(ids)} jobs by id"


def _credits(store: Store, tariffs: Counter[str]) -> dict[str, Decimal]:
    known = costs(store)
    ways = {"credits": known.of, "credits_if_answered": known.if_answered}
    return {
        name: sum((price(call) * many for call, many in tariffs.items()), Decimal(0))
        for name, price in ways.items()
    }
