"""One field for all that is looked for, and the filters of the list."""

from __future__ import annotations

import pytest

from dispatcher.store import Store
from support.console_client import MASKED, RECIPIENT, Person
from support.seen_alerts import reported
from support.store_jobs import enqueue, in_progress, request
from workers.gateway.console.search import Search


def found(person: Person, words: str) -> str:
    """Return where the words lead, without the address of the gateway."""
    return person.get("/console/find", params={"q": words}).url.removeprefix(person.url)


def test_a_job_is_found_by_its_id_its_calls_id_and_its_key(operator: Person, store: Store) -> None:
    id_ = in_progress(store, "call-77", key="invoice 8812")
    for words in (id_, id_.upper()):
        assert found(operator, words) == f"/console/jobs/{id_}"
    assert found(operator, "call-77") == f"/console/jobs/{id_}?found=call"
    assert found(operator, "invoice 8812") == f"/console/jobs/{id_}?found=key"
    assert "Found by its idempotency key." in operator.page(found(operator, "invoice 8812")).text


def test_a_key_of_a_client_is_found_as_well(operator: Person, store: Store) -> None:
    mine = store.jobs.enqueue(request(key="k1"), actor="ops", scope="ops").id
    assert found(operator, "k1") == f"/console/jobs/{mine}?found=key"
    enqueue(store, key="k1")  # another job: keys of clients are their own
    page = operator.page("/console/find?q=k1")
    assert "may be several things" in page.text
    assert f"/console/jobs/{mine}?found=key" in page.links


def test_alerts_campaigns_tags_and_last_digits_are_found(operator: Person, store: Store) -> None:
    (alert,) = reported(store)
    enqueue(store, tags=["campaign:spring/1", "zoo 3"])
    assert found(operator, alert) == f"/console/alerts/{alert}"
    for words in ("spring/1", "campaign:spring/1"):
        assert found(operator, words) == "/console/campaigns/spring/1"
    assert found(operator, "zoo 3") == "/console/jobs?tag=zoo+3"
    assert found(operator, "45 67") == "/console/jobs?recipient=4567"
    assert "number ends in 4567" in operator.page("/console/jobs?recipient=4567").text


def test_words_that_may_be_several_things_show_which(operator: Person, store: Store) -> None:
    enqueue(store, tags=["4567"])
    page = operator.page("/console/find?q=4567")
    assert {"/console/jobs?tag=4567", "/console/jobs?recipient=4567"} <= set(page.links)


@pytest.mark.parametrize("words", ["what?", "\u202eabc", "<script>alert(1)</script>", "x" * 300])
def test_what_is_not_found_is_said_with_what_the_field_finds(operator: Person, words: str) -> None:
    answer = operator.get("/console/find", params={"q": words})
    assert answer.status_code == 404
    assert "Nothing is found for" in answer.text
    assert "by its idempotency key" in answer.text
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize("words", [RECIPIENT, RECIPIENT[1:], "34567", f"to {RECIPIENT}"])
def test_who_sees_masked_numbers_cannot_find_out_the_rest(
    reader: Person, operator: Person, store: Store, words: str
) -> None:
    enqueue(store, tags=[f"to {RECIPIENT}"], key=f"to {RECIPIENT}")
    assert reader.get("/console/find", params={"q": words}).status_code == 422
    assert operator.get("/console/find", params={"q": words}).status_code == 200
    assert MASKED in reader.get("/console/find", params={"q": "4567"}).text


def test_each_filter_is_a_chip_that_takes_it_away() -> None:
    search = Search(states=("failed", "in_progress"), reason="no_answer", tag="zoo")
    assert search.chips == [
        ("failed", "?state=in_progress&reason=no_answer&tag=zoo"),
        ("in progress", "?state=failed&reason=no_answer&tag=zoo"),
        ("reason: no answer", "?state=failed&state=in_progress&tag=zoo"),
        ("tag zoo", "?state=failed&state=in_progress&reason=no_answer"),
    ]
    assert Search(tag="zoo").chips == [("tag zoo", "")]
