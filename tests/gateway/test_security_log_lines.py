"""What the gateway writes into the security log, and the command line and Flower into theirs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from dispatcher.model.api_key import Scope
from dispatcher.security_log import NAME
from dispatcher.store import Store
from dispatcher.values.masking import mask_text
from support.api_client import NUMBER, Client, client
from support.cli_shell import Shell
from support.console_client import Person, key
from support.gateway_process import Gateway
from support.hidden_numbers import WRITINGS, tells
from support.log_set_up import put_back
from workers.devstack.embedded_server import EmbeddedServer

WRONG = "vd_abcdefghij_" + "0" * 64
PAGE = Path(__file__).resolve().parents[2] / "docs/reference/security-log.md"
FIELDS = {
    event: set(re.findall(r"`(\w+)`", fields))
    for event, fields in re.findall(r"^\| `([a-z_.]+)` \| (.*?) \|", PAGE.read_text(), re.MULTILINE)
}
"""The documented fields of each event."""
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def guarded(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway behind a proxy that we are, so that each test comes from addresses of its own."""
    folder = tmp_path_factory.mktemp("guarded")
    file = str(folder / "security.log")
    trusted = {"DISPATCHER_TRUSTED_PROXIES": "127.0.0.0/8", "DISPATCHER_SECURITY_LOG": file}
    with Gateway(folder, server.url, **trusted, DISPATCHER_WEBHOOK_NUMBERS="whole") as running:
        yield running


@pytest.fixture
def lines(guarded: Gateway) -> Lines:
    """How to read the lines that came since the last time."""
    file = Path(guarded.environment["DISPATCHER_SECURITY_LOG"])
    seen = len(file.read_text().splitlines())

    def read() -> list[dict[str, Any]]:
        nonlocal seen
        new = file.read_text().splitlines()[seen:]
        seen += len(new)
        return [json.loads(line) for line in new]

    return read


def ask(who: Client, path: str, address: str, **headers: str) -> requests.Response:
    return who.get(path, headers={"X-Forwarded-For": address, **headers})


def told(line: dict[str, Any], *left_out: str) -> dict[str, Any]:
    assert line.keys() - {"at", "event"} <= FIELDS[line["event"]]
    return {name: value for name, value in line.items() if name not in {"at", *left_out}}


def test_a_wrong_key_is_told_with_the_id_that_it_claims_and_no_secret(
    guarded: Gateway, store: Store, lines: Lines
) -> None:
    who = client(guarded, store, "billing", Scope.READ)
    who.text = WRONG
    agent = 'x"y' + WRITINGS[1] + "z" * 3000
    assert ask(who, f"/v1/jobs/{'a' * 16}", "192.0.2.1", **{"User-Agent": agent}).status_code == 401
    (line,) = lines()
    assert told(line, "user_agent") == {
        "event": "request.refused",
        "address": "192.0.2.1",
        "status": 401,
        "method": "GET",
        "route": "/v1/jobs/{id}",
        "claimed": "abcdefghij",
    }
    assert len(line["user_agent"]) <= 201
    assert not tells(line["user_agent"])
    assert "0" * 64 not in json.dumps(line)


def test_a_missing_scope_and_a_rate_that_is_used_up_are_told_with_the_keys_id(
    guarded: Gateway, store: Store, lines: Lines
) -> None:
    who = client(guarded, store, "billing", Scope.READ, quota="1/minute")
    path = f"/v1/jobs/{'a' * 16}"
    forbidden = who.post(f"{path}/cancel", {}, headers={"X-Forwarded-For": "192.0.2.2"}).status_code
    statuses = [ask(who, "/v1/stats", "192.0.2.2").status_code for _ in range(2)]
    assert (forbidden, statuses) == (403, [200, 429])
    found = [(line["status"], line["key"], line["route"]) for line in lines()]
    assert found == [(403, who.key.id, "/v1/jobs/{id}/cancel"), (429, who.key.id, "/v1/stats")]


def test_a_flood_of_refusals_is_sampled_and_counted(
    guarded: Gateway, store: Store, lines: Lines
) -> None:
    who = client(guarded, store, "billing", Scope.READ)
    who.text = WRONG
    for _ in range(30):
        assert ask(who, "/v1/stats", "192.0.2.3").status_code == 401
    assert len(lines()) == 10


