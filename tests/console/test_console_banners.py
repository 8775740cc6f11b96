"""What the overview says first."""

from __future__ import annotations

from dispatcher.problems.problem import Level
from support.problems import minute, pace, snapshot
from workers.gateway.console.banners import banners


def test_all_is_well_and_says_what_that_means() -> None:
    (found,) = banners(snapshot(minutes=[minute(completed=11, failed__no_answer=1)]))
    assert found.level is Level.WELL
    assert found.what == "All is well: 12 jobs ended in the last hour, 11 answered; no job waits"
    (found,) = banners(snapshot(minutes=[], pace=pace(1)))
    assert found.what == "All is well: no calls; 1 job in line"
