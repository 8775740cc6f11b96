"""Files as they come: delimiters, marks, line ends, and everything hostile."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rows.records import Records
from dispatcher.rows.text import LONGEST, Lines, UnusableInput
from support.rows_files import Endless, lines, read, records


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(delimiter: str) -> None:
    text = delimiter.join(["phone", "text, with; all|\tof them".replace(delimiter, " ")]) + "\n"
    text = f"phone{delimiter}text{delimiter}tags\n1{delimiter}2{delimiter}3\n"
    assert read(text)[0].values == {"phone": "1", "text": "2", "tags": "3"}


def test_excels_own_line_names_the_delimiter() -> None:
    assert read("sep=;\nphone;text\n1;a,b,c,d\n")[0].values == {"phone": "1", "text": "a,b,c,d"}


def test_a_delimiter_that_is_told_counts() -> None:
    assert records("a,b#c\n", delimiter="#").columns == ["a,b", "c"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_line_ends_are_read(end: str) -> None:
    found = read(f"phone,text{end}1,a{end}{end}2,b{end}3,c")
    assert [(each.line, each.values["phone"]) for each in found] == [(2, "1"), (4, "2"), (5, "3")]


def test_mixed_line_ends_and_line_breaks_in_quotes_keep_the_count() -> None:
    found = read('phone,text\r\n1,"a\nb\r\nc"\r2,d\n3,e\n')
    assert lines(found) == [2, 5, 6]
    assert found[0].values["text"] == "a\nb\r\nc"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides(encoding: str) -> None:
    assert read("電話番号,本文\n1,こんにちは\n".encode(encoding))[0].values["本文"] == "こんにちは"


def test_an_encoding_that_is_told_counts() -> None:
    data = "phone,text\n1,表示\n".encode("cp932")
    assert read(data, encoding="cp932")[0].values["text"] == "表示"


@pytest.mark.parametrize(
    ("data", "line", "word"),
    [
        (b"phone,text\n1,a\n2,b\xffc\n", 3, "byte 4 of the line, 0xff, is not UTF-8"),
        ("phone,text\n1,あ表\n".encode("cp932"), 2, "cp932"),
        (b"phone,text\n1,a\xe3\x81", 2, "byte 4"),
        (b"phone,text\n1,\0a\n", 2, "NUL"),
        ("phone,text\n1,a\n".encode("utf-16-le"), 1, "utf-16"),
        ("\ufeffphone\n".encode("utf-16")[:-1], 1, "UTF-16"),
        (b"PK\x03\x04rest", 0, "save the sheet as CSV"),
        (b"%PDF-1.7\n", 0, "a PDF: export the list as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0, "an old format .*without a password"),
        (b"\x89PNG\r\n", 0, "a picture"),
        (b"{\\rtf1\\ansi", 0, "word processor"),
        (b"BEGIN:VCARD\r\nVERSION:3.0\r\n", 0, "export the contacts as CSV"),
        (b'\xef\xbb\xbf\r\n<html xmlns:x="urn:x">', 0, "a web page .HTML., whatever its name"),
        (b'<?xml version="1.0"?><Workbook>', 0, "XML: open it and save"),
        (b"MIME-Version: 1.0\r\n", 0, "a web page"),
        (b"ID;PWXL;N;E\r\n", 0, "SYLK"),
        (b"phone;name\n1;M\xfcller\n", 2, "--encoding cp1252, as Excel on Windows .*'Müller'"),
        (b"phone;name\r1;M\x9fller\r", 2, "--encoding mac_roman, as Excel on a Mac .*'Müller'"),
        ("phone,name\n1,山田\n".encode("cp932"), 2, "--encoding cp932, as Excel in Japan .*'山田'"),
        ("phone,text\n1,a\n".encode("utf-16-be"), 1, "utf-16-be"),
        (b"\x1f\x8brest", 0, "gunzip"),
        (b"", 0, "empty"),
        (b"\n \n\n", 0, "empty"),
        (b'phone,text\n1,a\n2,"b\n3,c\n4,d\n', 3, "is never closed"),
        (b'phone,text\n1,"' + b"x" * 140_000 + b'"\n', 2, "is never closed"),
        (b'[{"recipient": "1"}]', 1, "jq"),
    ],
)
def test_what_is_no_table_is_refused_with_the_line(data: bytes, line: int, word: str) -> None:
    with pytest.raises(UnusableInput, match=word) as caught:
        read(data)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("start", "character"),
    [
        (b"", b"x"),
        (b"phone,text\n", b"x"),
        (b"phone,text\n", b","),
        (b'phone,text\n1,"', b"x"),
        (b'phone,text\n1,"', b"\n,"),
        (b'phone,text\n1,"', b'\n","'),
        (b'{"say": "', b"x"),
    ],
)
def test_a_file_without_end_is_given_up_in_bounded_memory(start: bytes, character: bytes) -> None:
    stream = Endless(start, character)
    tracemalloc.start()
    with pytest.raises(UnusableInput):
        list(Records(Lines(stream)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert stream.taken < 4 * LONGEST
    assert peak < 32 * LONGEST


def test_empty_cells_at_the_end_of_a_row_may_be_missing_or_too_many() -> None:
    found = read("a,b,c\n1\n1,2\n1,2,3,,\n\n1,2,3\n")
    assert [(each.values["c"], each.short, each.row) for each in found] == [
        ("", 1, 2),
        ("", 2, 3),
        ("3", 0, 4),
        ("3", 0, 6),
    ]


def test_rows_with_more_cells_are_refused_and_stop_no_other() -> None:
    found = read("a,b,c\n1,2,3\n1,2,3,4\n,,\n1,2,,4\n")
    assert [(each.fault or "").partition(":")[0] for each in found] == [
        "",
        "4 cells under 3 columns",
        "4 cells under 3 columns",
    ]


def test_a_file_that_ends_in_a_row_that_is_too_short_is_cut_off() -> None:
    whole, cut = read("a,b,c\n1,2\n3,4")
    assert whole.fault is None
    assert "is it cut off?" in str(cut.fault)


def test_rows_are_counted_as_a_spreadsheet_shows_them() -> None:
    found = read('sep=;\na;b\n1;"x\ny"\n\n2;z\n3;"q" r\n4;t\n')
    assert [(each.line, each.row) for each in found] == [(3, 2), (6, 4), (7, 0), (8, 0)]


def test_a_text_that_a_program_marked_as_one_says_its_digits() -> None:
    found = read('="phone",text\n="0901",x\n"=""0902""",x\n=A1,x\n"=""a""""b""",x\n')
    assert [each.values["phone"] for each in found] == ["0901", "0902", "=A1", 'a"b']


