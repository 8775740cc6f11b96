"""What the command line prints as JSON is what the HTTP API answers for the same thing: of each
field of an answer the command line says the same. Lists are printed without their cursor.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dispatcher.alerts.recording import record
from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.do_not_call import Wish
from dispatcher.model.filters import Filter
from dispatcher.model.on_call import OnCall
from dispatcher.store import Store
from support.api_client import NUMBER, SAY, Client
from support.cli_shell import Shell
from support.seen_alerts import event
from workers.devstack.embedded_server import EmbeddedServer

PASSING = {
    *("at", "since", "until", "expected_at", "next_slot_in", "credit_forecast", "late"),
}
"""What is another at each look."""


ON_CALL = OnCall.model_validate(
    {
        "contacts": {"ann": {"number": "+818012340002"}, "bob": {"number": "+818012340001"}},
        "rotas": {"primary": {"members": ["ann", "bob"], "start": "2026-01-05", "zone": "UTC"}},
        "chains": {"all": {"steps": [{"call": ["primary"]}]}},
    }
)


@pytest.fixture
def shell(server: EmbeddedServer, tmp_path: Path) -> Shell:
    return Shell(tmp_path, DISPATCHER_REDIS_URL=server.url, LOGNAME="sam")


@pytest.fixture
def names(store: Store, billing: Client) -> dict[str, str]:
    """A job, an action, an alert and the rest of which both sides tell."""
    job = billing.call(tags=["campaign:spring"], key="parcel-1", meta={"order": "17"})["id"]
    gone = billing.call(recipient="+818012340009")["id"]
    store.jobs.cancel(gone, actor="sam", note="by mistake")
    seen = store.bulk.preview(BulkActionKind.CANCEL, Filter(tag="campaign:spring"))
    store.bulk.create(seen)
    store.bulk.begin(seen.id, actor="sam", note="")
    store.bulk.stop(seen.id, actor="sam")
    store.do_not_call.add([Wish("+818012340008", reason="asked")], actor="sam")
    store.on_call.publish(ON_CALL, by="sam")
    (alert,) = record(store, [event("db1")], actor="sam")
    return {"job": job, "action": seen.id, "alert": alert.id, "number": "%2B818012340008"}


PAIRS: dict[str, tuple[str, tuple[str, ...], str | None]] = {
    "job": ("/v1/jobs/{job}?unmask=true", ("show", "{job}"), None),
    "why": ("/v1/jobs/{job}/why", ("why", "{job}"), None),
    "jobs": ("/v1/jobs?limit=5", ("list", "--limit", "5"), "jobs"),
    "stats": ("/v1/stats?tag=campaign:spring", ("stats", "--tag", "campaign:spring"), None),
    "campaign": ("/v1/campaigns/spring", ("campaign", "show", "spring"), None),
    "campaigns": ("/v1/campaigns", ("campaign", "list"), "campaigns"),
    "action": ("/v1/actions/{action}", ("actions", "show", "{action}"), None),
    "audit": ("/v1/audit", ("audit",), "entries"),
    "alert": ("/v1/alerts/{alert}", ("alerts", "show", "{alert}"), None),
    "alerts": ("/v1/alerts", ("alerts", "list"), "alerts"),
    "summary of alerts": ("/v1/alerts/summary", ("alerts", "summary"), None),
    "do-not-call list": ("/v1/dnc", ("dnc", "list"), "entries"),
    "number": ("/v1/dnc?number={number}", ("dnc", "check", "+818012340008"), "entries"),
    "chains": ("/v1/chains", ("chains", "list"), None),
}
"""What it is -> the path, the command, and the field of the answer that a list is in."""


@pytest.mark.parametrize(("path", "command", "field"), PAIRS.values(), ids=PAIRS)
def test_the_command_line_says_what_the_http_api_says(
    path: str,
    command: tuple[str, ...],
    field: str | None,
    *,
    names: dict[str, str],
    ops: Client,
    shell: Shell,
) -> None:
    answer = ops.get(path.format(**names))
    assert answer.status_code == 200, answer.text
    ran = shell(*(word.format(**names) for word in command), "--json")
    assert ran.err == ""
    told = answer.json() if field is None else answer.json()[field]
    assert told
    assert differences(told, ran.json) == []


def test_a_balance_is_the_same(ops: Client, shell: Shell, store: Store) -> None:
    look = store.budget.take_check(lease=60, now=True)
    assert look is not None
    store.budget.note_balance(Decimal(500), look, 300)
    assert differences(ops.get("/v1/balance").json(), shell("balance", "--json").json) == []


def test_an_enqueued_job_is_the_same(billing: Client, shell: Shell) -> None:
    answer = billing.post("/v1/jobs", SAY).json()
    ran = shell("call", NUMBER, "--say", SAY["say"], "--json").json
    assert answer.pop("new")
    assert ran.keys() == answer.keys()


def test_a_rota_is_the_same(ops: Client, shell: Shell, names: dict[str, str]) -> None:
    assert names
    answer, ran = (
        ops.get("/v1/rotas/primary").json(),
        shell("rota", "show", "primary", "--json").json,
    )
    for told in (answer, ran):
        del told["turns"][0]["from"], told["turns"][-1]["to"]  # when it was asked
    assert differences(answer, ran) == []


def test_a_swap_and_its_end_are_the_same(ops: Client, shell: Shell, names: dict[str, str]) -> None:
    assert names
    given = {"who": "bob", "from": "2026-12-24", "to": "2026-12-26"}
    answer = ops.post("/v1/rotas/primary/swaps", given).json()
    asked = ("bob", "--from", given["from"], "--to", given["to"])
    ran = shell("rota", "swap", "primary", *asked, "--json").json
    gone = ops.ask("DELETE", f"/v1/rotas/primary/swaps/{answer['id']}").json()
    over = shell("rota", "unswap", ran["id"], "--json").json
    assert over == gone | {"id": ran["id"]}
    assert differences(answer | {"id": ran["id"]}, ran) == []


@pytest.mark.parametrize("do", ["pause", "resume"])
def test_a_pause_and_its_end_are_the_same(ops: Client, shell: Shell, store: Store, do: str) -> None:
    before: Callable[[], Any] = lambda: shell("pause" if do == "resume" else "resume")  # noqa: E731
    before()
    answer = ops.post(f"/v1/{do}", {"note": "lunch"}).json()
    before()
    ran = shell(do, "--note", "lunch", "--json").json
    for each in (*answer["holds"], *ran["holds"]):
        del each["since"], each["why"]  # which name who did it
    assert differences(answer, ran) == []


def differences(wanted: Any, found: Any, where: str = "") -> list[str]:
    """Return where two values differ, but for fields that only the second has."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [
            each
            for name in wanted.keys() - PASSING
            for each in differences(wanted[name], found.get(name, "missing"), f"{where}.{name}")
        ]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        pairs = zip(wanted, found, strict=True)
        return [each for n, pair in enumerate(pairs) for each in differences(*pair, f"{where}.{n}")]
    return [] if wanted == found else [f"{where}: {wanted!r}, not {found!r}"]
