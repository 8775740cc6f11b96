"""What a failure of a watched command is as an alert, and its next success."""

from __future__ import annotations

from dispatcher.alerts.watched_command import LONGEST_OUTPUT, Watched
from dispatcher.model.alert import Severity

BACKUP = Watched("backup", Severity.ERROR, {"team": "db"}, host="db1")


def test_a_failure_says_what_where_and_how() -> None:
    event = BACKUP.failed("ended with exit code 3", ["disk full"])
    assert event.firing
    assert event.summary == "backup on db1 ended with exit code 3"
    assert event.severity is Severity.ERROR
    assert event.labels == {
        "command": "backup",
        "host": "db1",
        "severity": "error",
        "team": "db",
    }
    assert event.annotations == {"output": "disk full"}
    assert event.started_at is None


def test_a_success_ends_what_a_failure_began() -> None:
    failed, succeeded = BACKUP.failed("ended with exit code 3"), BACKUP.succeeded()
    assert (failed.source, failed.fingerprint) == (succeeded.source, succeeded.fingerprint)
    assert not succeeded.firing
    other = Watched("backup", host="db2").failed("ended with exit code 3")
    assert other.fingerprint != failed.fingerprint


def test_what_it_wrote_is_masked_short_and_without_what_moves_a_terminal() -> None:
    lines = ["x" * 5000, "\x1b[31mcall +818012345678\x1b[0m\x07", "080-1234-5678"]
    text = BACKUP.failed("was ended by SIGKILL", lines).annotations["output"]
    assert len(text) <= LONGEST_OUTPUT
    assert text.endswith("\ncall +8180****5678\n0801****678")
    assert "\x1b" not in text


def test_a_name_is_one_line_and_not_long() -> None:
    event = Watched("a\nname " + "y" * 500, host="h").failed("was not found")
    assert event.summary.startswith("a name yyy")
    assert len(event.summary) < 100
    assert "\n" not in event.fingerprint