def test_a_row_that_is_quoted_wrongly_is_refused_whole() -> None:
    found = read('phone,text\n1,"say "hi" now"\n2,b\n3,"c\n4,"d"\n5,g\n')
    assert lines(found) == [2, 3, 4, 6]
    assert "no comma follows" in str(found[0].fault)
    assert found[0].cells == ['1,"say "hi" now"']
    assert str(found[2].fault).startswith("lines 4 to 5: ")
    assert found[2].cells == ['3,"c\n4,"d"']


def test_a_header_alone_is_no_row() -> None:
    assert read("phone,text\n") == []


def test_json_lines_are_told_by_their_first_character() -> None:
    found = read('\n\n{"recipient": "1"}\n\n{"recipient": "2"}')
    assert [(each.line, each.values) for each in found] == [
        (3, {"recipient": "1"}),
        (5, {"recipient": "2"}),
    ]


@pytest.mark.parametrize(
    "text", ["nonsense", "[1]", "3", '{"a": NaN}', '{"a": 1', "[" * 100_000, '{"a":1}{"b":2}']
)
def test_json_that_is_no_object_is_refused_and_stops_no_other(text: str) -> None:
    first, second = read(f'{text}\n{{"recipient": "2"}}\n', format_="jsonl")
    assert (bool(first.fault), first.line) == (True, 1)
    assert second.values == {"recipient": "2"}


@given(st.binary(max_size=300), st.sampled_from(["csv", "jsonl", None]))
def test_whatever_bytes_come_rows_are_read_or_the_line_is_named(
    data: bytes, format_: str | None
) -> None:
    last = data.count(b"\n") + data.count(b"\r") + 1
    found = rows_or_line(data, format_)
    assert found == sorted(set(found))
    assert all(line <= last for line in found)


def rows_or_line(data: bytes, format_: str | None) -> list[int]:
    """Return the lines in which rows begin, or the one that cannot be read."""
    try:
        return lines(read(data, format_=format_))
    except UnusableInput as error:
        return [error.line]
