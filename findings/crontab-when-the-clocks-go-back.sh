#!/usr/bin/env bash
# celery 5.7.0 and croniter 7.0.0 with tzdata 2026.6: where the clocks go back, one line of a crontab is silent for an
# hour in Celery, and another one is run twice by croniter.
#
# Celery's `crontab` goes by the hands of the clock in the app's time zone. On the night when 02:00 to 03:00 comes
# twice, a task of every minute (`*`) or every 15 minutes does not run in the second of these hours: it pauses for an
# hour, once a year, while `schedule(60)` beside it goes on. croniter (which RQ's cron goes by)
# keeps the rhythm, and instead runs what is due once a day at 02:30 twice that night. So neither of "each 15
# minutes" and "each day at 02:30" means what it says in both, and each has the other's mistake. Vixie's cron, which
# both are named after, does both right. In spring a day's 02:30 becomes 03:30 in the one and 03:00 in the other.
# What must not pause, and what calls people once, does not go by such a line in a zone with summer time: let it run
# in UTC, and have it ask what is due and not done yet.
#
# Seen for Europe/Berlin, 25 October 2026, when 03:00 summer time is 02:00 again (25 hours):
#   */15       celery 96 of 100 runs, 75 minutes between two of them; croniter all
#   30 2 * * * celery once; croniter at 02:30+02:00 and 02:30+01:00
# and on 29 March: 30 2 * * * at 03:30 and 03:00.
#
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  celery==5.7.0 kombu==5.7.0 croniter==7.0.0 tzdata==2026.6

"$folder/venv/bin/python" - <<'PYTHON'
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from celery import Celery
from celery.schedules import crontab
from croniter import croniter

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)
app = Celery("finding", set_as_current=False)
app.conf.timezone = "Europe/Berlin"


def day(month, number):
    """Return the first and the last minute of a day in Berlin, in UTC."""
    begins = datetime(2026, month, number, tzinfo=BERLIN)
    return begins.astimezone(UTC), (begins + timedelta(days=1)).astimezone(UTC) - MINUTE


def by_celery(line, begins, ends):
    """Return when a task is due in the eyes of beat, which asks each minute, and remembers the last run."""
    at, last, found = begins - MINUTE, (begins - MINUTE).astimezone(BERLIN), []
    rule = crontab.from_string(line)
    rule.app, rule.nowfun = app, lambda: at.astimezone(BERLIN)
    while at < ends:
        at += MINUTE
        if rule.is_due(last).is_due:
            last = at.astimezone(BERLIN)
            found.append(at)
    return found


def by_croniter(line, begins, ends):
    runs = croniter(line, (begins - MINUTE).astimezone(BERLIN))
    found = []
    while (at := runs.get_next(datetime).astimezone(UTC)) <= ends:
        found.append(at)
    return found


def clock(runs):
    return [at.astimezone(BERLIN).strftime("%H:%M%z") for at in runs]


autumn, spring = day(10, 25), day(3, 29)
quarters, quarters_too = by_celery("*/15 * * * *", *autumn), by_croniter("*/15 * * * *", *autumn)
longest = max(after - before for before, after in pairwise(quarters))
print(f"*/15 in autumn: celery {len(quarters)} runs, longest pause {longest}; croniter {len(quarters_too)} runs")
daily = {
    (when, name): clock(runs("30 2 * * *", *span))
    for when, span in (("autumn", autumn), ("spring", spring))
    for name, runs in (("celery", by_celery), ("croniter", by_croniter))
}
for (when, name), runs in daily.items():
    print(f"30 2 * * * in {when}: {name}", *runs)
as_seen = (
    (len(quarters), longest, len(quarters_too)) == (96, timedelta(minutes=75), 100)
    and daily["autumn", "celery"] == ["02:30+0200"]
    and daily["autumn", "croniter"] == ["02:30+0200", "02:30+0100"]
    and daily["spring", "celery"] == ["03:30+0200"]
    and daily["spring", "croniter"] == ["03:00+0200"]
)
sys.exit(0 if as_seen else "it is different now")
PYTHON
