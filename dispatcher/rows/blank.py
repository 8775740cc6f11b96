"""What programs write where there is no value: nobody is to hear it."""

from __future__ import annotations

from typing import Any

_NOT_A_VALUE = frozenset({"nan", "NaN", "None", "null", "NULL", "NaT", "<NA>", "n/a", "N/A"})
"""As Python, pandas and databases write it. `Nan` and `Null` are names of people."""
_FAULTS = frozenset(
    {
        "#N/A", "#NA", "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#ERROR!",
        "#SPILL!", "#CALC!", "#NV", "#WERT!", "#BEZUG!",
    }
)  # fmt: skip
"""As spreadsheets write it, where a formula found nothing."""
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
"""Characters that take no place; `str.strip` leaves them."""


def blank(value: Any) -> bool:
    """Whether a value shows nothing: None, no text, or one of blanks alone, no-break ones too."""
    return value is None or (isinstance(value, str) and not _seen(value))


def no_value(value: Any) -> str:
    """Return what stands for a value that is missing, such as `#N/A`; '' where it is one."""
    text = _seen(value) if isinstance(value, str) else str(value)
    fault = text in _NOT_A_VALUE or text.upper() in _FAULTS or set(text) == {"#"}
    return text if fault and text else ""


def _seen(text: str) -> str:
    return text.strip().strip(_INVISIBLE).strip()
