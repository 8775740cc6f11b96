"""`doctor` on who is called for alerts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from dispatcher.alerts.chains_gaps import MOST, gaps
from dispatcher.alerts.chains_state import wrong
from dispatcher.store import Store
from dispatcher.store.on_call import UnreadableOnCall


def findings(store: Store) -> Iterator[tuple[str, str, str]]:
    """Yield what is to be told of who is on call: what, level, says; nothing where it is unused."""
    try:
        found = store.on_call.get()
    except UnreadableOnCall as error:
        yield "chains", "fail", str(error)
        return
    if found is None:
        return
    now = store.moment()
    told = list(islice(gaps(found.on_call, now, store.on_call.overrides()), MOST))
    for gap in told:
        yield "chains", "warn", gap
    if not told and not wrong(store):
        yield "chains", "ok", f"version {found.version}, published by {found.by}"
