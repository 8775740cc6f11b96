"""The words of an alert's call that users choose themselves, for a language."""

from __future__ import annotations

import re
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

from dispatcher.model.alert import Severity

LONGEST: Final = 300
"""Characters of one text."""
GAPS: Final = ("severity", "what", "many", "number", "label.NAME")
_GAP = re.compile(r"\{([^{}]*)\}")
_LABEL = re.compile(r"label\.[A-Za-z_][A-Za-z0-9_.-]{0,99}", re.ASCII)
_OWN = frozenset(GAPS[:-1])


class Texts(BaseModel):
    """What is said in one language; what is left out is ours. See docs/how-to/chains.md.

    Gaps: `{severity}`, `{what}` (the alert's summary, made for ears), `{many}` (of a bundle: how
    many alerts), `{number}` (where to call back, digit by digit), `{label.NAME}` (a label).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    severities: dict[Severity, str] = Field(default_factory=dict)
    alert: str | None = None
    bundle: str | None = None
    resolved: str | None = None
    again: str | None = None
    call_back: str | None = None
    on_console: str | None = None
    answered: str | None = None
    drill: str | None = None
    unnamed: str | None = None

    @field_validator("*")
    @classmethod
    def _is_said(cls, value: object) -> object:
        texts = value.values() if isinstance(value, dict) else [value]
        for text in texts:
            if isinstance(text, str):
                _require_text(text)
        return value

    @property
    def given(self) -> dict[str, str]:
        """The texts that are given, without the severities."""
        return self.model_dump(exclude={"severities"}, exclude_none=True)

    @property
    def lacks(self) -> list[str]:
        """What is missing in a language that we know no words of."""
        return [name for name in ("alert", "bundle") if name not in self.given]


def gaps(text: str) -> list[str]:
    """Return the names of a text's gaps."""
    return _GAP.findall(text)


def fill(text: str, values: dict[str, str]) -> str:
    """Return the text with its gaps filled; what has no value is left out."""
    return _GAP.sub(lambda found: values.get(found[1], ""), text)


def _require_text(text: str) -> None:
    if not text.isprintable() or len(text) > LONGEST:
        raise ValueError(f"a text has at most {LONGEST} printable characters")
    for gap in gaps(text):
        if gap not in _OWN and not _LABEL.fullmatch(gap):
            known = ", ".join(f"{{{name}}}" for name in GAPS)
            raise ValueError(f"{{{gap[:40]}}} is no gap of a text: {known}")
