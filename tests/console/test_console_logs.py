"""The logs in the console: who did what, and what guards the account saw."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dispatcher.model.api_key import Scope
from dispatcher.model.key_rights import KeyRights
from dispatcher.security_log import SecurityEvent, line
from dispatcher.store import Store
from support.console_client import MASKED, RECIPIENT, Person, key
from support.gateway_process import Gateway
from workers.devstack.embedded_server import EmbeddedServer
from workers.gateway.console import security_lines
from workers.gateway.console.security_lines import LineFilter, latest

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


def test_the_audit_log_is_filtered_page_by_page(reader: Person, store: Store) -> None:
    for n in range(250):
        store.audit.record("console:ann" if n % 2 else "cli:eve", "retry", f"job:{n}", f"note {n}")
    store.audit.record("cli:eve", "dnc.add", f"recipient:{RECIPIENT}")
    first = reader.page("/console/audit?who=ANN")
    assert "cli:eve" not in first.text
    assert "note 249" in first.text
    assert "/console/jobs/249" in first.links
    (older,) = (each for each in first.links if "before" in each)
    second = reader.page(older)
    assert "note 1 " in second.text + " "
    assert "cli:eve" not in second.text
    masked = reader.page("/console/audit?what=dnc").text
    assert f"dnc.add recipient:{MASKED}" in masked
    assert "No entry matches" in reader.page("/console/audit?until=1h").text
    wrong = reader.page("/console/audit?since=nonsense").text
    assert "is not a time" in wrong
    assert "note 249" in wrong


def test_the_rights_of_a_key_are_words(reader: Person, store: Store) -> None:
    more = KeyRights(callers=frozenset({"819011112222"}), webhooks=True)
    for name, rights in (("safe", None), ("more", more)):
        store.api_keys.create(name, [Scope.ENQUEUE], rights=rights, actor="cli:eve")
    text = reader.page("/console/audit?what=keys.create").text
    assert "name: safe , rights: the safe ones ," in text
    assert "name: more , rights: callers 1; webhooks ," in text
    assert "{" not in text


# -- the security log ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "security.log"


@pytest.fixture(scope="module")
def watched(
    server: EmbeddedServer, log: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway that writes its security log to a file."""
    folder = tmp_path_factory.mktemp("watched")
    with Gateway(folder, server.url, DISPATCHER_SECURITY_LOG=str(log)) as running:
        yield running


def test_who_logs_in_is_seen_in_the_security_log(watched: Gateway, store: Store) -> None:
    with Person(watched.url) as person:
        person.log_in("vd_abcdefghij_wrong")
        person.log_in(key(store, name="night-shift"))
        shown = person.page("/console/security-log").text
        assert "night-shift" in shown
        assert "logged in" in shown
        assert "failed to log in" in shown
        failed = person.page("/console/security-log?event=login.failed").text
        assert "why: wrong key" in failed
        assert "logged in" not in failed.partition("Has in it")[2]
        assert "No line matches" in person.page("/console/security-log?has=nobody").text


def test_who_only_looks_sees_no_security_log(reader: Person) -> None:
    answer = reader.get("/console/security-log")
    assert answer.status_code == 403
    assert "/console/security-log" not in reader.page("/console").links


def test_it_is_said_where_the_security_log_is_no_file(operator: Person) -> None:
    assert "Set DISPATCHER_SECURITY_LOG=FILE" in operator.page("/console/security-log").text


def written(path: Path, many: int) -> None:
    with path.open("w") as file:
        for n in range(many):
            at = NOW + timedelta(seconds=n)
            facts = {"name": f"n{n}", "address": f"192.0.2.{n % 7}"}
            file.write(
                line(SecurityEvent.LOGIN if n % 2 else SecurityEvent.LOGOUT, at, facts) + "\n"
            )
            file.write("a line of something else\n" * (n % 5 == 0))


def names(path: Path, most: int, wanted: LineFilter) -> list[str]:
    found, place, before = list[str](), -1, None
    while place != before:
        before = place if place >= 0 else None
        lines, after = latest(path, most, wanted, before)
        assert len(lines) <= most
        found += [each.facts["name"] for each in lines]
        if after is None:
            return found
        assert before is None or after < before
        place = after
    raise AssertionError("it does not go on")


def test_a_large_log_is_read_from_its_end_page_by_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However blocks and what is read for one page fall on its lines."""
    path = tmp_path / "log"
    written(path, 100)
    for block, most_read in ((64, 4096), (1000, 2000), (100_000, 100_000), (50, 300)):
        monkeypatch.setattr(security_lines, "BLOCK", block)
        monkeypatch.setattr(security_lines, "MOST_READ", most_read)
        assert names(path, 7, LineFilter()) == [f"n{n}" for n in range(99, -1, -1)]
        some = LineFilter(SecurityEvent.LOGIN, "192.0.2.3", NOW, NOW + timedelta(seconds=60))
        assert names(path, 3, some) == ["n59", "n45", "n31", "n17", "n3"]


def test_what_is_no_event_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log"
    good = line(SecurityEvent.LOGOUT, NOW, {"name": "ann"})
    deep = "[" * 5000
    lines = [
        "",
        "[]",
        "{}",
        '{"at": "now", "event": "x"}',
        '{"at": 5, "event": 7}',
        deep,
        good[:40],
    ]
    path.write_bytes("\n".join([*lines, good, '{"at": "2026-11-02T09:00", "event": "x"}']).encode())
    found, after = latest(path, 9, LineFilter())
    assert [each.facts for each in found] == [{"name": "ann"}]
    assert after is None
    with pytest.raises(FileNotFoundError):
        latest(tmp_path / "none", 9, LineFilter())


def test_a_line_without_end_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security_lines, "MOST_READ", 4096)
    path = tmp_path / "log"
    path.write_text(line(SecurityEvent.LOGOUT, NOW, {"name": "ann"}) + "\n" + "x" * 50_000)
    assert names(path, 3, LineFilter()) == ["ann"]