def test_whole_numbers_are_told_and_in_the_audit(
    guarded: Gateway, store: Store, lines: Lines
) -> None:
    id_ = client(guarded, store, "billing", Scope.ENQUEUE).call()["id"]
    ops = client(guarded, store, "ops", Scope.OPERATE)
    for path in (f"/v1/jobs/{id_}", "/v1/jobs", f"/v1/jobs?recipient={NUMBER[-4:]}"):
        ask(ops, path, "192.0.2.4")
    assert lines() == []
    ask(ops, f"/v1/jobs/{id_}?unmask=true", "192.0.2.4")
    ask(ops, f"/v1/jobs?unmask=true&recipient=%2B{NUMBER[1:]}", "192.0.2.4")
    ask(ops, "/v1/jobs?unmask=true&tag=nobody", "192.0.2.4")
    found = [(line["event"], line["target"], line["jobs"], line["key"]) for line in lines()]
    listed = f"recipient={mask_text(NUMBER)}"
    assert found == [
        ("numbers.unmasked", f"job:{id_}", 1, ops.key.id),
        ("numbers.unmasked", listed, 1, ops.key.id),
    ]
    entries = [(each.actor, each.action, each.target) for each in store.audit.read()]
    assert entries[-2:] == [("api:ops", "unmask", f"job:{id_}"), ("api:ops", "unmask", listed)]


def test_log_ins_of_the_console_are_told(guarded: Gateway, store: Store, lines: Lines) -> None:
    id_ = client(guarded, store, "billing", Scope.ENQUEUE).call()["id"]
    text = key(store)
    with Person(guarded.url) as person:
        assert person.log_in(WRONG).status_code == 403
        assert person.log_in(key(store, Scope.ENQUEUE, name="billing")).status_code == 403
        assert person.log_in(text).status_code == 200
        person.get(f"/console/jobs/{id_}")
        person.get("/console/jobs")
    found = [told(line, "user_agent", "address", "why") for line in lines()]
    facts = {"key": text[3:13], "name": "ops"}
    seen = {"actor": "console:ops", "key": text[3:13], "target": f"job:{id_}", "jobs": 1}
    assert found == [
        {"event": "login.failed"},
        {"event": "login.failed"},
        {"event": "login.succeeded", **facts},
        {"event": "numbers.unmasked", **seen},
    ]


def test_settings_that_weaken_a_guard_are_told_at_the_start(guarded: Gateway) -> None:
    file = Path(guarded.environment["DISPATCHER_SECURITY_LOG"])
    first = json.loads(file.read_text().splitlines()[0])
    assert told(first) == {
        "event": "guard.weakened",
        "process": "gateway",
        "setting": "DISPATCHER_WEBHOOK_NUMBERS",
        "opens": "receivers get whole numbers",
    }


@pytest.fixture
def as_before() -> Iterator[None]:
    """The command line runs in this process: its file is closed afterwards."""
    with put_back(NAME):
        yield


def test_the_command_line_writes_it_where_it_is_told_to(
    server: EmbeddedServer, store: Store, tmp_path: Path, as_before: None
) -> None:
    file = tmp_path / "security.log"
    shell = Shell(
        tmp_path, DISPATCHER_REDIS_URL=server.url, DISPATCHER_SECURITY_LOG=str(file), LOGNAME="sam"
    )
    made = shell("keys", "create", "billing", "--scope", "read", "--json").json
    for command in (
        ("keys", "revoke", made["id"]),
        ("export", "--unmask"),
        ("events", "--unmask"),
        ("audit", "--unmask"),
    ):
        assert shell(*command).code == 0
    found = [told(json.loads(line)) for line in file.read_text().splitlines()]
    actor = {"actor": "cli:sam"}
    assert found == [
        {"event": "key.created", "key": made["id"], "name": "billing", "scopes": "read", **actor},
        {"event": "key.revoked", "key": made["id"], **actor},
        {"event": "jobs.exported", "target": "all jobs", "unmasked": True, **actor},
        {"event": "numbers.unmasked", "target": "events", **actor},
        {"event": "numbers.unmasked", "target": "audit", **actor},
    ]
    actions = [each.action for each in store.audit.read()]
    assert actions == ["keys.create", "keys.revoke", "export", "unmask", "unmask"]
    assert made["key"][14:] not in file.read_text()
