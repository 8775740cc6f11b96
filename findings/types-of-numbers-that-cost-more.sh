#!/usr/bin/env bash
# phonenumbers 9.0.43: to refuse PREMIUM_RATE leaves most numbers that cost as much.
#
# Seen with `number_type`, on valid numbers:
#   Iridium (+881) and Inmarsat (+870), several dollars a minute   MOBILE
#   networks of no country (+882, +883)                            VOIP
#   personal numbers of no country (+878)                          VOIP
#   Great Britain 070, at premium prices                           PERSONAL_NUMBER
#   international freephone (+800), which callers may pay for      TOLL_FREE
#   Jamaica, that premium scams are known for                      MOBILE, like any other of +1
# Great Britain 0843, which its regulator sells as a cheap service number, is PREMIUM_RATE. So a guard
# against toll fraud has to look at the calling code where there is no country (the set
# COUNTRY_CODES_FOR_NON_GEO_REGIONS), at five more types, and at a list of countries.
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
from phonenumbers import PhoneNumberType

SEEN = {
    "+881612345678": "MOBILE",
    "+870773111632": "MOBILE",
    "+882165123456": "VOIP",
    "+883510001234567": "VOIP",
    "+878101234567890": "VOIP",
    "+447012345678": "PERSONAL_NUMBER",
    "+80012345678": "TOLL_FREE",
    "+18765551234": "MOBILE",
    "+448431234567": "PREMIUM_RATE",
}
names = {value: name for name, value in vars(PhoneNumberType).items() if isinstance(value, int)}
found = {}
for text in SEEN:
    number = phonenumbers.parse(text)
    assert phonenumbers.is_valid_number(number), text
    found[text] = names[phonenumbers.number_type(number)]
    print(f"{text:<17} {phonenumbers.region_code_for_number(number):<4} {found[text]}")
sys.exit(0 if found == SEEN else "it is different now")
PYTHON
