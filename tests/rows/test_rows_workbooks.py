"""Workbooks: what people see in their cells is what is read, and what is not certain is told."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.model.invalid_job import InvalidJob
from dispatcher.rows.cell_formats import CellFormat, cell_format, shown
from dispatcher.rows.columns import Columns
from dispatcher.rows.places import told
from dispatcher.rows.records import Record
from dispatcher.rows.sheet_records import SheetRecords
from dispatcher.rows.text import UnusableInput
from support.rows_files import NUMBER
from support.workbooks import archive, row, sheet, workbook

HEAD = row("phone", "text")
NAMES = [
    "_rels/.rels",
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "xl/styles.xml",
    "xl/sharedStrings.xml",
    "xl/worksheets/sheet1.xml",
]


def read(data: bytes, name: str | None = None) -> list[Record]:
    return list(SheetRecords(io.BytesIO(data), name))


def one(*cells: str, **options: object) -> Record:
    """Return the only row of a workbook that has these cells."""
    head = row(*(chr(ord("a") + n) for n in range(len(cells))))
    (found,) = read(workbook(sheet(head, row(*cells)), **options))  # type: ignore[arg-type]
    return found


def number(value: str, style: int = 0) -> str:
    return f'<c s="{style}"><v>{value}</v></c>'


# -- cells ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "code", "seen"),
    [
        ("46357.375", "dd/mm/yyyy\\ hh:mm", "2026-12-01 09:00"),
        (
            "46357.375",
            "[$-411]ggge&quot;年&quot;m&quot;月&quot;d&quot;日&quot;",
            "2026-12-01 09:00",
        ),
        ("46357", "d. mmm yy", "2026-12-01"),
        ("46357.375", "h:mm AM/PM", "2026-12-01 09:00"),
        ("0.375", "h:mm", "09:00"),
        ("0.0104282407407407", "[mm]:ss", "00:15:01"),
        ("818012340001", "General", "818012340001"),
        ("8.18012340001E11", "General", "818012340001"),
        ("8012340001", "00000000000", "08012340001"),
        ("8012340001", "000\\-0000\\-0000", "08012340001"),
        ("818012340001", "&quot;+&quot;0", "+818012340001"),
        ("818012340001", "[&lt;=9999999]###-####;(###) ###-####", "818012340001"),
        ("1234.5", "#,##0.00", "1234.5"),
        ("0.30000000000000004", "General", "0.3"),
        ("-5", "0", "-5"),
        ("1234", "[Red]0.00E+00", "1234"),
    ],
)
def test_a_number_is_read_as_its_cell_shows_it(value: str, code: str, seen: str) -> None:
    assert one(number(value, 1), formats=[code]).values["a"] == seen


def test_dates_count_from_1904_where_the_workbook_says_so() -> None:
    later = one(
        number("44895.375", 1),
        formats=["yyyy-mm-dd hh:mm"],
        properties='<workbookPr date1904="1"/>',
    )
    assert later.values["a"] == "2026-12-01 09:00"


def test_formats_that_a_program_has_built_in_are_dates_too() -> None:
    dates = {
        14: (True, False),
        22: (True, True),
        20: (False, True),
        31: (True, False),
        0: (False, False),
    }
    assert {each: (cell_format(each).date, cell_format(each).time) for each in dates} == dates


@pytest.mark.parametrize("value", ["1E+999999999", "NaN", "x", "1e400"])
@pytest.mark.parametrize("format_", [CellFormat(), CellFormat(date=True)])
def test_a_number_that_nobody_can_write_is_refused(value: str, format_: CellFormat) -> None:
    with pytest.raises(ValueError, match="number"):
        shown(value, format_, later=False)


def test_texts_are_read_whole_and_without_their_furigana() -> None:
    kana = "<t>田中</t><rPh sb='0' eb='2'><t>タナカ</t></rPh>"
    rich = "<r><t>Hel</t></r><r><rPr><b/></rPr><t xml:space='preserve'>lo </t></r>"
    found = one('<c t="s"><v>0</v></c>', '<c t="s"><v>1</v></c>', "a_x000A_b", texts=[kana, rich])
    assert list(found.values.values()) == ["田中", "Hello ", "a\nb"]
    assert one(f"<c t='inlineStr'><is>{kana}</is></c>").values["a"] == "田中"


@pytest.mark.parametrize(
    ("cell", "seen"),
    [
        ("<c t='str'><f>A1</f><v>done</v></c>", "done"),
        ("<c t='str'><f>A1</f><v></v></c>", ""),
        ("<c><f>1+1</f><v>2</v></c>", "2"),
        ("<c t='b'><v>1</v></c>", "TRUE"),
        ("<c t='d'><v>2026-12-01T09:00:00</v></c>", "2026-12-01 09:00:00"),
    ],
)
def test_formulas_have_their_results(cell: str, seen: str) -> None:
    found = one("x", cell)
    assert (found.values["b"], found.spoilt) == (seen, {})


@pytest.mark.parametrize(
    ("cell", "word"),
    [
        ("<c><f>1+1</f></c>", "a formula without a result"),
        ("<c><f>1+1</f><v/></c>", "a formula without a result"),
        ("<c t='e'><f>1/0</f><v>#DIV/0!</v></c>", "shows the error #DIV/0!"),
        ("<c s='1'><v>60</v></c>", "no date that the workbook can have"),
        ("<c t='s'><v>7</v></c>", "list index"),
    ],
)
def test_a_cell_that_cannot_be_read_is_told_by_its_column(cell: str, word: str) -> None:
    assert word in one("x", cell, formats=["yyyy-mm-dd"]).spoilt["b"]


# -- rows and sheets -----------------------------------------------------------------------


def test_rows_have_the_numbers_that_people_see_and_empty_ones_are_none() -> None:
    styled = "".join(row('<c s="0"/>', attributes=f'r="{n}"') for n in range(9, 5000))
    found = read(
        workbook(
            sheet(
                row("phone", "text", attributes='r="3"'),
                row("1", "a", attributes='r="5"'),
                row("", "", attributes='r="6"'),
                row('<c r="B8" t="inlineStr"><is><t>b</t></is></c>', attributes='r="8"'),
                styled,
            )
        )
    )
    assert [(each.line, each.row, each.values) for each in found] == [
        (5, 5, {"phone": "1", "text": "a"}),
        (8, 8, {"phone": "", "text": "b"}),
    ]


def test_what_stands_under_no_name_is_not_read() -> None:
    assert read(workbook(sheet(HEAD, row("1", "a", "a remark"))))[0].values == {
        "phone": "1",
        "text": "a",
    }


def test_a_hidden_row_is_refused_and_stops_no_other() -> None:
    found = read(workbook(sheet(HEAD, row("1", "a", attributes='hidden="1"'), row("2", "b"))))
    assert [bool(each.fault) for each in found] == [True, False]
    assert "perhaps by a filter" in str(found[0].fault)


def test_cells_under_a_merged_one_are_told_with_its_place() -> None:
    merged = '<mergeCells><mergeCell ref="B2:B3"/><mergeCell ref="A5:B5"/></mergeCells>'
    rows = [row(str(n), "x" if n != 2 else "") for n in range(1, 5)]
    found = read(workbook(sheet(HEAD, *rows, after=merged)))
    assert [each.spoilt for each in found] == [
        {},
        {"text": "its cell is merged with B2: split the cells, and fill each"},
        {},
        {"text": "its cell is merged with A5: split the cells, and fill each"},
    ]


def test_the_one_sheet_that_people_see_with_rows_is_read() -> None:
    first, second, third = sheet(HEAD, row("1", "a")), sheet(HEAD, row("2", "b")), sheet()
    book = workbook(first, second, third, hidden=["Sheet2"])
    assert read(book)[0].values["phone"] == "1"
    assert read(book, "Sheet2")[0].values["phone"] == "2"
    with pytest.raises(UnusableInput, match="several sheets: choose one with --sheet, of 'Sheet1'"):
        read(workbook(first, second))
    with pytest.raises(UnusableInput, match="no sheet 'x': there are 'Sheet1'"):
        read(workbook(first), "x")
    with pytest.raises(UnusableInput, match="the sheet is empty"):
        read(workbook(third))


def test_the_place_of_a_refused_row_is_the_one_that_people_see() -> None:
    (found,) = read(workbook(sheet(row("Name", "Handy"), row("Ann", "x"))))
    columns = Columns.of(["Name", "Handy"], {})
    why = told(found, InvalidJob([("recipient", "no"), ("{name}", "no")]), columns)
    assert why == "recipient: no (column 'Handy', cell B2); {name}: no (cell A2)"


# -- hostile ones --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"PK\x03\x04", "broken or not whole"),
        (archive({"a.csv": "phone,text"}), "a ZIP archive: unpack it"),
        (archive({"[Content_Types].xml": "", "word/document.xml": ""}), "word processor"),
        (archive({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}), ".ods"),
        (archive({"Index/Document.iwa": "", "preview.jpg": ""}), "Numbers document"),
        (workbook(sheet(HEAD))[:-30], "broken or not whole"),
        (workbook("<worksheet><sheetData><row>"), "cannot be read"),
        (workbook(f'<!DOCTYPE x [<!ENTITY a "b">]>{sheet(HEAD)}'), "declares entities"),
    ],
)
def test_what_is_no_workbook_is_refused_in_a_sentence(data: bytes, word: str) -> None:
    with pytest.raises(UnusableInput, match=word):
        read(data)


def test_a_sheet_that_is_made_to_fill_the_memory_is_given_up() -> None:
    endless = f'<worksheet><sheetData><row a="{"x" * (1 << 23)}"/></sheetData></worksheet>'
    long = sheet(HEAD, row(NUMBER, "x" * (1 << 21)))
    books = [workbook(endless), workbook(long)]
    for book, word in zip(books, ("larger than a sheet can be", "more than"), strict=True):
        tracemalloc.start()
        with pytest.raises(UnusableInput, match=word):
            read(book)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 1 << 26


WHOLE = workbook(
    sheet(
        row("phone", "at"),
        row(NUMBER, number("46357.375", 1)),
        row('<c t="s"><v>0</v></c>', "<c t='e'><v>#N/A</v></c>"),
        after='<mergeCells><mergeCell ref="A2:B2"/></mergeCells>',
    ),
    formats=["yyyy-mm-dd"],
    texts=["<t>a</t>"],
)
PARTS = {name: zipfile.ZipFile(io.BytesIO(WHOLE)).read(name) for name in NAMES}
EDITS = st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=4)), min_size=1, max_size=3)


def edited(data: bytes, edits: list[tuple[int, bytes]]) -> bytes:
    for place, new in edits:
        at = place % len(data)
        data = data[:at] + new + data[at + len(new) + (not new) :]
    return data


@given(EDITS)
def test_whatever_is_wrong_with_an_archive_is_a_sentence(edits: list[tuple[int, bytes]]) -> None:
    with suppress(UnusableInput):
        read(edited(WHOLE, edits))


@given(st.sampled_from(NAMES), EDITS)
def test_whatever_is_wrong_with_a_part_is_a_sentence(
    name: str, edits: list[tuple[int, bytes]]
) -> None:
    with suppress(UnusableInput):
        read(archive({**PARTS, name: edited(PARTS[name], edits)}))
