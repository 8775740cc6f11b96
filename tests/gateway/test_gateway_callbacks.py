"""Callbacks to a real gateway: genuine ones are written before the answer, others touch nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.model.outcome import Outcome
from dispatcher.store import Store
from dispatcher.store.callbacks import Callback
from dispatcher.values.callback_urls import CallbackUrls, Signer
from support.gateway_process import KEY, Gateway, everything, problem
from support.polling import eventually
from support.redis_inside import key_of, redis_of
from workers.devstack.embedded_server import EmbeddedServer
from workers.engine.callback_test import CallbackTest

JOB = "abcdefghijklmnop"
REPORT = {"callid": "call-1", "status": "ANSWERED", "cost": "20.5", "duration": "12"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def path(job: str = JOB, attempt: int = 1, *, key: str = KEY, hours: float = 1) -> str:
    sent = datetime.now(UTC) + timedelta(hours=hours - 1)
    return CallbackUrls("", Signer([key]), 3600).of(job, attempt, sent)


def waiting(store: Store) -> list[Callback]:
    return [
        Callback.read(t.decode()) for t in redis_of(store).zrange(key_of(store, "callbacks"), 0, -1)
    ]


def counted(store: Store, what: str, number: int) -> bool:
    """Whether a count comes to a number: refusals are counted just after they are answered."""
    return eventually(
        lambda: store.statistics.counters().get(f"callbacks.{what}", 0) == number, what
    )


# -- genuine ones --------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [{"data": REPORT}, {"json": {**REPORT, "more": ["x"]}}])
def test_a_genuine_callback_is_in_the_inbox_when_it_is_answered(
    gateway: Gateway, store: Store, sent: dict[str, Any]
) -> None:
    answer = gateway.ask("POST", path(), **sent)
    assert (answer.status_code, answer.content) == (200, b"")
    (report,) = waiting(store)
    assert (report.job_id, report.attempt, report.callid) == (JOB, 1, "call-1")
    assert (report.word, report.outcome) == ("ANSWERED", Outcome.ANSWERED)
    assert (str(report.cost), report.duration) == ("20.5", 12.0)
    assert store.statistics.counters()["callbacks.received"] == 1


def test_sent_again_it_is_kept_once(gateway: Gateway, store: Store) -> None:
    for _ in range(3):
        assert gateway.ask("POST", path(), data=REPORT).status_code == 200
    assert len(waiting(store)) == 1
    assert store.statistics.counters()["callbacks.received"] == 3


def test_a_crowd_at_once_is_all_written(gateway: Gateway, store: Store) -> None:
    with ThreadPoolExecutor(16) as pool:
        jobs = [f"{n:016d}" for n in range(300)]
        codes = pool.map(lambda id_: gateway.ask("POST", path(id_), data=REPORT).status_code, jobs)
        assert set(codes) == {200}
    assert {report.job_id for report in waiting(store)} == set(jobs)


def test_no_control_character_gets_in_with_the_status(gateway: Gateway, store: Store) -> None:
    gateway.ask("POST", path(), json={**REPORT, "status": "A\u0000B\nC\u202e"})
    assert [report.word for report in waiting(store)] == ["A?B?C?"]


def test_it_wakes_those_who_apply(gateway: Gateway, store: Store) -> None:
    gateway.ask("POST", path(), data=REPORT)
    (message,) = eventually(
        lambda: redis_of(store).lrange("vd.control", 0, -1), "there is a wake-up"
    )
    assert b"dispatcher.apply_report" in message
    assert JOB.encode() not in message


def test_a_workers_own_request_is_noted_and_is_no_callback(gateway: Gateway, store: Store) -> None:
    urls = CallbackUrls(gateway.url, Signer([KEY]), 3600)
    assert CallbackTest(store, urls)() == {"callback test": "passed"}
    assert waiting(store) == []
    assert store.callbacks.seen().last is None
    assert store.statistics.counters().get("callbacks.received", 0) == 0


def test_one_that_we_did_not_sign_is_no_test(gateway: Gateway, store: Store) -> None:
    urls = CallbackUrls(gateway.url, Signer(["another key of theirs"]), 3600)
    assert CallbackTest(store, urls)() == {"callback test": "failed"}


# -- others --------------------------------------------------------------------------------


def test_a_path_of_another_job_attempt_or_time_is_forged(gateway: Gateway, store: Store) -> None:
    mine, theirs = path(), path("b" * 16, 2, hours=2)
    parts, others = mine.split("/"), theirs.split("/")
    for place in range(2, 6):
        mixed = "/".join([*parts[:place], others[place], *parts[place + 1 :]])
        found = problem(gateway.ask("POST", mixed, data=REPORT), 404)
        assert "signed" in found["detail"]
    assert counted(store, "forged", 4)
    assert waiting(store) == []


@pytest.mark.parametrize("mac", ["", "A", "A" * 22, "A" * 5000, "%00", "%ff%fe", "..", "%2e%2e"])
def test_whatever_stands_for_the_mac_is_forged(gateway: Gateway, store: Store, mac: str) -> None:
    problem(gateway.ask("POST", path().rpartition("/")[0] + f"/{mac}", data=REPORT), 404)
    assert waiting(store) == []


def test_its_time_over_a_genuine_one_is_not_taken(gateway: Gateway, store: Store) -> None:
    found = problem(gateway.ask("POST", path(hours=-1), data=REPORT), 404)
    assert "expired" in found["detail"]
    assert counted(store, "expired", 1)
    assert waiting(store) == []


def test_it_is_posted_and_nothing_else(gateway: Gateway, store: Store) -> None:
    for method in ("GET", "PUT", "DELETE"):
        problem(gateway.ask(method, path(), data=REPORT), 405)
    assert waiting(store) == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe\x00", b"callid=call-1", b"[[[[", b"null"])
def test_a_mangled_body_is_refused_with_the_remedy(
    gateway: Gateway, store: Store, body: bytes
) -> None:
    found = problem(gateway.ask("POST", path(), data=body, headers=FORM), 400)
    assert "call status" in found["remedy"]
    assert counted(store, "mangled", 1)
    assert waiting(store) == []


bodies = st.binary(max_size=400) | st.builds(
    lambda given: json.dumps(given).encode(),
    st.dictionaries(
        st.sampled_from(["callid", "status", "cost", "duration", "tags"]),
        st.none() | st.booleans() | st.floats() | st.text() | st.lists(st.integers()),
    ),
)


@settings(max_examples=200)
@given(bodies, st.sampled_from(["", "application/json", *FORM.values(), "x; charset=utf-32"]))
def test_no_body_makes_the_gateway_fail(
    gateway: Gateway, store: Store, body: bytes, content_type: str
) -> None:
    answer = gateway.ask("POST", path(), data=body, headers={"Content-Type": content_type})
    assert answer.status_code in {200, 400}


# -- large and slow ones -------------------------------------------------------------------


def head(length: int | None, target: str = "") -> bytes:
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return f"POST {target or path()} HTTP/1.1\r\nHost: x\r\n{size}\r\n\r\n".encode()


@pytest.mark.parametrize("announced", [True, False])
def test_ten_megabytes_are_cut_short(gateway: Gateway, store: Store, announced: bool) -> None:
    with gateway.wire() as wire:
        wire.sendall(head(10_000_000 if announced else None))
        chunk = b"a" * 65536
        told = b""
        try:
            for _ in range(160):
                wire.sendall(chunk if announced else b"10000\r\n" + chunk + b"\r\n")
            told = everything(wire)
        except ConnectionError:
            pass  # closed while we still sent: the answer may be lost on the way
    assert told[:13] in {b"HTTP/1.1 413 ", b""}
    assert counted(store, "mangled", 1)
    assert waiting(store) == []


def test_a_body_a_little_too_large_is_told_so(gateway: Gateway) -> None:
    body = urlencode({**REPORT, "tags": "x" * 70_000})
    found = problem(gateway.ask("POST", path(), data=body, headers=FORM), 413)
    assert "65536 bytes" in found["detail"]


def test_a_large_one_within_the_limit_is_taken(gateway: Gateway, store: Store) -> None:
    body = urlencode({**REPORT, "tags": "x" * 60_000})
    assert gateway.ask("POST", path(), data=body, headers=FORM).status_code == 200
    assert len(waiting(store)) == 1


def test_a_body_that_drips_is_not_waited_for(gateway: Gateway, store: Store) -> None:
    started = time.monotonic()
    with gateway.wire(within=30) as wire:
        wire.sendall(head(1000))
        wire.settimeout(0.2)
        told = b""
        while not told and time.monotonic() - started < 25:
            wire.sendall(b"a")
            try:
                told = wire.recv(65536)
            except TimeoutError:
                continue
    assert told.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - started > 5
    assert counted(store, "mangled", 1)


def test_the_body_of_a_forged_one_is_not_read(gateway: Gateway, store: Store) -> None:
    forged = path().rpartition("/")[0] + "/" + "A" * 22
    with gateway.wire() as wire:
        wire.sendall(head(10_000_000, forged))
        assert everything(wire).startswith(b"HTTP/1.1 404 ")


# -- keys, and Redis away ------------------------------------------------------------------


def test_a_rotated_key_still_verifies_and_a_withdrawn_one_does_not(
    server: EmbeddedServer, store: Store, tmp_path: Path
) -> None:
    old, new, gone = "the-old-key-of-16", "the-new-key-of-16", "the-gone-key-of-16"
    with Gateway(tmp_path, server.url, DISPATCHER_SECRET_KEY=f"{new},{old}") as gateway:
        codes = [
            gateway.ask("POST", path(key=key), data=REPORT).status_code for key in (new, old, gone)
        ]
    assert codes == [200, 200, 404]


def test_without_a_key_there_are_no_callbacks(server: EmbeddedServer, tmp_path: Path) -> None:
    with Gateway(tmp_path, server.url, DISPATCHER_SECRET_KEY="") as gateway:
        problem(gateway.ask("POST", path(), data=REPORT), 404)


@pytest.fixture
def redis_of_its_own(tmp_path: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path / "redis", appendfsync="no") as redis:
        yield redis


def test_what_cannot_be_written_is_to_be_sent_again(
    redis_of_its_own: EmbeddedServer, tmp_path: Path
) -> None:
    with Gateway(tmp_path, redis_of_its_own.url) as gateway:
        redis_of_its_own.kill()
        problem(gateway.ask("POST", path(), data=REPORT), 503)
        redis_of_its_own.restart()
        assert gateway.ask("POST", path(), data=REPORT).status_code == 200
        store = Store.from_url(redis_of_its_own.url)
        with redis_of(store):
            assert [report.callid for report in store.callbacks.take()] == ["call-1"]


def test_a_redis_that_refuses_to_write_is_as_good_as_away(
    redis_of_its_own: EmbeddedServer, tmp_path: Path
) -> None:
    store = Store.from_url(redis_of_its_own.url)
    with redis_of(store), Gateway(tmp_path, redis_of_its_own.url) as gateway:
        redis_of(store).config_set("maxmemory", "1")
        problem(gateway.ask("POST", path(), data=REPORT), 503)


def test_no_secret_and_no_number_is_logged(gateway: Gateway, store: Store) -> None:
    body = {**REPORT, "recipient": "+818011234567", "status": "CALLED +818011234567"}
    for sent in (path(), path(hours=-1), path() + "x"):
        gateway.ask("POST", sent, data=body)
    mac = urlsplit(path()).path.rpartition("/")[2]
    assert mac not in gateway.log
    assert "818011234567" not in gateway.log
    assert "callbacks/" not in gateway.log
