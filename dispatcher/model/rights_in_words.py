"""The rights of an API key as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dispatcher.model.key_rights import KeyRights

NONE, ANY = "none", "any"
SAFE: Final = KeyRights().to_json()
_UNBOUND: Final = {"countries": "of the account", "number_types": ANY, "callers": ANY}
_NAMES: Final = {
    "number_types": "number types",
    "dnc_exempt": "exempt from do-not-call",
}


def right(name: str, value: Any) -> str:
    """Return a right, or another fact of a key."""
    if value is None:
        return _UNBOUND.get(name, "")
    if isinstance(value, list):
        return " ".join(value) or NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def beyond_safe(told: Mapping[str, Any]) -> str:
    """Return in short what rights there are, as `KeyRights.to_json` tells them, that a key has only
    where it is given; '' for none. Of callers there may be only how many, as in the audit log.
    """
    return "; ".join(
        _name(name) if value is True else f"{_name(name)} {right(name, value)}"
        for name, value in told.items()
        if not _is_safe(name, value)
    )


def _is_safe(name: str, value: Any) -> bool:
    return name not in SAFE or value == SAFE[name] or (name == "callers" and value == 0)


def _name(name: str) -> str:
    return _NAMES.get(name, name)
