"""What the first rows say of a file: columns that only share a name with an option, and dates."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dispatcher.model.invalid_job import InvalidJob
from dispatcher.rows import evidence
from dispatcher.rows.columns import EVERYDAY, Columns, InvalidColumns
from dispatcher.rows.dates import Order
from dispatcher.rows.places import letters
from dispatcher.rows.records import Record
from dispatcher.rows.short_rows import whole_rows
from dispatcher.rows.text import UnusableInput
from support.rows_files import form, read, records

N = "+8180123400"


def judge(text: str, **options: str) -> None:
    found = read(text)
    made = form(records(text).columns, say=options.pop("say", None), map_=options)
    evidence.refuse_strangers(made, found)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("phone,text,priority\n{n}01,x,High\n{n}02,x,Low\n", "'priority' .* says 'High'.*--map"),
        ("phone,text,Priority\n{n}01,x,1\n{n}02,x,2\n{n}03,x,normal\n", "priority of a call"),
        ("phone,text,Language\n{n}01,x,German\n", "lang of a call"),
        ("phone,text,hours\n{n}01,x,8\n", "hours of a call"),
        ("phone,text,key\n{n}01,x,A\n{n}02,x,A\n{n}03,x,B\n{n}04,x,A\n", "several people have the"),
    ],
)
def test_a_column_that_only_has_the_name_of_an_option_is_refused(text: str, word: str) -> None:
    with pytest.raises(InvalidColumns, match=word):
        judge(text.format(n=N))


@pytest.mark.parametrize(
    "text",
    [
        "phone,text,priority\n{n}01,x,urgent\n{n}02,x,urgnt\n{n}03,x,\n",
        "phone,text,key\n{n}01,x,A\n{n}01,x,A\n{n}02,x,B\n",
        "phone,text,key,lang,hours,tags\n{n}01,x,1,de,09:00-18:00,a\n{n}02,x,2,en,any,\n",
        "phone,text,priority\n",
    ],
)
def test_a_column_that_is_an_option_is_none_for_one_wrong_row(text: str) -> None:
    judge(text.format(n=N))


def test_no_code_is_shown_of_a_column_that_mostly_holds_none() -> None:
    with pytest.raises(InvalidColumns, match=r"code of a call \(not shown\)") as caught:
        judge(f"phone,pin\n{N}01,12a4\n", pin="code")
    assert "12a4" not in str(caught.value)


def test_a_stranger_is_ignored_by_hand() -> None:
    judge(f"phone,text,priority\n{N}01,x,High\n", priority="")


@pytest.mark.parametrize(
    "name", [each for names in EVERYDAY.values() for each in names.split(", ")]
)
def test_everyday_names_are_never_taken_silently(name: str) -> None:
    with pytest.raises(
        InvalidColumns, match=f"--map '{name}'=, to ignore|--map '{name}'= to ignore"
    ):
        Columns.of(["phone", name], {})
    assert Columns.of(["phone", name], {name: ""}).unused([]) == [name]
    assert Columns.of(["phone", name], {name: "tags"}).fields[name] == "tags"
    assert Columns.of(["phone", name], {}, [name]).fields == {"phone": "recipient"}


@pytest.mark.parametrize("name", ["status", "id", "kind", "reason", "code", "state", "notes"])
def test_names_of_what_a_job_has_and_nobody_asks_for_are_not_used(name: str) -> None:
    assert Columns.of(["phone", name], {}).unused([]) == [name]


def test_a_file_without_a_column_of_numbers_names_those_that_may_be() -> None:
    with pytest.raises(InvalidColumns, match="perhaps 'Phone 1 - Value', 'Home Phone': choose"):
        form(["Name", "Phone 1 - Value", "Home Phone"])


def test_the_order_of_dates_is_that_of_the_files_others() -> None:
    found = read(f"phone,text,at\n{N}01,x,03/12/2026 9:00\n{N}02,x,25/12/2026 9:00\n")
    assert evidence.order(form(["phone", "text", "at"]).columns, found) is Order.DMY
    other = read(f"phone,due\n{N}01,12/25/2026\n")
    made = form(["phone", "due"], say="{due|date}, {phone}")
    assert evidence.order(made.columns, other, made.say) is Order.MDY
    assert evidence.order(made.columns, other) is None


def test_rows_that_were_read_ahead_come_once_and_a_fault_comes_in_its_place() -> None:
    def rows() -> Iterator[Record]:
        yield from (Record(n, {}, []) for n in range(evidence.SAMPLE + 9))
        raise UnusableInput(7, "no")

    sampled = evidence.Sampled(rows())
    assert len(sampled.first) == evidence.SAMPLE
    iterator = iter(sampled)
    assert [next(iterator).line for _ in range(evidence.SAMPLE + 9)] == [
        *range(evidence.SAMPLE + 9)
    ]
    with pytest.raises(UnusableInput):
        next(iterator)
    short = evidence.Sampled(records(b"phone,text\n1,a\n2,\xff\n"))
    assert len(short.first) == 1
    with pytest.raises(UnusableInput):
        list(short)


@pytest.mark.parametrize("name", ["Do Not Call", "DoNotCall", "Opt-out", "DNC", "電話拒否"])
def test_whom_the_file_names_as_not_to_be_called_is_not_called(name: str) -> None:
    made = form(["phone", "text", name])
    row = {"phone": f"{N}01", "text": "x"}
    for no in ("", "No", "0", "FALSE", " nein "):
        assert made.request({**row, name: no}).recipient == f"{N}01"
    for yes in ("Yes", "1", "TRUE", "x", "since May"):
        with pytest.raises(InvalidJob, match="is not to be called"):
            made.request({**row, name: yes})
    assert made.columns.unused([]) == []
    ignored = form(["phone", "text", name], map_={name: ""})
    assert ignored.request({**row, name: "Yes"}).recipient == f"{N}01"


def test_a_column_dnc_is_the_option_of_a_call_as_well() -> None:
    made = form(["phone", "text", "dnc"])
    assert made.request({"phone": f"{N}01", "text": "x", "dnc": "exempt"}).dnc == "exempt"


# -- rows that end early -------------------------------------------------------------------


def faults(text: str) -> list[str | None]:
    made = form(records(text).columns)
    return [each.fault for each in whole_rows(read(text), made.columns)]


def test_a_row_whose_text_goes_on_in_the_next_is_refused_and_one_that_ends_early_is_not() -> None:
    cut = faults(f"phone,text,tags\n{N}01,Hello\nthere,x\n{N}02,Hello\n{N}03,Hello\n")
    assert [bool(each) for each in cut] == [True, False, False, False]
    assert "a line break in a cell needs quotation marks" in str(cut[0])
    assert faults(f"phone,text\n{N}01,Hello\nunknown,Hello\n") == [None] * 2
    assert faults(f"phone,text,tags,note\n{N}01,Hello\n,x\n{N}02,x,a,b\n") == [None] * 3


def test_columns_have_the_letters_of_a_spreadsheet() -> None:
    assert [letters(each) for each in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
