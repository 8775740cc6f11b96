#!/usr/bin/env bash
# phonenumbers 9.0.43: a note after a number becomes digits of it, and a letter in the place of a digit is left out; both
# are then valid numbers, of strangers.
#
# "0664 1234567 (Ann)" in a list, or an O for a 0: one takes it that `parse` raises, or drops what is no number, and that
# `is_valid_number` sees the rest. Three letters or more are taken for a word on a dial (1-800-FLOWERS), wherever they
# stand, in brackets too: Ann is 266. One or two letters are left out, and the digits move together. In the
# United States or Japan, where one tries it, the result is too long or too short, and not valid. In Germany,
# Austria, Italy, Finland, Indonesia or New Zealand numbers of one network differ in length, and it is.
# Refuse letters before the library sees them; it has no option for that.
#
# Seen, each valid, with the type that it has:
#   AT 0664 1234567 (Ann)     +436641234567266, mobile     DE 030 123456 (home)   +49301234564663
#   ID 0812 345678 Ida        +62812345678432, mobile      AT 0664 12345O7        +43664123457, mobile
#   IT 347 12345O7            +39347123457, mobile         FI 040 12345O7         +35840123457, mobile
#   NZ 021 123 45O6           +6421123456, mobile          DE 030 123456 I        +4930123456
# and not valid: US 201 555 0123 Ann, JP 080 1234 5678 Ann, JP 080 1234 567O
#
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check phonenumbers==9.0.43

"$folder/venv/bin/python" - <<'PYTHON'
import sys

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

VALID = {
    ("AT", "0664 1234567 (Ann)"): ("+436641234567266", "MOBILE"),
    ("DE", "030 123456 (home)"): ("+4930123456" + "4663", "FIXED_LINE"),
    ("ID", "0812 345678 Ida"): ("+62812345678432", "MOBILE"),
    ("AT", "0664 12345O7"): ("+43664123457", "MOBILE"),
    ("IT", "347 12345O7"): ("+39347123457", "MOBILE"),
    ("FI", "040 12345O7"): ("+35840123457", "MOBILE"),
    ("NZ", "021 123 45O6"): ("+6421123456", "MOBILE"),
    ("DE", "030 123456 I"): ("+4930123456", "FIXED_LINE"),
}
NOT_VALID = [("US", "201 555 0123 Ann"), ("JP", "080 1234 5678 Ann"), ("JP", "080 1234 567O")]
names = {value: name for name, value in vars(PhoneNumberType).items() if isinstance(value, int)}


def read(region, text):
    """Return the number that is made of a text, and its type; None where it is not valid."""
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number_for_region(number, region):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164), names[phonenumbers.number_type(number)]


found = {each: read(*each) for each in [*VALID, *NOT_VALID]}
for (region, text), number in found.items():
    print(f"{region} {text:<20} {number or 'not valid'}")
sys.exit(0 if found == VALID | dict.fromkeys(NOT_VALID) else "it is different now")
PYTHON
