"""What the columns of a file mean, and what becomes of each row."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.model.invalid_job import InvalidJob
from dispatcher.model.kinds import Kind
from dispatcher.model.request import JobRequest
from dispatcher.rows.columns import SYNONYMS, Columns, InvalidColumns
from dispatcher.rows.form import Form, Numbers
from dispatcher.rows.spreadsheets import mangled, shield, unshield
from dispatcher.rows.template import InvalidTemplate, Template
from support.rows_files import NUMBER, form

# -- columns -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "field"),
    [
        *((name, field) for field, names in SYNONYMS.items() for name in names.split(", ")),
        *((field, field) for field in JobRequest.model_fields if field not in {"code", "region"}),
        ("Phone Number", "recipient"),
        ("MOBILE_NUMBER", "recipient"),
        (" Tel. ", "recipient"),
        ("max-attempts", "max_attempts"),
    ],
)
def test_a_column_is_known_by_its_usual_names(column: str, field: str) -> None:
    assert Columns.of([column], {}).fields == {column: field}


def test_a_column_of_codes_is_read_out_only_where_somebody_says_so() -> None:
    assert Columns.of(["phone", "code"], {}).fields == {"phone": "recipient"}
    assert Columns.of(["code"], {"code": "code"}).fields == {"code": "code"}


def test_what_is_said_by_hand_goes_first_and_alone() -> None:
    columns = Columns.of(["phone", "mobile", "x"], {"Mobile": "recipient", "x": "say"})
    assert columns.fields == {"mobile": "recipient", "x": "say"}
    assert columns.unused([]) == ["phone"]


def test_of_several_columns_of_numbers_the_first_that_a_row_fills_is_called() -> None:
    order = {"mobile": "recipient", "Home": "recipient"}
    made = form(["Home", "Mobile", "text"], map_=order)
    row = {"Home": "+818011234568", "Mobile": NUMBER, "text": "x"}
    assert made.request(row).recipient == NUMBER
    assert made.request({**row, "Mobile": " "}).recipient == "+818011234568"
    assert made.columns.of_field("recipient", {**row, "Mobile": ""}) == "Home"


def test_a_letter_that_was_lost_refuses_the_row() -> None:
    for header, row in ((["phone", "text"], {"text": "M\ufffdller"}), (["phone", "name"], {})):
        made = form(header, say=None if row else "Dear {name}")
        with pytest.raises(InvalidJob, match=r"say: it holds .* a letter was lost"):
            made.request({"phone": NUMBER, "name": "M\ufffdller", **row})


def test_a_column_may_be_left_out() -> None:
    assert Columns.of(["phone", "text"], {"text": ""}).fields == {"phone": "recipient"}


@pytest.mark.parametrize(
    ("header", "given_", "word"),
    [
        (["phone", "mobile"], {}, "'phone' and 'mobile' are both recipient"),
        (["phone", "phone"], {}, "two columns are named 'phone'"),
        (["phone"], {"tel": "recipient"}, "no column 'tel'; there are 'phone'"),
        (["phone"], {"phone": "nobody"}, "'nobody' is not a field"),
    ],
)
def test_columns_that_cannot_be_told_are_refused(
    header: list[str], given_: dict[str, str], word: str
) -> None:
    with pytest.raises(InvalidColumns, match=word):
        Columns.of(header, given_)


def test_a_file_without_numbers_is_refused_and_shows_none() -> None:
    with pytest.raises(InvalidColumns, match="--map COLUMN=recipient"):
        form([NUMBER, "Hello"])
    with pytest.raises(InvalidColumns) as caught:
        Columns.of([NUMBER], {"tel": "recipient"})
    assert NUMBER not in str(caught.value)


@pytest.mark.parametrize("shared", [{"nobody": "1"}, {"key": "1"}])
def test_what_no_row_could_make_good_is_refused(shared: dict[str, str]) -> None:
    with pytest.raises(InvalidColumns, match="--set"):
        form(["phone"], **shared)


# -- templates -----------------------------------------------------------------------------


def test_a_template_is_filled_by_the_row() -> None:
    made = form(["phone", "Name"], say="Dear {name}, {{it}} is {NAME}").request(
        {"phone": NUMBER, "Name": "Ann {x}"}
    )
    assert made.say == "Dear Ann {x}, {it} is Ann {x}"


@pytest.mark.parametrize("text", ["{}", "{ }", "{name", "name}", "{name!r}", "{name:>9}"])
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(InvalidTemplate, match="column"):
        Template.parse(text)


@pytest.mark.parametrize("text", ["{name.__class__}", "{name[0]}"])
def test_a_gap_names_a_column_and_nothing_of_it(text: str) -> None:
    with pytest.raises(InvalidColumns, match="no column is named"):
        form(["phone", "name"], say=text)


def test_a_gap_that_the_row_does_not_fill_refuses_the_row() -> None:
    with pytest.raises(InvalidJob, match=r"say: {name} is empty"):
        form(["phone", "name"], say="Dear {name}").request({"phone": NUMBER, "name": ""})
    with pytest.raises(InvalidJob, match=r"say: {name} is empty"):
        form(None, say="Dear {name}").request({"recipient": NUMBER})


def test_two_columns_of_a_gaps_name_are_refused() -> None:
    with pytest.raises(InvalidColumns, match="several"):
        form(["phone", "name", "Name"], say="Dear {name}")


# -- rows ----------------------------------------------------------------------------------


def test_a_row_says_more_than_what_all_share_and_tags_add_up() -> None:
    made = form(["phone", "text", "priority", "tags"], priority="bulk", tags=("a",))
    first = made.request({"phone": NUMBER, "text": "x", "priority": "", "tags": "b, c"})
    second = made.request({"phone": NUMBER, "text": "x", "priority": "urgent", "tags": ""})
    assert (first.priority, first.tags) == ("bulk", ("a", "b", "c"))
    assert (second.priority, second.tags) == ("urgent", ("a",))


def test_a_cell_may_hold_further_fields_for_the_provider() -> None:
    made = form(["phone", "text", "params"])
    row = {"phone": NUMBER, "text": "x", "params": "jp_line=1, note=a b"}
    assert made.request(row).params == {"jp_line": "1", "note": "a b"}
    with pytest.raises(InvalidJob, match="params: field 2 has no =: write name=value"):
        made.request({**row, "params": "a=1,b"})


def test_columns_may_hold_fields_of_their_own() -> None:
    made = form(["phone", "text", "meta.patient_id", "Meta.Ward 3", "room"], meta={"list": "may"})
    row = {"phone": NUMBER, "text": "x", "meta.patient_id": " 4711", "Meta.Ward 3": "", "room": "9"}
    assert made.request(row).meta == {"list": "may", "patient_id": "4711"}
    assert made.columns.unused(()) == ["room"]
    by_hand = Columns.of(["phone", "text", "room"], {"room": "meta.room"})
    job = Form(by_hand).request({"phone": NUMBER, "text": "x", "room": "9"})
    assert job.meta == {"room": "9"}


def test_a_file_of_json_lines_has_own_fields_in_both_ways() -> None:
    row = {"recipient": NUMBER, "say": "x", "meta": {"a": "1"}, "meta.b": "2"}
    assert form(None).request(row).meta == {"a": "1", "b": "2"}


def test_a_column_meta_is_as_an_export_writes_it() -> None:
    made = form(["phone", "text", "meta"])
    row = {"phone": NUMBER, "text": "x", "meta": '{"a":"1"}'}
    assert made.request(row).meta == {"a": "1"}
    with pytest.raises(InvalidJob, match="meta: a column `meta` holds a JSON object"):
        made.request({**row, "meta": "4711"})
    with pytest.raises(InvalidJob, match="meta: a column `meta` holds a JSON object"):
        made.request({**row, "meta": "[4711"})


def test_two_columns_of_one_own_field_are_refused() -> None:
    with pytest.raises(InvalidColumns, match=r"both meta\.a"):
        form(["phone", "text", "meta.a", "META. a"])


def test_a_cell_may_hold_a_conference() -> None:
    cell = f"{NUMBER}, +818011234568"
    made = form(["participants"]).request({"participants": cell})
    assert made.kind is Kind.CONFERENCE


def test_json_rows_are_strict_but_for_what_the_template_wants() -> None:
    made = form(None, say="Dear {name}, {recipient}")
    assert made.request({"recipient": NUMBER, "name": "Ann"}).say == f"Dear Ann, {NUMBER}"
    with pytest.raises(InvalidJob, match="expire: there is no such option"):
        made.request({"recipient": NUMBER, "name": "Ann", "expire": "2h"})


@pytest.mark.parametrize("value", [3, {"a": 1}, ["b", 1], None, True])
@pytest.mark.parametrize("field", sorted(JobRequest.model_fields))
def test_json_of_any_type_is_refused_in_words_or_taken(field: str, value: Any) -> None:
    made = form(None, tags=("x",))
    with suppress(InvalidJob):  # and nothing else
        assert made.request({"recipient": NUMBER, "say": "x", field: value})


# -- numbers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("8.18012E+11", "scientific"),
        ("8,18012e+11", "scientific"),
        ("8.1801123456E+11", "scientific"),
        ("818011234567.0", "--plus"),
        ("818011234567.5", "recipient"),
        ("818011234567", "--plus"),
        ("080-1123-4567", "--region"),
        ("08011234567", "--region"),
        ("'818011234567", "--plus"),
        ("#N/A", "wrote an error"),
        ("########", "too narrow"),
    ],
)
def test_what_a_spreadsheet_did_to_a_number_is_told(text: str, word: str) -> None:
    with pytest.raises(InvalidJob, match=word):
        form(["phone", "text"]).request({"phone": text, "text": "x"})


@pytest.mark.parametrize(
    "text",
    [
        f"'{NUMBER}",
        f"{NUMBER}.0",
        f"{NUMBER},00",
        "8.18011234567E+11",
        "8,18011234567e11",
        "818011234567.0",
        "'08011234567",
    ],
)
def test_what_a_spreadsheet_did_to_a_number_is_undone_where_no_digit_is_lost(text: str) -> None:
    made = form(["phone", "text"], numbers=Numbers(region="JP"))
    assert made.request({"phone": text, "text": "x"}).recipient == NUMBER


@pytest.mark.parametrize(
    "text", ["+81 80-1123-4567", "080-1123-4567", "\uff0b818011234567", "-", "."]
)
def test_a_number_that_is_written_otherwise_is_refused(text: str) -> None:
    with pytest.raises(InvalidJob, match="recipient"):
        form(["phone", "text"]).request({"phone": text, "text": "x"})


@pytest.mark.parametrize("text", ["08011234567", "080-1123-4567", "818011234567", NUMBER])
def test_with_a_region_numbers_are_read_as_dialled_there(text: str) -> None:
    made = form(["phone", "text"], numbers=Numbers(region="JP"))
    assert made.request({"phone": text, "text": "x"}).recipient == NUMBER


@pytest.mark.parametrize("text", ["14155552671", "8.18012E+11", "12", "abc"])
def test_with_a_region_no_other_country_is_guessed(text: str) -> None:
    with pytest.raises(InvalidJob, match="recipient"):
        form(["phone", "text"], numbers=Numbers(region="JP")).request({"phone": text, "text": "x"})


def test_a_row_may_have_a_region_of_its_own() -> None:
    given = {"phone": "08011234567", "text": "x", "land": "jp"}
    made = form(list(given), map_={"land": "region"}, numbers=Numbers(region="US"))
    assert made.request(given).recipient == NUMBER
    lines = form(None)
    row = {"recipient": "080-1123-4567", "say": "x"}
    assert lines.request({**row, "region": "JP"}).recipient == NUMBER
    assert (
        lines.request({**row, "region": "JP"}).key
        == lines.request({**row, "recipient": NUMBER}).key
    )
    with pytest.raises(InvalidJob, match="region: 'UK' is not a country code: write GB"):
        lines.request({**row, "region": "UK"})


@pytest.mark.parametrize(
    ("text", "region", "why"),
    [
        ("415-555-2671 x123", "US", "an extension cannot be dialled"),
        ("415-555-CELL", "US", "letters are never taken for digits"),
        ("07797 712345", "GB", "it is one of Jersey"),
        ("491701234567", "DE", "may be two numbers"),
    ],
)
def test_an_import_refuses_what_every_other_way_refuses(text: str, region: str, why: str) -> None:
    with pytest.raises(InvalidJob, match=why):
        form(["phone", "text"], numbers=Numbers(region)).request({"phone": text, "text": "x"})


def test_a_column_named_region_is_taken_only_if_somebody_says_so() -> None:
    made = form(["phone", "text", "Region"])
    assert made.columns.unused(()) == ["Region"]
    assert made.request({"phone": NUMBER, "text": "x", "Region": "Bavaria"}).recipient == NUMBER


def test_with_plus_only_the_plus_is_put_back() -> None:
    made = form(["phone", "text"], numbers=Numbers(plus=True))
    assert made.request({"phone": "818011234567", "text": "x"}).recipient == NUMBER
    assert made.request({"phone": "81 80-1123-4567", "text": "x"}).recipient == NUMBER
    for text in ("08011234567", "9011234567", "8.18012E+11"):
        with pytest.raises(InvalidJob, match="recipient"):
            made.request({"phone": text, "text": "x"})


# -- keys ----------------------------------------------------------------------------------


def keys(*rows: dict[str, str], **options: Any) -> set[str | None]:
    header = list(dict.fromkeys(name for row in rows for name in row))
    made = form(header, **options)
    return {made.request(row).key for row in rows}


def test_a_row_has_one_key_wherever_it_stands() -> None:
    row = {"phone": NUMBER, "text": "x"}
    assert keys(row) == keys(dict(reversed(row.items())), tags=("a",), priority="bulk")
    assert keys(row) == keys({**row, "notes": "not used"}) == keys({"tel": NUMBER, "msg": "x"})


def test_a_number_that_was_mended_keeps_the_key() -> None:
    assert keys({"phone": NUMBER, "text": "x"}) == keys(
        {"phone": "08011234567", "text": "x"}, numbers=Numbers(region="JP")
    )


def test_rows_that_differ_have_keys_that_differ() -> None:
    row = {"phone": NUMBER, "name": "Ann"}
    assert len(keys(row, {**row, "name": "Bob"}, say="Dear {name}")) == 2
    assert keys(row, say="Dear {name}") != keys(row, say="Dear {name}", name="april")


def test_a_rows_own_key_counts() -> None:
    assert keys({"phone": NUMBER, "text": "x", "key": "k1"}, name="april") == {"k1"}


# -- cells ---------------------------------------------------------------------------------


@given(st.text())
def test_a_shielded_cell_is_no_formula_and_comes_back(text: str) -> None:
    assert unshield(shield(text)) == text
    assert shield(text)[:1] not in tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


@pytest.mark.parametrize("start", "=+-@\t\r\n'\uff1d\uff0b\uff0d\uff20")
def test_what_starts_a_formula_is_shielded(start: str) -> None:
    assert shield(f"{start}1+1") == f"'{start}1+1"
    assert unshield(f"'{start}1+1") == f"{start}1+1"


@pytest.mark.parametrize("text", ["it's", "'quoted'", "", "plain", "1.5"])
def test_cells_that_nobody_shielded_stay(text: str) -> None:
    assert unshield(text) == text


def test_numbers_that_are_right_are_not_mangled() -> None:
    assert mangled(NUMBER) is None
