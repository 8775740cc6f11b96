"""The do-not-call list in the console: look up, put on, take off, and no whole numbers."""

from __future__ import annotations

import pytest

from dispatcher.model.do_not_call import Wish, whom
from dispatcher.store import Store
from support.console_client import MASKED, RECIPIENT, Person, Reader
from support.store_jobs import claim, enqueue

LIST = "/console/do-not-call"


def test_a_number_is_put_on_the_list_looked_up_and_taken_off(
    operator: Person, store: Store
) -> None:
    waits = enqueue(store, recipient=RECIPIENT)
    page = operator.page(LIST)
    assert "Nobody is on the list" in page.text
    done = operator.send(
        page, "/do-not-call", number="+81 80 1123 4567", reason="asked", until="90d"
    )
    assert "The number is on the list now." in done.text
    assert f"{MASKED} asked all jobs" in Reader(done.text).text
    assert RECIPIENT not in done.text
    assert store.do_not_call.refuses(waits) == RECIPIENT
    (entry,) = store.do_not_call.check(whom(RECIPIENT))
    assert (entry.reason, entry.added_by) == ("asked", "console:ops")
    seen = operator.send(page, "/look-up", number=RECIPIENT)
    assert (RECIPIENT in seen.text, RECIPIENT in seen.url) == (False, False)
    found = Reader(seen.text)
    assert MASKED in found.text
    gone = operator.send(found, "/remove", hash=entry.hash)
    assert "The number is off the list" in gone.text
    assert not store.do_not_call.check(whom(RECIPIENT))
    again = operator.send(found, "/remove", hash=entry.hash)
    assert "Somebody else has taken it off the list already." in again.text
    assert "This number may be called." in operator.send(page, "/look-up", number=RECIPIENT).text


def test_one_entry_of_several_is_taken_off(operator: Person, store: Store) -> None:
    store.do_not_call.add([Wish.of(RECIPIENT), Wish.of(RECIPIENT, tag="ads")], actor="x")
    page = operator.page(LIST)
    form = next(each for each in page.forms if ("tag", "ads") in each.fields)
    operator.post(form.action, [*form.fields, ("hash", form.buttons[0])])
    assert [entry.tag for entry in store.do_not_call.check(whom(RECIPIENT))] == [None]


def test_who_is_called_at_this_moment_is_said(operator: Person, store: Store) -> None:
    id_ = enqueue(store, recipient=RECIPIENT)
    claim(store, id_)
    done = operator.send(operator.page(LIST), "/do-not-call", number=RECIPIENT)
    assert "The number may be called at this moment." in done.text
    assert f"/console/jobs/{id_}" in Reader(done.text).links


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"number": "12"}, "number"),
        ({"number": RECIPIENT, "until": "2020"}, "no unit"),
        ({"number": RECIPIENT, "until": "1999-01-01T00:00Z"}, "has passed"),
        ({"number": RECIPIENT, "reason": "x" * 201}, "200"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(
    operator: Person, store: Store, fields: dict[str, str], words: str
) -> None:
    answer = operator.send(operator.page(LIST), "/do-not-call", **fields)
    assert answer.status_code == 422
    assert words in answer.text
    assert not store.do_not_call.size()


def test_who_only_looks_sees_masked_numbers_and_no_buttons(reader: Person, store: Store) -> None:
    store.do_not_call.add([Wish.of(RECIPIENT, reason=f"with {RECIPIENT}")], actor="x")
    answer = reader.get(LIST).text
    assert MASKED in answer
    assert RECIPIENT not in answer
    assert not [form for form in Reader(answer).forms if LIST in form.action]
    for path in ("", "/look-up", "/remove"):
        fields = {"csrf": reader.token, "number": RECIPIENT}
        assert reader.post(LIST + path, fields).status_code == 403


def test_a_long_list_goes_on(reader: Person, store: Store) -> None:
    store.do_not_call.add(
        [Wish.of(f"+8180111{n:05}", reason="r" * 60) for n in range(400)], actor="x"
    )
    seen, path, pages = set[str](), LIST, 0
    while path:
        answer = reader.get(path)
        assert len(answer.content) < 60_000
        page = Reader(answer.text)
        seen |= {word for word in page.text.split() if word.startswith("+8180")}
        path = next((each for each in page.links if "cursor" in each), "")
        pages += 1
    assert pages > 2
    assert len(seen) == 400
    assert reader.get(f"{LIST}?cursor=x'").status_code == 200
