"""What pydantic finds wrong, without its jargon."""

from __future__ import annotations

import reprlib
from typing import Any

_PLAIN = {
    "bool_parsing": "{value} is neither true nor false",
    "bool_type": "{value} is neither true nor false",
    "enum": "{value} is not one of {expected}",
    "extra_forbidden": "there is no such option",
    "float_parsing": "{value} is not a number",
    "float_type": "{value} is not a number",
    "finite_number": "{value} is not a finite number",
    "greater_than_equal": "{value} is too small: at least {ge}",
    "int_from_float": "{value} is not a whole number",
    "int_parsing": "{value} is not a whole number",
    "int_parsing_size": "{value} is too large",
    "int_type": "{value} is not a whole number",
    "invalid_key": "the name of an option must be a text",
    "less_than_equal": "{value} is too large: at most {le}",
    "literal_error": "{value} is not one of {expected}",
    "dict_type": "{value} is not a set of named fields",
    "model_type": "{value} is not a set of named fields",
    "string_too_long": "it has more than {max_length} characters",
    "string_type": "{value} is not a text",
    "string_unicode": "it is not Unicode text",
    "too_long": "it has more than {max_length} entries",
    "too_short": "it is empty: there must be at least {min_length}",
    "tuple_type": "{value} is not a list",
}


def in_plain_words(item: Any, *, show: bool = True) -> str:
    """Return the message of one of pydantic's errors, without its jargon.

    `show`: whether the value may be repeated.
    """
    context = item.get("ctx", {})
    if item["type"].startswith("date_"):
        return f"{_brief(item['input'])} is not a day: write 2026-01-31"
    if "error" in context:
        return str(context["error"])
    words: str = _PLAIN.get(item["type"], item["msg"].replace("{", "{{").replace("}", "}}"))
    return words.format(value=_brief(item["input"]) if show else "it", **context)


def _brief(value: object) -> str:
    try:
        return reprlib.repr(value)
    except ValueError:  # Python writes an int of some thousand digits for nobody
        return "that number"
