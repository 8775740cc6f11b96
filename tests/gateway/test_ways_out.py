"""What the gateway answers: no telephone number in any writing, on whatever route."""

from __future__ import annotations

import inspect
import itertools
import re
from typing import Any

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.alert import Acknowledgement
from dispatcher.model.api_key import Scope
from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.filters import Filter
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnsuitable, plain_errors
from dispatcher.store.holds import PauseScope
from dispatcher.store.spending import SpendingLimit, limit_amount
from support.api_client import Client
from support.console_client import Person, key
from support.gateway_process import Gateway
from support.hidden_numbers import NUMBER, WRITINGS, tells
from support.redis_inside import redis_of
from support.seen_alerts import event, reported
from support.store_jobs import claim, enqueue
from workers.gateway.console import router

GIVEN = {"event": "x", "path": "x", "name": "x"}
"""What a route's address holds beside the id of a job or of an action."""
GIVEN_AS = WRITINGS[1::2]
NO_PAGES = re.compile(r"/static/|\{path")


@pytest.fixture
def ids(store: Store) -> dict[str, str]:
    """An account in which people wrote the number wherever they may: the job's and action's ids."""
    store.limiter.publish(AccountConfig(webhooks=1))
    written = [each for each in WRITINGS if each.isprintable()]
    jobs = [
        enqueue(store, recipient=NUMBER, tags=[f"to {each}"], key=f"k {each}") for each in written
    ]
    under_way = claim(store, jobs[0])
    assert under_way.attempt == 1
    for n, each in enumerate(written):
        store.holds.pause(PauseScope(f"to {each}"), actor=f"cli:{each}", note=f"asked by {each}")
        store.spending.set(
            SpendingLimit(f"tag:to {each}", *limit_amount("5/day")), actor="cli", note=each
        )
        if n:
            store.jobs.cancel(jobs[n], actor="cli:sam", note=f"for {each}")
    preview = store.bulk.preview(BulkActionKind.RETRY, Filter(tag=f"to {WRITINGS[1]}"))
    action = store.bulk.create(preview)
    store.bulk.begin(action, actor="cli:sam", note=f"since {WRITINGS[2]} asked")
    alerts = [told_of(store, each) for each in written]
    return {"job": jobs[1], "action": action, "alert": alerts[-1]}


def told_of(store: Store, writing: str) -> str:
    """Have an alert reported in which the number stands wherever it may; return its id."""
    texts = {"labels": {"to": writing, writing: "x"}, "annotations": {"a": writing}}
    report = event(writing, summary=f"of {writing}", link=f"http://x/{writing}", **texts)
    (id_,) = reported(store, report, chain=f"to {writing}")
    store.alerts.acknowledge(id_, by=f"who {writing}", how=Acknowledgement.CLI, note=writing)
    return id_


def filled(path: str, ids: dict[str, str]) -> str:
    """Return the address of a route with all its places filled."""
    kind = next((kind for kind in ("action", "alert") if f"/{kind}s/" in path), "job")
    id_ = ids[kind]
    return path.format(**{**GIVEN, "id": id_, "job": id_})


def documented(gateway: Gateway, method: str) -> list[str]:
    paths = gateway.ask("GET", "/openapi.json").json()["paths"]
    return [path for path, item in paths.items() if method in item and "callback" not in path]


def test_nothing_that_can_be_read_tells_a_number(
    gateway: Gateway, dashboard: Client, ids: dict[str, str]
) -> None:
    answers = {path: dashboard.get(filled(path, ids)) for path in documented(gateway, "get")}
    assert len(answers) >= 9
    assert sum(answer.status_code == 200 for answer in answers.values()) >= 9
    assert {path for path, answer in answers.items() if tells(answer.text)} == set()


def bodies(written: str) -> list[Any]:
    """Return what may be posted with a number in it, wherever that may stand."""
    fields = dict.fromkeys(("recipient", "participants", "caller", "tags", "tag", "at"), written)
    found: list[Any] = [{each: written} for each in (*fields, "ids", "state", written)]
    return [*found, written, [written], fields | {written: written}, {"participants": [written]}]


def test_no_refusal_of_any_route_tells_the_number_that_was_given(
    gateway: Gateway, billing: Client, ops: Client
) -> None:
    """Each route is given each body, and all writings by turns."""
    posted = [bodies(written) for written in GIVEN_AS]
    turns = itertools.cycle(range(len(GIVEN_AS)))
    answers = []
    for path in documented(gateway, "post"):
        address = path.format(id="a" * 16, **GIVEN)
        for who, body in itertools.product((billing, ops), range(len(posted[0]))):
            answers.append(who.post(address, posted[next(turns)][body]))
        written = GIVEN_AS[next(turns)]
        answers.append(ops.post(f"{address}", {}, params={"x": written, written: "1"}))
    for path, written in itertools.product(documented(gateway, "get"), GIVEN_AS):
        answers.append(ops.get(path.format(id=written, **GIVEN), params={"id": written}))
        answers.append(ops.get(path.format(id="a" * 16, **GIVEN), params={written: written}))
    refused = [answer for answer in answers if answer.status_code >= 400]
    assert len(refused) > 400
    assert [answer.text for answer in refused if tells(answer.text)] == []


@pytest.mark.parametrize("written", GIVEN_AS)
def test_no_line_that_is_refused_tells_the_number_that_was_given(
    billing: Client, written: str
) -> None:
    lines, _ = billing.bulk([{"recipient": written, "say": "x", "key": written}])
    assert "id" in lines[0] or not tells(str(lines))


def test_no_page_of_the_console_tells_who_may_only_look_a_number(
    gateway: Gateway, store: Store, ids: dict[str, str]
) -> None:
    paths = re.findall(r'_get\("(.*?)"', inspect.getsource(router))
    assert len(paths) >= 9
    with Person(gateway.url) as reader:
        reader.log_in(key(store, Scope.READ))
        for path in paths:
            if NO_PAGES.search(path):
                continue
            answer = reader.get("/console" + filled(path.replace(":path", ""), ids))
            assert answer.status_code in {200, 403, 404, 422}, path
            assert not tells(answer.text), path


@pytest.mark.parametrize("written", WRITINGS)
def test_no_error_of_redis_tells_a_number(store: Store, written: str) -> None:
    """Redis says what a script of it says, arguments included."""
    with pytest.raises(StoreUnsuitable) as refused, plain_errors():
        redis_of(store).eval("return redis.error_reply('ERR ' .. ARGV[1])", 0, written)
    assert "refused" in str(refused.value)
    assert not tells(str(refused.value))
