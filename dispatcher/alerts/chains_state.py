"""What is wrong with who is on call, for all who tell people of it."""

from __future__ import annotations

from dispatcher.store import Store
from dispatcher.store.chains_files import different


def wrong(store: Store) -> str:
    """Return in words what a person must mend, '' where nothing is. Raises StoreUnavailable."""
    watched, refused = store.chains_files.watched(), store.on_call.refused()
    if different(watched):
        return f"chains files say different things: {', '.join(map(str, watched))}"
    if not refused:
        return ""
    found = store.on_call.get()
    stays = f"version {found.version} stays in force" if found else "nobody is called"
    return f"the chains file is refused, and {stays}: {refused}"
