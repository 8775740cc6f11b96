"""What `doctor` says of API keys: which may ask for anything."""

from __future__ import annotations

from collections.abc import Iterable

from dispatcher.model.api_key import ApiKey, Scope
from dispatcher.model.key_rights import EVERYTHING
from dispatcher.store import Store

NAMED = 5


def that_enqueue(store: Store) -> list[ApiKey]:
    """Return the keys that may ask for calls now."""
    now = store.moment()
    return [key for key in store.api_keys.all() if key.live(now) and key.may(Scope.ENQUEUE)]


def fault(keys: Iterable[ApiKey]) -> str:
    """Return what is wrong with keys and what to do, '' where nothing is."""
    free = sorted({key.name for key in keys if key.rights == EVERYTHING})
    if not free:
        return ""
    names = ", ".join(free[:NAMED]) + (" and others" if free[NAMED:] else "")
    return f"{names}: may ask for anything. Make keys with only the rights that they need"
