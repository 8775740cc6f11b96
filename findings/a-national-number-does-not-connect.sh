#!/usr/bin/env bash
# phonenumbers 9.0.43: a number in its NATIONAL format is not what one dials in its country, and what is meant for dialling
# is empty for all of Brazil.
#
# A call says "to take it over, call …", a mail has a link to tap: in the person's own country that is the national format,
# one would think. It is how a number is written. In Brazil a number is dialled with the code of a carrier, which is a part
# of neither, and most carriers do not connect it without. `format_number_for_mobile_dialing` knows that: in Mexico, Chile,
# Kazakhstan and Uzbekistan it has the whole number with its plus. But for a Brazilian number within Brazil it answers with
# an empty text, and raises nothing: the sentence then ends at "call". In Germany, Japan or Great Britain, where
# one tries it, both say the same.
# So take the national format only where both agree, and else the whole number with its plus.
#
# Seen, for a number of each country, dialled there:
#   JP 0312345678 both; DE, GB, FR likewise
#   BR 1123456789 and ''; MX 5512345678 and +525512345678; CL 221234567 and +56221234567; US 2015550123 and
#   +12015550123 (where ten digits do)
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
from phonenumbers import PhoneNumberFormat

SEEN = {
    "+81312345678": ("0312345678", "0312345678"),
    "+4930123456": ("030123456", "030123456"),
    "+442079460123": ("02079460123", "02079460123"),
    "+33123456789": ("0123456789", "0123456789"),
    "+551123456789": ("1123456789", ""),
    "+5511961234567": ("11961234567", ""),
    "+525512345678": ("5512345678", "+525512345678"),
    "+56221234567": ("221234567", "+56221234567"),
    "+77710009998": ("87710009998", "+77710009998"),
    "+998912345678": ("912345678", "+998912345678"),
    "+12015550123": ("2015550123", "+12015550123"),
}
found = {}
for text in SEEN:
    number = phonenumbers.parse(text)
    assert phonenumbers.is_valid_number(number), text
    region = phonenumbers.region_code_for_number(number)
    national = "".join(filter(str.isdigit, phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)))
    found[text] = (national, phonenumbers.format_number_for_mobile_dialing(number, region, False))
    print(f"{region} {text:<15} national {national:<12} for dialling by a mobile there: {found[text][1]!r}")
sys.exit(0 if found == SEEN else "it is different now")
PYTHON
