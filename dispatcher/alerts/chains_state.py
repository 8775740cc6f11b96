"""What is wrong with who is on call, for all who tell people of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatcher.model.job import iso
from dispatcher.store import Store
from dispatcher.store.chains_files import different
from dispatcher.store.on_call import Published
from dispatcher.values.masking import mask_number

NOTHING = {"version": 0, "at": None, "by": None}


def in_force(found: Published | None, files: Sequence[object], *, unmask: bool) -> dict[str, Any]:
    """Return as JSON who is called for alerts, and the chains files that say it; `on_call` is what
    such a file says. Version 0: nobody ever said.
    """
    shown = found.on_call.model_dump(mode="json", exclude_defaults=True) if found else {}
    if not unmask:
        for contact in shown.get("contacts", {}).values():
            contact["numbers"] = [mask_number(each) for each in contact["numbers"]]
    told = {"version": found.version, "at": iso(found.at), "by": found.by} if found else NOTHING
    refused = found.refused if found else ""
    return {**told, "refused": refused, "on_call": shown, "files": [str(file) for file in files]}


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
