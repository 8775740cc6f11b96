"""Somebody calls back, and the provider asks a real gateway what they hear."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from dispatcher.model.alert import Acknowledgement, Alert, AlertState, Severity
from dispatcher.sandbox import SandboxOptions, running
from dispatcher.store import Store
from dispatcher.values.dial_in_urls import dial_in_path
from support import store_alerts
from support.gateway_process import KEY, Gateway, problem
from support.redis_inside import redis_of
from support.redis_servers import RedisProcess
from support.ringing import ANN, BOB, STRANGER, ring
from workers.devstack.embedded_server import EmbeddedServer
from workers.gateway.dial_in import PATIENCE

OURS = "815012340000"
PATH = dial_in_path([KEY])


def asks(gateway: Gateway, caller: str | None = ANN, path: str = PATH) -> requests.Response:
    query = {"caller": caller or "", "recipient": OURS}
    return gateway.ask("GET", path, params=query)


def heard(gateway: Gateway, caller: str | None = ANN) -> str:
    answer = asks(gateway, caller)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.content.decode()


def as_it_stands(store: Store, alert: Alert) -> tuple[AlertState, str | None, object]:
    found = store.alerts.get(alert.id)
    return found.state, found.acknowledged_by, found.acknowledged_how


def test_calling_back_acknowledges_and_says_so(gateway: Gateway, store: Store) -> None:
    alert = ring(store, "Disk full on db1")
    assert heard(gateway) == 'say en "Disk full on db1: acknowledged."'
    assert as_it_stands(store, alert) == (
        AlertState.ACKNOWLEDGED,
        "ann",
        Acknowledgement.DIAL_IN,
    )
    assert heard(gateway, BOB) == 'say ja "Disk full on db1。annさんが担当しています。"'


def test_a_request_that_is_replayed_does_nothing_more(gateway: Gateway, store: Store) -> None:
    first, second = ring(store, "Disk full on db1"), ring(store, "CPU high on web1")
    sentences = {heard(gateway) for _ in range(5)}
    assert len(sentences) == 1
    states = {store.alerts.get(each.id).state for each in (first, second)}
    assert states == {AlertState.ACKNOWLEDGED, AlertState.RINGING}


def test_of_many_requests_at_once_one_acknowledges(gateway: Gateway, store: Store) -> None:
    alerts = [ring(store, f"Alert {word}") for word in ("one", "two", "three")]
    with ThreadPoolExecutor(8) as pool:
        said = set(pool.map(lambda _: heard(gateway), range(16)))
    acknowledged = [
        each for each in alerts if store.alerts.get(each.id).state is AlertState.ACKNOWLEDGED
    ]
    assert len(acknowledged) == 1
    (sentence,) = said
    assert sentence == (
        f'say en "{acknowledged[0].summary}: acknowledged. 2 more alerts wait.'
        ' Call again for the next one."'
    )


def test_of_two_people_at_once_one_has_it(gateway: Gateway, store: Store) -> None:
    alert = ring(store, "Disk full on db1")
    with ThreadPoolExecutor(2) as pool:
        ann, bob = pool.map(lambda number: heard(gateway, number), (ANN, BOB))
    _, who, _ = as_it_stands(store, alert)
    assert (who == "ann") == ("acknowledged" in ann) != ("確認しました" in bob)


def test_a_bundle_is_acknowledged_with_all_its_alerts(gateway: Gateway, store: Store) -> None:
    ring(store, "Disk full on db1")
    first, second = store_alerts.record(
        store,
        store_alerts.firing("f1", summary="Ping lost", severity=Severity.WARNING),
        store_alerts.firing("f2", summary="CPU high", severity=Severity.CRITICAL),
    )
    assert first.told_by == second.told_by is not None
    store_alerts.call(store, str(first.told_by), BOB)
    answer = heard(gateway, BOB)
    assert answer.startswith('say ja "2件のアラートを確認しました。最も重大なものは、CPU high。')
    for each in (first, second):
        found = store.alerts.get(each.id)
        assert (found.state, found.acknowledged_by) == (AlertState.ACKNOWLEDGED, "bob")


def test_an_alert_that_has_ended_is_told_as_ended(gateway: Gateway, store: Store) -> None:
    alert = ring(store, "Disk full on db1")
    store.alerts.cancel(alert.id, by="cli:sam")
    assert heard(gateway) == 'say en "Disk full on db1: somebody cancelled its calls."'


def test_strangers_and_hidden_numbers_touch_nothing(gateway: Gateway, store: Store) -> None:
    alert = ring(store, "Disk full on db1")
    assert "not known here" in heard(gateway, STRANGER)
    assert "hidden" in heard(gateway, None)
    assert "hidden" in heard(gateway, "anonymous")
    assert as_it_stands(store, alert)[0] is AlertState.RINGING


def test_a_wrong_secret_is_answered_as_any_unknown_path(gateway: Gateway, store: Store) -> None:
    alert = ring(store, "Disk full on db1")
    unknown = problem(gateway.ask("GET", "/nowhere"), 404)
    for wrong in ("x", PATH.rpartition("/")[2][:-1], "%00", "é"):
        assert problem(asks(gateway, path=f"/dial-in/{wrong}"), 404) == unknown
    assert problem(asks(gateway, path=dial_in_path(["another-key-of-0123"])), 404) == unknown
    assert as_it_stands(store, alert)[0] is AlertState.RINGING


def test_a_flood_of_guesses_takes_no_place_of_who_calls(gateway: Gateway, store: Store) -> None:
    """A hundred more than the places of the provider's requests."""
    alert = ring(store, "Disk full on db1")
    with ExitStack() as wires:
        for n in range(300):
            wire = wires.enter_context(gateway.wire())
            wire.sendall(f"GET /dial-in/{n} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert "acknowledged" in heard(gateway)
    assert as_it_stands(store, alert)[0] is AlertState.ACKNOWLEDGED


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_only_get_is_taken(gateway: Gateway, store: Store, method: str) -> None:
    alert = ring(store, "Disk full on db1")
    query = {"caller": ANN, "recipient": OURS}
    assert gateway.ask(method, PATH, params=query).status_code == 405
    assert as_it_stands(store, alert)[0] is AlertState.RINGING


@pytest.mark.parametrize(
    ("query", "status"),
    [
        (f"caller=%2B818012340001&caller=&recipient={OURS}", 400),
        ("&".join(f"x{n}=1" for n in range(50)), 400),
        (f"caller={'1' * 2000}", 414),
        ("", 200),
        ("caller=%00%ff&recipient=%f0%9f", 200),
        ("%2B=%2B&&&==", 200),
    ],
)
def test_odd_queries_get_an_orderly_answer(
    gateway: Gateway, store: Store, query: str, status: int
) -> None:
    answer = gateway.ask("GET", f"{PATH}?{query}")
    assert answer.status_code == status
    assert "818012340001" not in answer.text


def test_the_secret_and_the_numbers_are_not_logged(gateway: Gateway, store: Store) -> None:
    ring(store, "Disk full on db1")
    heard(gateway)
    asks(gateway, path=PATH[:-1])
    assert "ann called back: alert" in gateway.log
    for secret in (PATH.rpartition("/")[2][:-1], ANN[-8:], "Disk full"):
        assert secret not in gateway.log


@pytest.fixture(scope="module")
def other_gateway(
    server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway with two keys that transfers strangers."""
    options = {
        "DISPATCHER_SECRET_KEY": f"a-newer-key-of-the-gateway,{KEY}",
        "DISPATCHER_DIAL_IN_UNKNOWN": "transfer:+81312345678",
        "DISPATCHER_LANG": "de",
    }
    with Gateway(tmp_path_factory.mktemp("other"), server.url, **options) as running_:
        yield running_


def test_an_older_key_is_taken_until_it_is_taken_away(other_gateway: Gateway, store: Store) -> None:
    ring(store, "Disk full on db1")
    assert "acknowledged" in heard(other_gateway)


def test_strangers_are_transferred_by_choice(other_gateway: Gateway, store: Store) -> None:
    assert heard(other_gateway, STRANGER) == "transfer +81312345678"
    assert heard(other_gateway, None).startswith('say de "Ihre Nummer ist unterdrückt')


def test_without_redis_nothing_is_acknowledged_and_nobody_waits_in_silence(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    with (
        EmbeddedServer(tmp_path / "redis", appendfsync="no") as away,
        Gateway(tmp_path, away.url, DISPATCHER_BROKER_URL=server.url) as gateway,
    ):
        with redis_of(Store.from_url(away.url)):
            ring(Store.from_url(away.url), "Disk full on db1")
        away.kill()
        assert "was not acknowledged" in heard(gateway)
        assert "told to call again" in gateway.log


def test_a_redis_that_hangs_keeps_nobody_in_silence(tmp_path: Path, server: EmbeddedServer) -> None:
    with (
        RedisProcess(tmp_path / "redis") as hangs,
        Gateway(tmp_path, hangs.url, DISPATCHER_BROKER_URL=server.url) as gateway,
    ):
        store = Store.from_url(hangs.url)
        alert = ring(store, "Disk full on db1")
        hangs.freeze()
        begun = time.monotonic()
        assert "was not acknowledged" in heard(gateway)
        assert time.monotonic() - begun < 2 * PATIENCE
        hangs.thaw()
        for _ in range(20):  # what was asked of Redis meanwhile is done before
            heard(gateway, STRANGER)
        assert as_it_stands(store, alert)[0] is AlertState.RINGING
        redis_of(store).close()


def test_over_the_sandbox_from_the_call_to_the_alert(gateway: Gateway, store: Store) -> None:
    alert = ring(store, "Disk full on db1")
    options = SandboxOptions(dial_in_numbers=(f"+{OURS}",))
    with running(options) as url:
        (number,) = requests.get(
            f"{url}/voice/dins/subscriptions/", auth=("sandbox", "sandbox"), timeout=10
        ).json()
        told = {"action_url": gateway.url + PATH}
        path = f"{url}/voice/dins/subscriptions/{number['din_uid']}/"
        requests.post(path, told, auth=("sandbox", "sandbox"), timeout=10).raise_for_status()
        person = {"caller": ANN}
        said = requests.post(f"{url}/_sandbox/dial-in", json=person, timeout=15).json()
    assert (said["problem"], said["text"]) == ("", "Disk full on db1: acknowledged.")
    assert as_it_stands(store, alert)[1] == "ann"
