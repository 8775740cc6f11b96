"""What `doctor` says of the processes that tell that they run."""

from __future__ import annotations

from collections.abc import Iterator

from dispatcher.policy.processes import Roll, different_settings, versions

OK, WARN, FAIL = "ok", "warn", "fail"
Said = tuple[str, str, str]
"""What was looked at, how it is, and what is said of it."""
NAMED = 5


def findings(roll: Roll) -> Iterator[Said]:
    """Yield what runs, and in what processes differ."""
    yield "processes", OK if roll.running else FAIL, roll.words
    yield from _differences(roll)
    yield _alarm(roll)


def _alarm(roll: Roll) -> Said:
    """Say whether anybody outside would hear that nobody can be called. A sandbox needs none."""
    ways = sorted({way for p in roll.running for way in p.tells})
    none = "nobody hears by mail or ping that nobody can be called: set DISPATCHER_ALARM_EMAIL"
    return "alarm", OK, f"told by {' and '.join(ways)}" if ways else none


def _differences(roll: Roll) -> Iterator[Said]:
    found = versions(roll.running)
    if len(found) > 1:
        says = f"{' and '.join(found)} run side by side: bring all processes to one"
        yield "versions", WARN, says
    names = different_settings(roll.running)
    if names:
        listed = ", ".join(names[:NAMED]) + (" and others" if names[NAMED:] else "")
        says = f"not the same for all processes: {listed}. Give all of them the same"
        yield "settings of processes", WARN, says
