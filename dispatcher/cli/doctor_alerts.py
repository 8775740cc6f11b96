"""What `doctor` says of reports of monitoring that were refused: their senders do not tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dispatcher.store.refused_reports import RefusedReports
from dispatcher.values.counts import counted

WARN = "warn"
Said = tuple[str, str, str]
"""What was looked at, how it is, and what is said of it."""
NAMED = 5


def findings(refused: Sequence[RefusedReports]) -> Iterator[Said]:
    """Yield what each sender was refused lately; nothing where there is nothing."""
    for each in refused[:NAMED]:
        when = each.at.strftime("%d %b %H:%M:%S UTC")
        says = f"{counted(each.many, 'report')} refused, the latest at {when}. {each}"
        yield "reports of monitoring", WARN, says
    if (left := len(refused) - NAMED) > 0:
        yield "reports of monitoring", WARN, f"and of {counted(left, 'more sender')}"
