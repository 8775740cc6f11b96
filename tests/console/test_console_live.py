"""Pages that stay fresh: what their streams tell, to whom, and when they end."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http import HTTPStatus
from pathlib import Path

import requests
from starlette.responses import Response

from dispatcher.store import Store
from dispatcher.store.holds import PauseScope
from support.console_client import RECIPIENT, Person, key
from support.gateway_process import Gateway
from support.redis_inside import key_of, redis_of
from support.store_jobs import enqueue
from workers.devstack.embedded_server import EmbeddedServer
from workers.gateway.console.live import ALIVE, EVERY, OF_ONE, SELDOM, Told, event, pause
from workers.gateway.console.pages import Page

Event = tuple[str, dict[str, str]]


def stream(person: Person, path: str = "/console") -> requests.Response:
    return person.get(path, headers={"Accept": "text/event-stream"}, stream=True)


def events(answer: requests.Response) -> Iterator[Event]:
    """Yield the events of a stream."""
    name = ""
    for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
        kind, _, value = line.partition(": ")
        if kind == "event":
            name = value
        elif kind == "data":
            yield name, json.loads(value)


def until(told: Iterator[Event], fits: Callable[[str, dict[str, str]], bool]) -> Event:
    """Return the first event that fits."""
    return next((name, data) for name, data in told if fits(name, data))


def test_a_page_tells_all_of_it_once_and_then_what_changed(operator: Person, store: Store) -> None:
    with closing(stream(operator)) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        told = events(answer)
        name, first = next(told)
        assert name == "parts"
        assert {"title", "live-banners", "live-figures", "live-chart"} <= set(first)
        store.holds.pause(PauseScope(), actor="cli:eve", note="storm")
        _, then = until(told, lambda _, parts: "storm" in parts.get("live-banners", ""))
        assert "storm" in then["live-said"]
        assert "live-states" not in then


def test_a_stream_shows_no_more_than_its_page(reader: Person, store: Store) -> None:
    id_ = enqueue(store, say="secret words")
    with closing(stream(reader, f"/console/jobs/{id_}")) as answer:
        _, parts = next(events(answer))
    assert "live-state" in parts
    assert RECIPIENT not in json.dumps(parts)
    assert "secret words" not in json.dumps(parts)


def test_a_page_that_does_not_change_has_no_stream(operator: Person) -> None:
    assert stream(operator, "/console/audit").status_code == HTTPStatus.NO_CONTENT
    assert stream(operator, "/console/jobs/nothere").status_code == HTTPStatus.NOT_FOUND


def test_who_is_not_logged_in_is_told_so_by_the_stream(stranger: Person) -> None:
    with closing(stream(stranger)) as answer:
        assert answer.status_code == HTTPStatus.OK
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.history == []
        assert list(events(answer)) == [("login", {})]


def test_a_stream_keeps_no_session_and_ends_with_it(operator: Person, store: Store) -> None:
    (session,) = redis_of(store).keys(key_of(store, "session", "*"))
    before = redis_of(store).pttl(session)
    with closing(stream(operator)) as answer:
        told = events(answer)
        next(told)
        assert redis_of(store).pttl(session) <= before
        redis_of(store).delete(session)
        assert until(told, lambda name, _: name == "login") == ("login", {})
        assert list(told) == []


def test_one_session_cannot_take_all_streams(operator: Person, store: Store) -> None:
    with ExitStack() as stack, Person(operator.url) as other:
        other.log_in(key(store, name="other"))
        for _ in range(OF_ONE.most):
            answer = stack.enter_context(closing(stream(operator, "/console/alerts")))
            assert answer.status_code == HTTPStatus.OK
        refused = stream(operator, "/console/alerts")
        assert refused.status_code == HTTPStatus.TOO_MANY_REQUESTS
        assert operator.get("/console").status_code == HTTPStatus.OK
        with closing(stream(other, "/console/alerts")) as of_other:
            assert of_other.status_code == HTTPStatus.OK


def test_a_gateway_that_stops_waits_for_no_open_page(tmp_path: Path) -> None:
    with (
        EmbeddedServer(tmp_path / "redis", appendfsync="no") as redis,
        Gateway(tmp_path, redis.url) as gateway,
        Person(gateway.url) as person,
    ):
        store = Store.from_url(redis.url)
        person.log_in(key(store))
        with closing(stream(person)) as answer:
            told = events(answer)
            next(told)
            started = time.monotonic()
            assert gateway.stop(signal.SIGTERM) in {0, -signal.SIGTERM}
            assert time.monotonic() - started < 6  # of the 8 that it gives others
            assert {name for name, _ in told} <= {"parts", "alive"}
        store.close()


def page(**parts: str) -> Page:
    return Page("", HTTPStatus.OK, parts)


def refused(why: str) -> Page:
    return page(told=why, title="Not now")


def test_only_what_changed_is_told() -> None:
    told = Told()
    assert told.news(page(a="1", b="2")) == event("parts", {"a": "1", "b": "2"})
    assert told.news(page(a="1", b="2")) == ALIVE
    assert told.news(page(a="1", b="3")) == event("parts", {"b": "3"})


def test_a_problem_is_told_once_and_its_end_as_well() -> None:
    told = Told()
    told.news(page(a="1"))
    away, full = "<p>Redis is away</p>", "<p>Redis is full</p>"
    assert told.news(refused(away)) == event("trouble", {"html": away, "title": "Not now"})
    assert told.news(refused(away)) == ALIVE
    assert told.news(refused(full)) == event("trouble", {"html": full, "title": "Not now"})
    assert told.news(page(a="1")) == event("parts", {})
    assert told.news(page(a="1")) == ALIVE


def test_who_is_logged_out_is_told_so() -> None:
    assert Told().news(Response(status_code=HTTPStatus.SEE_OTHER)) == event("login", {})


def test_many_pages_look_less_often_and_slow_ones_too() -> None:
    assert pause(0.01, 1) == EVERY
    assert pause(0.01, 60) == 6
    assert pause(0.5, 1) == 5
    assert pause(5, 60) == SELDOM


def test_each_job_of_a_list_stays_fresh_and_others_are_told_of(
    operator: Person, store: Store
) -> None:
    first = enqueue(store)
    with closing(stream(operator, "/console/jobs")) as answer:
        told = events(answer)
        _, parts = next(told)
        assert parts["which"] == first
        assert "queued" in parts[f"live-{first}"]
        store.jobs.cancel(first, actor="test")
        until(told, lambda _, parts: "cancelled" in parts.get(f"live-{first}", ""))
        second = enqueue(store)
        _, parts = until(told, lambda _, parts: "which" in parts)
        assert parts["which"] == f"{second} {first}"
