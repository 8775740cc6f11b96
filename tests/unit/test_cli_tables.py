"""The tables of the command line, as they are laid out."""

from __future__ import annotations

from rich.cells import cell_len

from dispatcher.cli.tables import Column, Table

WIDE = "\u6771\u4eac"


def table() -> Table:
    made = Table("id", Column("many", right=True), Column("note", least=8, rank=1))
    made.add("a", "1", "short")
    made.add("bb", "1,000", "a longer note of some words")
    return made


def test_without_a_terminal_each_row_is_a_line_and_nothing_is_broken() -> None:
    assert table().rendered(None) == [
        "id   many  note",
        "a       1  short",
        "bb  1,000  a longer note of some words",
    ]


def test_what_may_be_broken_is_broken_between_words_where_it_does_not_fit() -> None:
    assert table().rendered(24) == [
        "id   many  note",
        "a       1  short",
        "bb  1,000  a longer note",
        "           of some words",
    ]


def test_what_has_no_room_at_all_is_left_out_and_named() -> None:
    assert table().rendered(15) == ["id   many", "a       1", "bb  1,000"]
    assert table().left_out(15) == ["note"]
    assert table().left_out(24) == []


def test_the_columns_of_the_highest_rank_go_first() -> None:
    made = Table("id", Column("one", rank=1), Column("two", rank=2), Column("three", rank=3))
    made.add("a", "x" * 10, "y" * 10, "z" * 10)
    assert made.left_out(30) == ["three"]
    assert made.left_out(20) == ["two", "three"]
    assert made.left_out(5) == ["one", "two", "three"]


def test_a_column_that_says_nothing_takes_no_room_on_a_terminal() -> None:
    made = Table("id", Column("tags", rank=1), "next")
    made.add("a", "", "b")
    assert made.rendered(80) == ["id  next", "a   b"]
    assert made.left_out(80) == []
    assert made.rendered(None) == ["id  tags  next", "a         b"]


def test_wide_letters_take_two_columns() -> None:
    made = Table("name", "next")
    made.add(WIDE, "x")
    made.add("abcd", "y")
    _, first, second = made.rendered(None)
    assert cell_len(first) == cell_len(second)


def test_a_line_break_and_what_moves_a_terminal_make_no_second_row() -> None:
    made = Table("note")
    made.add("one\ntwo \x1b[2J \u202e")
    assert made.rendered(None) == ["note", r"one two \x1b[2J \u202e"]


def test_ten_thousand_rows_take_no_time_to_speak_of() -> None:
    made = Table("id", Column("note", least=8))
    for number in range(10_000):
        made.add(f"{number:08d}", "a note")
    assert len(made.rendered(80)) == 10_001
