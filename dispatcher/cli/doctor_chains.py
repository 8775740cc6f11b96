"""`doctor` on who is called for alerts."""

from __future__ import annotations

from dispatcher.store import Store
from dispatcher.store.chains_files import different


def finding(store: Store) -> tuple[str, str, str] | None:
    """Return what is to be told of who is on call: what, level, says; None where nobody uses it."""
    found, refused = store.on_call.get(), store.on_call.refused()
    if different(watched := store.chains_files.watched()):
        return "chains", "fail", f"files say different things: {', '.join(map(str, watched))}"
    if refused:
        stays = f"version {found.version} stays in force" if found else "nobody is called"
        return "chains", "fail", f"the file is refused, and {stays}: {refused}"
    if found is None:
        return None
    return "chains", "ok", f"version {found.version}, published by {found.by}"
