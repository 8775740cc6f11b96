"""What follows from a try: table tests of pure functions."""

from __future__ import annotations

from random import Random

import pytest

from dispatcher.store.webhooks import RETRY_FOR
from workers.webhooks.verdict import LONGEST, LONGEST_PAUSE, Verdict, backoff, judge
from workers.webhooks.wire import Reply


def verdict(
    reply: Reply, *, tries: int = 0, failures: int = 0, age: float = 0, own: bool = False
) -> Verdict:
    return judge(reply, tries=tries, failures=failures, age=age, random=Random(7), own=own)


def answered(status: int, retry_after: float | None = None, seconds: float = 0.1) -> Reply:
    wrong = "" if 200 <= status < 300 else f"it answered {status}"
    return Reply(status, wrong, seconds, retry_after)


SILENT = Reply(None, "it did not answer in time", 10)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_a_success(status: int) -> None:
    assert verdict(answered(status)).what == "done"


@pytest.mark.parametrize(
    "status", [100, 199, 300, 302, 400, 401, 404, 413, 421, 425, 429, 500, 503]
)
def test_everything_else_is_tried_again(status: int) -> None:
    found = verdict(answered(status))
    assert (found.what, found.error) == ("again", f"it answered {status}")


def test_410_is_given_up_at_once() -> None:
    found = verdict(answered(410))
    assert (found.what, found.pause) == ("dead", LONGEST)


def test_410_of_a_receiver_that_a_job_named_is_about_its_url_alone() -> None:
    found = verdict(answered(410), own=True)
    assert (found.what, found.pause) == ("dead", 0)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_target_that_does_not_say_how_long_is_left_alone_as_well(status: int) -> None:
    found = verdict(answered(status))
    assert 2.5 <= found.pause == found.delay <= 5
    assert verdict(answered(status), tries=20).pause == LONGEST_PAUSE
    assert verdict(answered(status, retry_after=0)).pause == 0


def test_a_success_that_took_long_marks_the_target_as_slow() -> None:
    assert verdict(answered(200, seconds=3)).slow
    assert not verdict(answered(200, seconds=0.5)).slow


def test_the_waits_grow_to_an_hour_with_jitter() -> None:
    random = Random(7)
    waits = [[backoff(tries, random) for _ in range(200)] for tries in range(30)]
    for tries, found in enumerate(waits):
        longest = min(LONGEST, 5 * 4**tries)
        assert longest / 2 <= min(found) < max(found) <= longest
        assert max(found) - min(found) > longest / 4


def test_it_is_given_up_after_about_a_day() -> None:
    age, tries, random = 0.0, 0, Random(7)
    while (found := judge(SILENT, tries=tries, failures=0, age=age, random=random)).what == "again":
        age, tries = age + found.delay, tries + 1
    assert found.what == "dead"
    assert RETRY_FOR - LONGEST <= age <= RETRY_FOR
    assert 24 <= tries <= 60


@pytest.mark.parametrize(
    ("reply", "failures", "pause"),
    [
        (SILENT, 0, 0),
        (SILENT, 1, 0),
        (SILENT, 2, 5),
        (SILENT, 3, 10),
        (SILENT, 10_000, LONGEST_PAUSE),
        (answered(500), 2, 5),
        (answered(404), 50, 0),  # about this webhook only: the others of the target go on
        (answered(302), 50, 0),
        (answered(429), 2, 5),
        (answered(429, retry_after=120), 0, 120),
        (answered(503, retry_after=120), 0, 120),
        (answered(429, retry_after=10**8), 0, 3600),
        (answered(404, retry_after=120), 0, 0),
    ],
)
def test_how_long_a_target_is_left_alone(reply: Reply, failures: int, pause: float) -> None:
    assert verdict(reply, failures=failures).pause == pause


def test_retry_after_is_believed_up_to_an_hour() -> None:
    assert verdict(answered(503, retry_after=600)).delay == 600
    assert verdict(answered(413, retry_after=600)).delay == 600  # too large for now, it says
    assert verdict(answered(503, retry_after=10**8)).delay == LONGEST
