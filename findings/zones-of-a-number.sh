#!/usr/bin/env bash
# phonenumbers 9.0.43: the time zones of a number are those of its calling code, not of its country.
#
# Seen with `time_zones_for_number` of `phonenumbers.timezone`, on valid mobile numbers:
#   Jamaica     42 zones, from America/Adak to America/St_Johns: every zone of +1, though the library
#               knows by the same number that its region is JM
#   Kazakhstan  16 zones, most of them Russia's, with which it shares +7
#   Morocco     one zone, Atlantic/Canary: another country's, an hour off for half of the year
#   Indonesia   one zone, Asia/Jakarta, though the country has three
# So "call between 09:00 and 18:00 in all zones of the number" is never open in Jamaica, and is an
# hour wrong in Morocco. The zones of the region (zone.tab of tzdata) are the better question.
#
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check phonenumbers==9.0.43 tzdata==2025.2

"$folder/venv/bin/python" - <<'PYTHON'
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone

NUMBERS = {"JM": "+18763820000", "KZ": "+77010000000", "MA": "+212612000000", "ID": "+6281200000000"}
zones = {}
for region, text in NUMBERS.items():
    number = phonenumbers.parse(text)
    assert phonenumbers.is_valid_number(number) and phonenumbers.region_code_for_number(number) == region
    zones[region] = timezone.time_zones_for_number(number)
    print(region, len(zones[region]), *zones[region][:3])

midnight = datetime(2026, 1, 15, tzinfo=UTC)
open_minutes = sum(
    all(9 <= (midnight + timedelta(minutes=m)).astimezone(ZoneInfo(z)).hour < 18 for z in zones["JM"])
    for m in range(0, 24 * 60, 15)
)
print("quarters of an hour that are 09:00 to 18:00 in all zones of the Jamaican number:", open_minutes)

as_seen = (
    len(zones["JM"]) == 42
    and len(zones["KZ"]) == 16
    and zones["MA"] == ("Atlantic/Canary",)
    and zones["ID"] == ("Asia/Jakarta",)
    and open_minutes == 0
)
sys.exit(0 if as_seen else "it is different now")
PYTHON
