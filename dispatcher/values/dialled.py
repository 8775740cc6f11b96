"""A number as somebody dials it: within their own country without its code."""

from __future__ import annotations

_AMERICA = 1  # ten digits are dialled in all of its countries


def as_dialled(number: str, by: str) -> str:
    """Return an E.164 number as its digits are dialled by who has the number `by`.

    In their own country that is the national number with its leading 0 or the like; else the whole
    number, with its plus. So it is where a mobile does not get through with the national number
    alone: in Brazil a carrier's code belongs to it (phonenumbers knows which countries).
    """
    import phonenumbers  # noqa: PLC0415 - it is large

    try:
        found, own = phonenumbers.parse(number), phonenumbers.parse(by)
    except phonenumbers.NumberParseException:
        return number
    region = phonenumbers.region_code_for_number(own)
    if region is None or phonenumbers.region_code_for_number(found) != region:
        return number
    written = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.NATIONAL)
    national = "".join(filter(str.isdigit, written))
    by_mobile = phonenumbers.format_number_for_mobile_dialing(found, region, False)
    return national if found.country_code == _AMERICA or by_mobile == national else number
