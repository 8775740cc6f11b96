"""Loads the Lua operations: one file each, all behind the same prelude and transition table."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from dispatcher.states import TRANSITIONS

_FOLDER = files("dispatcher.store") / "lua"


@cache
def source(operation: str) -> str:
    """Return the whole text of an operation, such as `claim`."""
    body = (_FOLDER / f"{operation}.lua").read_text(encoding="utf-8")
    prelude = (_FOLDER / "_job.lua").read_text(encoding="utf-8")
    return f"{_transitions()}\n{prelude}\n{body}"


def _transitions() -> str:
    """Return the table of states.py in Lua's words, so that there is only one."""
    rows = (
        f"{before} = {{ {', '.join(f'{after} = true' for after in sorted(followers))} }}"
        for before, followers in TRANSITIONS.items()
    )
    return f"local TRANSITIONS = {{ {', '.join(rows)} }}"
