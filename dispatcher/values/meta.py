"""Fields of a producer's own that a job carries, and that come back with it: texts by name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

MOST_BYTES = 2048
"""Of all names and texts, as JSON: they are kept with each job, as long as it is."""
LONGEST_NAME = 100
COLUMN = "meta."
"""What the name of a column of a file begins with that is such a field: `meta.patient_id`."""
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def meta(given: Mapping[str, str]) -> dict[str, str]:
    """Return the fields if they can be kept.

    Raises ValueError that says what is wrong. No text is in it: it may be personal.
    """
    for name, value in given.items():
        _check(name, value)
    size = len(as_json(given).encode())
    if size > MOST_BYTES:
        raise ValueError(
            f"the fields have {size} bytes as JSON: {MOST_BYTES} at most; keep what is larger in"
            " your own records, and give its id here"
        )
    return dict(given)


def require_texts(given: object) -> object:
    """Return what was given. Raises ValueError where a field is no text; its value is not shown."""
    for name, value in given.items() if isinstance(given, Mapping) else ():
        if not isinstance(value, str):
            raise ValueError(  # noqa: TRY004 - for pydantic
                f"the value of {str(name)[:40]!r} (not shown) is no text: write numbers as texts,"
                ' such as "0047"'
            )
    return given


def as_json(given: Mapping[str, str]) -> str:
    """Return the fields as they are kept."""
    return json.dumps(given, separators=(",", ":"), ensure_ascii=False)


def own_field(name: str) -> str | None:
    """Return the name of the field that a column holds, None where it holds none."""
    if name[: len(COLUMN)].casefold() != COLUMN:
        return None
    return name[len(COLUMN) :].strip() or None


def _check(name: str, value: str) -> None:
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(
            f"{name[:40]!r} is no name of a field: 1 to {LONGEST_NAME} printable characters"
        )
    if _UNFIT.search(value):
        raise ValueError(
            f"the text of {name[:40]!r} (not shown) has a control character: take it out"
        )
