#!/usr/bin/env bash
# phonenumbers 9.0.43: what `parse(text, region)` makes of a number whose plus got lost depends on luck.
#
# Spreadsheets take the plus of +491701234567 away. Seen with `phonenumbers.parse` and the region that
# the number is of, each result being a valid number:
#   JP 818012345678   +818012345678, as it was
#   US 14155552671    +14155552671, as it was
#   DE 491701234567   +49491701234567: a landline in Leer, whose area code is 491, instead of a mobile
#   DE 4312345678     +494312345678: a landline in Kiel; with its plus it is one in Vienna
# The library takes the country's code away only where the number is none of the region with it. So
# "parse, then is_valid_number_for_region" calls a stranger, without a word, in countries whose numbers
# have no fixed length. Digits that are neither as dialled in the region nor the same number with a
# plus before them have to be asked about.
# And a prefix for calls abroad may be one of another country: in the Seychelles (SC) 01 is one, so
# that their own 011 248 4 217 123, as it is written in the US, is +12484217123, which is in Michigan.
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

SEEN = {
    ("JP", "818012345678"): "+818012345678",
    ("US", "14155552671"): "+14155552671",
    ("DE", "491701234567"): "+49491701234567",
    ("DE", "4312345678"): "+494312345678",
    ("SC", "011 248 4 217 123"): "+12484217123",
}
as_seen = True
for (region, text), expected in SEEN.items():
    number = phonenumbers.parse(text, region)
    found = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    whole = phonenumbers.parse("+" + "".join(filter(str.isdigit, text)).lstrip("0"))
    print(region, text, "->", found, "valid:", phonenumbers.is_valid_number(number), "| with a plus:",
          phonenumbers.format_number(whole, phonenumbers.PhoneNumberFormat.E164),
          "valid:", phonenumbers.is_valid_number(whole))
    as_seen &= found == expected and phonenumbers.is_valid_number(number)
sys.exit(0 if as_seen else "it is different now")
PYTHON
