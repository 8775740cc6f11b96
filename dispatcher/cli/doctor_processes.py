"""What `doctor` says of the processes that tell that they run."""

from __future__ import annotations

from collections.abc import Iterator

from dispatcher.model.process import Role
from dispatcher.policy.processes import Roll, different_settings, versions

OK, WARN, FAIL = "ok", "warn", "fail"
Said = tuple[str, str, str]
"""What was looked at, how it is, and what is said of it."""
START = {Role.WORKER: "nobody is dialled", Role.BEAT: "nothing that is due is started"}
"""The roles without which calls are not made, and what that means."""
NAMED = 5


def findings(roll: Roll) -> Iterator[Said]:
    """Yield what runs, what is missing, and in what processes differ."""
    yield "processes", OK if roll.running else FAIL, roll.words
    for role, means in START.items():
        if not roll.of(role):
            says = f"none runs: {means}. Start `voice-dispatcher {role}`"
            yield role.words, FAIL, says
    yield from _stuck(roll)
    yield from _differences(roll)
    yield _alarm(roll)


def _alarm(roll: Roll) -> Said:
    """Say whether anybody outside would hear that nobody can be called. A sandbox needs none."""
    ways = sorted({way for p in roll.running for way in p.tells})
    none = "nobody hears by mail or ping that nobody can be called: set DISPATCHER_ALARM_EMAIL"
    return "alarm", OK, f"told by {' and '.join(ways)}" if ways else none


def _stuck(roll: Roll) -> Iterator[Said]:
    for worker in roll.stuck:
        says = (
            f"runs, and has begun nothing for {worker.still or 0:.0f} s: see whether it reaches the"
            " broker, and restart it"
        )
        level = WARN if roll.working else FAIL
        yield f"worker {worker}", level, says


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
