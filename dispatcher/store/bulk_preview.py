"""What a preview is made of: how to act, what is counted, and the selection in words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dispatcher.model.bulk_action import BulkActionKind, LeftOut
from dispatcher.model.filters import Filter
from dispatcher.model.states import Priority, State
from dispatcher.store.jobs import NAMED_BY_ID, deadline
from dispatcher.store.schema import EXAMPLES
from dispatcher.values.masking import mask_text

Selection = Filter | Sequence[str]
"""Which jobs: those that a filter matches, or ids."""


@dataclass
class Tally:
    """What was found so far."""

    ids: list[str] = field(default_factory=list)
    unknown: int = 0
    tariffs: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    examples: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, id_: str, answer: str, tariff: str) -> None:
        """Count a job by what `preview_action` says: why to leave it out, '' or '?' for none."""
        if answer not in {"", "?"}:
            self.left[answer] += 1
            if self.left[answer] <= EXAMPLES:
                self.examples[answer].append(mask_text(id_[:40]))  # what is gone may be no id
            return
        self.ids.append(id_)
        self.unknown += answer == "?"
        self.tariffs[tariff] += 1

    def left_out(self) -> tuple[LeftOut, ...]:
        """Return what is left out, the commonest reason first."""
        return tuple(
            LeftOut(reason, count, tuple(self.examples[reason]))
            for reason, count in self.left.most_common()
        )


def options_of(
    kind: BulkActionKind,
    selection: Selection,
    name: str,
    *,
    expires: float | None,
    uncertain: bool,
    priority: Priority | None,
) -> dict[str, Any]:
    """Return how to act, as the operations take it. Raises Refused for a deadline out of bounds."""
    named = NAMED_BY_ID
    if isinstance(selection, Filter):
        named &= {State(each).value for each in selection.states}
    options: dict[str, Any] = {"named": dict.fromkeys(sorted(named), True)}
    if kind is BulkActionKind.RETRY:
        options["tag"] = f"retry:{name}"
        if uncertain:
            options["named"]["uncertain"] = True
        if expires is not None:
            options["lifetime"] = deadline(expires)
    if priority is not None:
        options["priority"] = priority
    return options


def in_words(selection: Selection) -> str:
    """Return a selection as the audit and reports show it."""
    if isinstance(selection, Filter):
        return str(selection)
    ids = list(dict.fromkeys(selection))
    return f"job:{mask_text(ids[0][:40])}" if len(ids) == 1 else f"{len(ids)} jobs by id"
