"""Loads the Lua operations: one file each, all behind the same prelude and transition table."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from dispatcher.model.states import TRANSITIONS

_PRELUDE = ("_record.lua", "_outbox.lua", "_job.lua", "_gates.lua", "_ledger.lua")
_FOLDER = files("dispatcher.store") / "lua"


@cache
def source(operation: str) -> str:
    """Return the whole text of an operation, such as `claim`."""
    body = _read(f"{operation}.lua")
    return "\n".join([_transitions(), *(_read(part) for part in _parts(body)), body])


def _parts(body: str) -> list[str]:
    """Return the files that stand before an operation: the prelude, and what its head asks for."""
    asked = re.match(r"-- uses (.+)\n", body)
    return [*_PRELUDE, *(asked[1].split(", ") if asked else [])]


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _transitions() -> str:
    """Return the table of states.py in Lua's words, so that there is only one."""
    rows = (
        f"{before} = {{ {', '.join(f'{after} = true' for after in sorted(followers))} }}"
        for before, followers in TRANSITIONS.items()
    )
    return f"local TRANSITIONS = {{ {', '.join(rows)} }}"
