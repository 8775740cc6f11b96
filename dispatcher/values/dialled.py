"""A number as somebody dials it: within their own country without its code."""

from __future__ import annotations


def as_dialled(number: str, by: str) -> str:
    """Return an E.164 number as its digits are dialled by who has the number `by`.

    In their own country that is the national number with its leading 0 or the like; else the whole
    number, with its plus.
    """
    import phonenumbers  # noqa: PLC0415 - it is large

    try:
        found, own = phonenumbers.parse(number), phonenumbers.parse(by)
    except phonenumbers.NumberParseException:
        return number
    if phonenumbers.region_code_for_number(found) != phonenumbers.region_code_for_number(own):
        return number
    national = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.NATIONAL)
    return "".join(filter(str.isdigit, national)) or number
