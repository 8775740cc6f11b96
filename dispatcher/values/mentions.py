"""Whether somebody wrote one telephone number into a text, in whatever writing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumberFormat

from dispatcher.values.masking import hide_digits


class Mentions:
    """The writings of an E.164 number: with its country code, and as its own country dials it."""

    def __init__(self, number: str) -> None:
        parsed = phonenumbers.parse(number)
        national = phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)
        self._forms = {
            number.removeprefix("+"),
            phonenumbers.national_significant_number(parsed),
            "".join(filter(str.isdigit, national)),
        }

    def hide(self, value: Any) -> Any:
        """Return what JSON may hold with this number masked in all its texts; others stay."""
        if isinstance(value, str):
            return hide_digits(value, self._meant)
        if isinstance(value, Mapping):
            return {self.hide(name): self.hide(each) for name, each in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, bytes):
            return [self.hide(each) for each in value]
        return value

    def stand_in(self, value: Any) -> bool:
        """Tell whether the number stands in a text, or in one of what JSON may hold."""
        return bool(self.hide(value) != value)

    def _meant(self, digits: str) -> bool:
        return any(form in digits for form in self._forms)
