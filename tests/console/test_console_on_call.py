"""Who is on call, in the console: rotas, chains, and who stands in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dispatcher.model.on_call import OnCall
from dispatcher.store import Store
from support.console_books import alerts, on_call
from support.console_client import Person, Reader

WEEK = "/console/on-call/rotas/week"


def test_nobody_said_yet_who_is_on_call(reader: Person) -> None:
    assert "Nobody said yet who is on call" in reader.page("/console/on-call").text


def test_who_is_on_call_and_called_for_what_is_shown(reader: Person, store: Store) -> None:
    on_call(store)
    page = reader.page("/console/on-call")
    assert "week ann" in page.text
    assert "database ann 2 severity=critical|error" in page.text
    assert "web ann , bob 1 all others" in page.text
    assert {WEEK, "/console/on-call/chains/web"} <= set(page.links)
    store.on_call.refuse("line 3: no such contact")
    shown = reader.page("/console/on-call").text
    assert "The newest chains file is wrong and not in force. line 3: no such contact" in shown


def test_a_chain_says_whom_it_calls_with_numbers_masked(reader: Person, store: Store) -> None:
    on_call(store)
    answer = reader.get("/console/on-call/chains/database").text
    shown = Reader(answer).text
    assert "Call week, 2 times, 60 s apart" in shown
    assert "bob +8180****0001 can be called now" in shown
    assert "+818012340001" not in answer
    assert "gone through again from the top, 3 times in all" in shown
    assert reader.get("/console/on-call/chains/nothere").status_code == 404
    assert reader.get("/console/on-call/rotas/nothere").status_code == 404


def test_a_hole_of_a_rota_is_said(reader: Person, store: Store) -> None:
    rota = {"members": ["ann"], "start": f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}"}
    people = {"contacts": {"ann": {"number": "+818012340002"}}, "rotas": {"later": rota}}
    chain = {"chains": {"web": {"steps": [{"call": ["later"]}]}}}
    store.on_call.publish(OnCall.model_validate({**people, **chain}), by="cli:eve")
    assert "The rota later has a hole: nobody is on call" in reader.page("/console/on-call").text


def test_somebody_stands_in_and_does_no_more(operator: Person, store: Store) -> None:
    on_call(store)
    begins, ends = (datetime.now(UTC) + timedelta(days=n) for n in (20, 21))
    between = {"from": f"{begins:%Y-%m-%dT%H:%M}", "to": f"{ends:%Y-%m-%dT%H:%M}"}
    page = operator.page(WEEK)
    shown = Reader(operator.send(page, "/swap", who="ann", note="ann's turn", **between).text)
    assert f"ann , {begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M}: ann's turn" in shown.text
    swap = store.on_call.swaps()[-1]
    assert (swap.rota, swap.shift.who, swap.by) == ("week", "ann", "console:ops")
    operator.send(shown, "/end-swap", swap=swap.id)
    assert swap.id not in {each.id for each in store.on_call.swaps()}
    twice = operator.send(shown, "/end-swap", swap=swap.id)
    assert (twice.status_code, "somebody else has ended it" in twice.text) == (404, True)


def test_what_makes_no_sense_is_said(operator: Person, store: Store) -> None:
    on_call(store)
    page = operator.page(WEEK)
    for fields, words in (
        ({"who": "eve", "from": "2027-01-01", "to": "2027-01-02"}, "no contact or team"),
        ({"who": "ann", "from": "2027-01-02", "to": "2027-01-01"}, "before it begins"),
        ({"who": "ann", "from": "soon", "to": ""}, "soon"),
    ):
        answer = operator.send(page, "/swap", **fields)
        assert answer.status_code == 422
        assert words in answer.text


def test_who_only_looks_may_have_nobody_stand_in(reader: Person, store: Store) -> None:
    on_call(store)
    assert not [form for form in reader.page(WEEK).forms if "/rotas/" in form.action]
    (swap,) = store.on_call.swaps()
    for path, fields in (("swap", {"who": "ann"}), ("end-swap", {"swap": swap.id})):
        answer = reader.post(f"{WEEK}/{path}", {"csrf": reader.token, **fields})
        assert answer.status_code == 403
    assert store.on_call.swaps() == [swap]


def test_what_nobody_has_comes_first_with_who_is_called_and_one_button(
    operator: Person, store: Store
) -> None:
    rings, lost, had = alerts(store)
    page = operator.page("/console/alerts")
    assert page.text.startswith("2 alerts that nobody has · voice-dispatcher")
    before, after = page.text.split("Somebody has these")
    assert before.index("Errors of the API") < before.index("Disk full")  # nobody was reached
    assert "nobody any more: nobody answered" in before
    assert "ann : waits, since" in before
    assert "cli:ann" in after
    shown = operator.send(page, f"/{lost}/acknowledge")
    assert shown.url.endswith("/console/alerts")
    assert "Errors of the API" in Reader(shown.text).text.split("Somebody has these")[1]
    assert store.alerts.get(lost).acknowledged_by == "console:ops"
    operator.send(page, f"/{rings}/acknowledge")
    assert "Nothing needs anybody" in operator.page("/console/alerts").text
    assert had


def test_what_holds_calls_is_said_where_alerts_ring(reader: Person, store: Store) -> None:
    alerts(store)
    store.holds.start("credit", "the credit is used up")
    page = reader.page("/console/alerts")
    assert "Nobody can be called the credit is used up" in page.text
    assert not [form for form in page.forms if form.action.endswith("/acknowledge")]
