#!/usr/bin/env bash
# pydantic 2.14.3: a field that is a date with its zone, in strict mode, takes "20261224" for 23 August 1970.
#
# ISO 8601 also writes a day as 20261224, and so do spreadsheets, file names and many a cron job; Python's own
# `datetime.fromisoformat` reads it as that. pydantic takes a text of digits alone for Unix time: seconds, or
# from 2e10 on milliseconds, so that 202612241000 (the day and 10:00) is in June 1976. `AwareDatetime` does not
# refuse it as lacking a zone, since Unix time has UTC; `strict=True`, which takes no number for a text elsewhere, takes
# this one. So where a reminder "at" a day is asked for over FastAPI, it is due since 1970: it rings at once,
# whatever the hour, and a deadline has passed before the call. With time and zone the same form (20261224T100000Z) is
# an error, so that nobody expects it without. What helps is a text that one reads by fromisoformat oneself, or to
# refuse what lies long ago.
#
# Seen: "20261224" is 1970-08-23T12:07:04 by pydantic, 2026-12-24 by Python; "202612241000" is 1976-06-03;
# "2026" is 1970-01-01T00:33:46.
#
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pydantic==2.14.3

"$folder/venv/bin/python" - <<'PYTHON'
import json
import sys
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError


class Reminder(BaseModel):
    model_config = ConfigDict(strict=True)
    at: AwareDatetime


def by_pydantic(text):
    try:
        return Reminder.model_validate_json(json.dumps({"at": text})).at.isoformat()
    except ValidationError as error:
        return f"refused: {error.errors()[0]['type']}"


def by_python(text):
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        return "refused"


seen = {}
for text in ("2026-12-24T10:00:00+00:00", "2026-12-24", "20261224", "202612241000", "20261224T100000Z", "2026"):
    seen[text] = (by_pydantic(text), by_python(text))
    print(f"{text:<26} pydantic: {seen[text][0]:<28} Python: {seen[text][1]}")
as_seen = (
    seen["2026-12-24T10:00:00+00:00"][0] == "2026-12-24T10:00:00+00:00"
    and seen["2026-12-24"][0].startswith("refused")
    and seen["20261224"][0].startswith("1970-08-23T") and seen["20261224"][1].startswith("2026-12-24T")
    and seen["202612241000"][0].startswith("1976-06-")
    and seen["20261224T100000Z"][0].startswith("refused")
    and seen["2026"][0].startswith("1970-01-01T")
)
sys.exit(0 if as_seen else "it is different now")
PYTHON
