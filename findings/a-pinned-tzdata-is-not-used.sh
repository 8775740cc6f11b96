#!/usr/bin/env bash
# Python 3.11 with tzdata 2026.6: where the machine has time zones of its own, the pinned ones are not used, and
# an upgrade of the package changes nothing.
#
# `tzdata` in the requirements looks like every other pin: what is pinned is what runs. But `zoneinfo` reads
# /usr/share/zoneinfo first, and the package only for zones that are not there. A service that upgrades the package
# for new rules goes on with those of its machine, or of the image that it was built on. Django and Celery ask
# zoneinfo as well. Meanwhile the list of which zones a country has (zone.tab), which one
# reads from the package, is a newer one than the rules.
# With the zones of 2025 (Debian 12 until its update) a call "from 09:00" comes to Casablanca at 08:00, since
# Morocco gave up its hour in September 2026, and to Vancouver at 10:00, which keeps its summer time.
# Compare the versions, and take the newer one by `ZoneInfo.from_file`; or set PYTHONTZPATH to nothing, so that
# the package alone counts.
#
# Seen on 1 December 2026: the package says UTC+0 and UTC-7; zoneinfo says UTC+1 and UTC-8 beside a
# machine's database of 2025, for which the files of the package of 2025 stand here; UTC+0 and UTC-7 with an
# empty PYTHONTZPATH.
#
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --target "$folder/machine" tzdata==2025.2
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tzdata==2026.6

cat > "$folder/ask.py" <<'PYTHON'
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from zoneinfo import ZoneInfo

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)


def packaged(name):
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file)


for name in ("Africa/Casablanca", "America/Vancouver"):
    asked, there = (f"{AT.astimezone(zone):%z}" for zone in (ZoneInfo(name), packaged(name)))
    print(f"{sys.argv[1]}: {name} {asked}, in the installed package tzdata {version('tzdata')} {there}")
PYTHON

# In place of /usr/share/zoneinfo, so that each machine shows the same.
beside=$(PYTHONTZPATH="$folder/machine/tzdata/zoneinfo" "$folder/venv/bin/python" "$folder/ask.py" 'beside an old machine')
alone=$(PYTHONTZPATH='' "$folder/venv/bin/python" "$folder/ask.py" 'with an empty PYTHONTZPATH')
printf '%s\n' "$beside" "$alone"
expected='beside an old machine: Africa/Casablanca +0100, in the installed package tzdata 2026.6 +0000
beside an old machine: America/Vancouver -0800, in the installed package tzdata 2026.6 -0700
with an empty PYTHONTZPATH: Africa/Casablanca +0000, in the installed package tzdata 2026.6 +0000
with an empty PYTHONTZPATH: America/Vancouver -0700, in the installed package tzdata 2026.6 -0700'
if [ "$beside
$alone" != "$expected" ]; then
    echo 'it is different now' >&2
    exit 1
fi
