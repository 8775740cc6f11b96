"""Rows become jobs once, however often they come; refused ones come back mended."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.client.dispatcher import Dispatcher
from dispatcher.model.account_config import AccountConfig
from dispatcher.model.filters import Filter
from dispatcher.model.invalid_job import DoNotCall, InvalidJob, NumberRefused
from dispatcher.rows.form import Form
from dispatcher.rows.importing import Import
from dispatcher.rows.records import Record
from dispatcher.rows.refused import (
    MOST_REASONS,
    OTHER_ROW,
    OTHERS,
    Reasons,
    RefusedFile,
    RowConflict,
    free_name,
)
from dispatcher.rows.spool import Spool
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable
from support.rows_files import NUMBER, form, read, records
from workers.queue.call_task import accept

HEADER = ["phone", "text"]
FILE = "phone,text\n+818011234567,a\n+818011234568,b\n123,c\n+818011234567,a\n"


def imported(dispatcher: Dispatcher, text: str, made: Form | None = None, **options: Any) -> Import:
    """Import what a file says, as the command line does."""
    importing = Import(dispatcher, made or form(HEADER), **options)
    with Spool() as spool:
        for batch in importing.check(read(text)):
            spool.add(batch)
        for batch in spool:
            importing.write(batch)
    return importing


def counts(importing: Import) -> tuple[int, int, int, int]:
    tally = importing.tally
    return tally.rows, tally.created, tally.existing, tally.refused


def test_a_row_is_one_job_and_a_row_twice_is_still_one(
    dispatcher: Dispatcher, store: Store
) -> None:
    refused: list[tuple[int, str]] = []
    importing = imported(dispatcher, FILE, refuse=lambda row, why: refused.append((row.line, why)))
    assert counts(importing) == (4, 2, 1, 1)
    assert [line for line, _ in refused] == [4]
    assert sorted(job.say or "" for job in store.search.find(Filter())) == ["a", "b"]


def test_running_again_makes_nothing_and_says_so_before_writing(dispatcher: Dispatcher) -> None:
    imported(dispatcher, FILE)
    again = imported(dispatcher, FILE)
    assert counts(again) == (4, 0, 3, 1)
    assert again.tally.new == 0


def test_a_mended_file_makes_what_was_mended_and_nothing_twice(dispatcher: Dispatcher) -> None:
    imported(dispatcher, FILE)
    mended = FILE.replace("123,c", "+818011234569,c").replace("text", "text,notes", 1)
    mended = mended.replace("a\n", "a,x\n").replace("b\n", "b,y\n").replace("c\n", "c,\n")
    importing = imported(dispatcher, mended, form([*HEADER, "notes"]))
    assert counts(importing) == (4, 1, 3, 0)


def test_another_name_calls_once_more(dispatcher: Dispatcher) -> None:
    imported(dispatcher, FILE)
    assert counts(imported(dispatcher, FILE, form(HEADER, name="april"))) == (4, 2, 1, 1)


def test_a_row_that_was_imported_with_another_text_rings_nobody_twice(
    dispatcher: Dispatcher,
) -> None:
    text, why = "phone\n+818011234567\n", []
    imported(dispatcher, text, form(["phone"], say="Hello"))
    importing = imported(
        dispatcher, text, form(["phone"], say="Goodbye"), refuse=lambda _, said: why.append(said)
    )
    assert counts(importing) == (1, 0, 0, 1)
    assert "imported before" in why[0]
    assert "--id" in why[0]


def test_rows_of_one_key_that_differ_are_refused_but_for_the_first(dispatcher: Dispatcher) -> None:
    why: list[str] = []
    text = "phone,text,key\n+818011234567,a,k\n+818011234567,b,k\n"
    importing = imported(
        dispatcher, text, form([*HEADER, "key"]), refuse=lambda _, said: why.append(said)
    )
    assert counts(importing) == (2, 1, 0, 1)
    assert "use a new key" in why[0]


def test_the_cost_is_counted_for_what_is_new(dispatcher: Dispatcher) -> None:
    imported(dispatcher, "phone,text\n+818011234567,a\n")
    importing = imported(dispatcher, FILE)
    assert importing.tally.tariffs == {"tts:JP-mobile": 1}


def test_a_redis_that_comes_back_is_waited_for(
    dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[StoreUnavailable] = []
    enqueue, failures = dispatcher.store.jobs.enqueue_packed, iter([True, False])

    def sometimes(rows: Any, **options: Any) -> list[str]:
        done = enqueue(rows, **options)
        if next(failures, False):
            raise StoreUnavailable("the answer was lost")
        return done

    monkeypatch.setattr(dispatcher.store.jobs, "enqueue_packed", sometimes)
    importing = imported(dispatcher, FILE, waiting=waited.append)
    assert len(waited) == 1
    # What was written before the answer was lost was created here.
    assert counts(importing) == (4, 3, 0, 1)


def test_a_redis_that_stays_away_ends_it(dispatcher: Dispatcher) -> None:
    gone = redis.Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.1)
    with gone:
        lost = Dispatcher(Store(gone), dispatcher.messenger)
        with pytest.raises(StoreUnavailable):
            imported(lost, FILE, patience=0.1)


# -- the file of refused rows --------------------------------------------------------------


def refused_file(path: Path, source: str, why: str = "why not") -> str:
    """Have all rows of a file refused; return what is written of it."""
    found = records(source)
    file = RefusedFile(path, found.format, found.columns, found.delimiter)
    for record in found:
        file.add(record, why)
    file.close()
    return path.read_text(encoding="utf-8-sig") if file.written else ""


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
NAMES = ["phone", "text", "a b"]


@given(st.lists(st.tuples(CELLS, CELLS, CELLS).filter(any), max_size=5), CELLS)
def test_refused_rows_come_back_as_they_were(
    tmp_path: Path, table: list[tuple[str, str, str]], why: str
) -> None:
    rows = [Record(n, dict(zip(NAMES, cells, strict=True)), cells) for n, cells in enumerate(table)]
    file = RefusedFile(tmp_path / "r.csv", "csv", NAMES, ";")
    for row in rows:
        file.add(row, why)
    file.close()
    back: Iterator[Record] = iter(read((tmp_path / "r.csv").read_bytes()) if rows else [])
    assert [(row.values, row.fault) for row in back] == [(row.values, None) for row in rows]


def test_a_refused_file_that_is_refused_again_does_not_grow(tmp_path: Path) -> None:
    once = refused_file(tmp_path / "1.csv", "phone;text\n=1+1;a\n'+81;b\n")
    assert once.splitlines()[1] == "why not;2;'=1+1;a"
    assert refused_file(tmp_path / "2.csv", once) == once
    line = refused_file(tmp_path / "1.jsonl", '{"recipient": "1"}\nnonsense\n')
    assert '"refused_row": "nonsense"' in line
    assert refused_file(tmp_path / "2.jsonl", line).splitlines()[0] == line.splitlines()[0]


def test_its_owner_alone_may_read_it_and_none_is_made_for_nothing(tmp_path: Path) -> None:
    assert refused_file(tmp_path / "1.csv", "phone\n") == ""
    assert not (tmp_path / "1.csv").exists()
    refused_file(tmp_path / "1.csv", "phone\n1\n")
    assert stat.S_IMODE((tmp_path / "1.csv").stat().st_mode) == 0o600


def test_its_name_is_new(tmp_path: Path) -> None:
    for name in ("list.refused.csv", "list.refused-2.csv", "list.refused-3.csv"):
        path = free_name(tmp_path / "list.csv", "csv")
        assert path.name == name
        path.touch()
    assert free_name(tmp_path / "list.refused-2.csv", "csv").name == "list.refused-4.csv"


def test_reasons_are_counted_without_what_varies_and_bounded() -> None:
    reasons = Reasons()
    for n in range(1000):
        reasons.add(InvalidJob([("recipient", f"'{n}' is too short: +81{n}"), (f"f{n}", "x")]))
    assert reasons.counts["recipient: … is too short: …"] == 1000
    assert len(reasons.counts) == MOST_REASONS + 1
    assert reasons.counts[OTHERS] > 900


def test_a_number_is_whole_in_the_file(tmp_path: Path) -> None:
    assert f"'{NUMBER}" in refused_file(tmp_path / "1.csv", f"phone\n{NUMBER}\n")


def test_conflicts_are_one_reason_whatever_the_jobs_are_called() -> None:
    reasons = Reasons()
    for id_ in ("3yywbsaiqgoghp2d", "kqzwmbhtyaov2222", "2222222222222222"):
        reasons.add(RowConflict(*OTHER_ROW, id_))
    assert list(reasons.counts.values()) == [3]
    assert not set(re.findall("[a-z2-7]{16}", " ".join(reasons.counts)))


# -- whom the account does not call --------------------------------------------------------


def test_a_number_that_the_account_does_not_call_is_refused_before_anything_is_written(
    dispatcher: Dispatcher, store: Store
) -> None:
    store.limiter.publish(AccountConfig(countries=frozenset({"JP"})))
    rows = "phone,text\n+818011234567,a\n+252612345678,b\n+81990504123,c\n"
    refused: list[tuple[int, str]] = []
    importing = Import(
        dispatcher, form(HEADER), refuse=lambda row, why: refused.append((row.line, why))
    )
    checked = [item for batch in importing.check(read(rows)) for item in batch]
    assert ([line for line, _ in refused], len(checked)) == ([3, 4], 1)
    assert "numbers of SO" in refused[0][1]
    assert "premium numbers" in refused[1][1]
    assert not list(store.search.find(Filter()))


def test_a_setting_that_is_tightened_while_rows_are_written_refuses_them(
    dispatcher: Dispatcher, store: Store
) -> None:
    importing = Import(dispatcher, form(HEADER))
    (batch,) = importing.check(read("phone,text\n+818011234567,a\n"))
    store.limiter.publish(AccountConfig(blocked=frozenset({"JP"})))
    importing.write(batch)
    assert counts(importing) == (1, 0, 0, 1)


def test_the_other_ways_in_are_refused_too(dispatcher: Dispatcher) -> None:
    premium = {"recipient": "+979123456789", "say": "a"}
    with pytest.raises(NumberRefused, match="premium numbers"):
        dispatcher.call(**premium)
    done = dispatcher.call_many([{**premium, "recipient": NUMBER}, premium]).collect()
    ((place, error),) = done.refused
    assert (place, type(error), len(done.jobs)) == (1, NumberRefused, 1)
    with pytest.raises(NumberRefused, match="premium numbers"):
        accept(dispatcher, "task-1", (), premium)


def test_who_is_on_the_do_not_call_list_is_refused_with_a_reason_of_its_own(
    dispatcher: Dispatcher, store: Store
) -> None:
    dispatcher.dnc.add(NUMBER, tag="marketing")
    refused: list[str] = []
    importing = Import(
        dispatcher,
        form(HEADER, tags=("marketing",)),
        refuse=lambda _, why: refused.append(why),
    )
    importing.write(next(importing.check(read(f"phone,text\n{NUMBER},a\n+818011234568,b\n"))))
    assert counts(importing) == (2, 1, 0, 1)
    assert importing.tally.do_not_call == 1
    (reason,) = importing.tally.reasons.counts
    assert reason.startswith("recipient: … is on the do-not-call list: ")
    assert "on the do-not-call list" in refused[0]
    assert NUMBER not in refused[0]


def test_a_message_of_the_call_task_is_refused_too(dispatcher: Dispatcher) -> None:
    dispatcher.dnc.add(NUMBER)
    asked = {"recipient": NUMBER, "say": "a"}
    with pytest.raises(DoNotCall):
        accept(dispatcher, "task-1", (), asked)
    assert accept(dispatcher, "task-2", (), {**asked, "dnc": "exempt"})
    (result,) = dispatcher.call_many([asked]).collect().refused
    assert isinstance(result[1], DoNotCall)
