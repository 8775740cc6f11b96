"""`/metrics` as Prometheus reads it: what stands in the store, no number, and to whom."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.alert import Acknowledgement, AlertReason, AlertState
from dispatcher.model.api_key import Scope
from dispatcher.model.request import JobRequest
from dispatcher.model.states import END_REASONS, State
from dispatcher.policy import Decision
from dispatcher.problems.catalogue import Name
from dispatcher.store import Store
from dispatcher.store.schema import BARRIER
from dispatcher.store.values import Claim
from dispatcher.values.rate import Rate
from support.api_client import NUMBER, Client
from support.claims import claim_one, take
from support.gateway_process import Gateway, problem
from support.redis_inside import redis_of, root_of
from support.seen_alerts import event, reported, unreached
from workers.devstack.embedded_server import EmbeddedServer
from workers.gateway.metric_table import METRICS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs/reference/metrics.md"
RULES = ROOT / "deploy" / "prometheus" / "voice-dispatcher.rules.yml"
TOLD_BY_ITSELF = ("processes", "schema", BARRIER, "account:default:stoppage")
"""What a gateway writes every few seconds whoever looks: its heartbeat, and that nobody calls."""
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(text: str) -> Samples:
    """Return all samples: name without the common beginning, and labels -> value."""
    return {
        (sample.name.removeprefix("voice_dispatcher_"), frozenset(sample.labels.items())): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(gateway: Gateway, **options: Any) -> Samples:
    answer = gateway.ask("GET", "/metrics", **options)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return scraped(answer.text)


def value(found: Samples, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


def test_an_empty_store_has_all_states_and_no_balance(gateway: Gateway, store: Store) -> None:
    found = scrape(gateway)
    assert value(found, "redis_up") == 1
    for state in State:
        assert value(found, "jobs", state=state, reason="") == 0
    assert value(found, "hold_active", hold="credit") == 0
    assert value(found, "waiting_seconds", priority="urgent") == 0
    assert not [
        name for name, _ in found if name in {"balance", "rate_limit", "credit_warned_level"}
    ]
    for state, reasons in END_REASONS.items():
        for reason in reasons:
            assert value(found, "jobs_ended_total", state=state, reason=reason) == 0
    assert value(found, "throttled_total") == 0
    assert {name for name in Name if value(found, "problem", problem=name)} == {
        "no_worker",
        "no_beat",
    }
    told = {f"{root_of(store)}:{name}" for name in TOLD_BY_ITSELF}
    assert {name.decode() for name in redis_of(store).keys("*")} <= told  # looking leaves no trace


def test_metrics_tell_what_stands_in_the_store(
    server: EmbeddedServer, tmp_path: Path, store: Store, ops: Client
) -> None:
    """Through another gateway, which is open although there are keys."""
    store.limiter.publish(
        AccountConfig(rate=Rate(5), floor=50, warn=(500,), gap=0, one_at_a_time=False)
    )
    look = store.budget.take_check(lease=60, now=True)
    assert look is not None
    store.budget.note_balance(Decimal("412.5"), look, 300)
    ids = [
        store.jobs.enqueue(
            JobRequest.of({"recipient": NUMBER, "say": "x", "key": str(n), "priority": "bulk"})
        ).id
        for n in range(3)
    ]
    made = claim_one(store, ids[0], token="t", lease=30)
    assert isinstance(made, Claim)
    store.calls.settle(ids[0], 1, Decision(State.FAILED, "no_answer", "nobody", "no_answer"))
    store.holds.start(f"paused:tag:t{NUMBER}", "why not")
    store.holds.start("auth", "wrong token")
    take(store)
    store.limiter.throttle(48, told=True)  # after one request
    with Gateway(tmp_path, server.url, DISPATCHER_METRICS="open") as gateway:
        answer = gateway.ask("GET", "/metrics")
    found = scraped(answer.text)
    assert value(found, "jobs", state="held", reason="auth") == 2
    assert value(found, "jobs_ended_total", state="failed", reason="no_answer") == 1
    assert value(found, "attempts_total") == value(found, "requests_total") == 1
    assert value(found, "hold_active", hold="auth") == 1
    assert value(found, "hold_active", hold="paused:tag:t+8180****0001") == 1
    assert value(found, "balance") == 412.5
    assert (value(found, "credit_floor"), value(found, "credit_warned_level")) == (50, 500)
    assert value(found, "rate_limit") == value(found, "rate_working") == 5
    assert value(found, "rate_margin_seconds") == 0.01
    assert value(found, "rate_found", limit="1/min") == 1
    assert 0 < value(found, "waiting_seconds", priority="bulk") < 60
    assert value(found, "credit_waiting_cost") == value(found, "credit_needed") > 0
    assert value(found, "credit_left") == value(found, "credit_available") - 50
    assert value(found, "throttled_total") == 1
    assert value(found, "problem", problem="held_auth") == 1
    assert value(found, "late_seconds", jobs="scheduled") == 0
    assert value(found, "drain_seconds") == 0
    for secret in (NUMBER, NUMBER[1:], ops.text, ops.key.id):
        assert secret not in answer.text


def test_the_memory_of_redis_is_told(gateway: Gateway, store: Store) -> None:
    found = scrape(gateway)
    most = redis_of(store).info("memory")["maxmemory"]  # type: ignore[index]
    assert value(found, "redis_memory_bytes") > 100_000
    assert value(found, "redis_memory_most_bytes") == most


def test_answers_are_timed_by_route_and_what_has_none_is_no_series(
    gateway: Gateway, store: Store, billing: Client
) -> None:
    name, route = "gateway_answer_seconds", {"method": "POST", "route": "/v1/jobs"}
    metrics = partial(scrape, gateway, headers=reader(store))
    before = metrics().get((f"{name}_count", frozenset(route.items())), 0.0)
    billing.call()
    billing.get(f"/v1/jobs/{'a' * 16}")
    billing.get(f"/v1/nowhere/{NUMBER}")
    found = metrics()
    assert value(found, f"{name}_count", **route) == before + 1
    assert 0 < value(found, f"{name}_sum", **route) < 60
    shown = {dict(labels).get("route") for metric, labels in found if metric == f"{name}_count"}
    assert "/v1/jobs/{id}" in shown
    assert not [each for each in shown if "nowhere" in str(each) or "aaaa" in str(each)]


def reader(store: Store) -> dict[str, str]:
    _, text = store.api_keys.create("prometheus", [Scope.READ])
    return {"Authorization": f"Bearer {text}"}


def test_alerts_are_counted_from_nothing_on(gateway: Gateway, store: Store) -> None:
    """What stands at 0 before the first event shows it as an increase."""
    found = scrape(gateway)
    for state in AlertState:
        assert value(found, "alerts", state=state) == 0
        assert value(found, "alerts_moved_total", state=state) == 0
    for reason in AlertReason:
        assert value(found, "alerts_unreached_total", reason=reason) == 0
    assert value(found, "alert_reports_total") == 0
    for name in ("alert_to_first_ring_seconds", "alert_to_acknowledge_seconds"):
        assert value(found, f"{name}_bucket", le="+Inf") == value(found, f"{name}_count") == 0


def test_alerts_are_counted_by_state_and_how_long_they_took(gateway: Gateway, store: Store) -> None:
    one, two = (reported(store, event(name))[0] for name in ("1", "2"))
    reported(store, event("1"))
    store.alerts.acknowledge(one, by="ann", how=Acknowledgement.CLI)
    unreached(store, two, AlertReason.NOBODY_ACKNOWLEDGED)
    found = scrape(gateway)
    assert value(found, "alerts", state="acknowledged") == 1
    assert value(found, "alerts", state="ringing") == 0
    assert value(found, "alert_reports_total") == 3
    assert value(found, "alerts_moved_total", state="ringing") == 2
    assert value(found, "alerts_unreached_total", reason="nobody_acknowledged") == 1
    took = "alert_to_acknowledge_seconds"
    assert value(found, f"{took}_bucket", le="60.0") == value(found, f"{took}_count") == 1
    assert 0 <= value(found, f"{took}_sum") < 60


def test_it_is_open_until_a_key_is_made_and_then_wants_one_that_reads(
    gateway: Gateway, store: Store
) -> None:
    scrape(gateway)
    made, text = store.api_keys.create("prometheus", [Scope.READ])
    _, other = store.api_keys.create("billing", [Scope.ENQUEUE])
    problem(gateway.ask("GET", "/metrics"), 401)
    problem(gateway.ask("GET", "/metrics", headers={"Authorization": f"Bearer {other}"}), 403)
    shown = {"Authorization": f"Bearer {text}"}
    assert gateway.ask("GET", "/metrics", headers=shown).status_code == 200
    store.api_keys.revoke(made.id)
    problem(gateway.ask("GET", "/metrics"), 401)


def test_it_may_want_a_key_from_the_start(
    server: EmbeddedServer, tmp_path: Path, store: Store
) -> None:
    assert not store.api_keys.any()
    with Gateway(tmp_path, server.url, DISPATCHER_METRICS="key") as gateway:
        problem(gateway.ask("GET", "/metrics"), 401)


@pytest.mark.parametrize("access", ["auto", "open", "key"])
def test_that_redis_is_away_is_told_and_nothing_else(
    server: EmbeddedServer, tmp_path: Path, access: str
) -> None:
    with (
        EmbeddedServer(tmp_path / "redis", appendfsync="no") as away,
        Gateway(
            tmp_path, away.url, DISPATCHER_BROKER_URL=server.url, DISPATCHER_METRICS=access
        ) as gateway,
    ):
        away.kill()
        key = {"Authorization": f"Bearer vd_{'a' * 10}_{'0' * 64}"}
        found = scrape(gateway, headers=key if access == "key" else {})
    assert value(found, "redis_up") == 0
    assert {name for name, _ in found} == {"redis_up", "info", "problem"}
    assert value(found, "problem", problem="redis") == 1


def test_the_docs_have_the_same_table() -> None:
    row = r"^\| `voice_dispatcher_(\w+)` \| (\w+) \|([^|]*)\|"
    rows = re.findall(row, DOCS.read_text(), re.MULTILINE)
    documented = {
        (name, kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows
    }
    known = {(m.exposed.removeprefix("voice_dispatcher_"), m.kind, m.labels) for m in METRICS} | {
        ("redis_up", "gauge", ()),
        ("info", "gauge", ("version",)),
        ("gateway_answer_seconds", "histogram", ("method", "route")),
    }
    assert documented == known


def test_the_alert_rules_use_metrics_that_there_are() -> None:
    used = set(re.findall(r"\bvoice_dispatcher_\w+", RULES.read_text()))
    known = {m.exposed for m in METRICS} | {"voice_dispatcher_redis_up"}
    known |= {f"{m.exposed}_bucket" for m in METRICS if m.kind == "histogram"}
    assert len(used) >= 4
    assert used <= known
