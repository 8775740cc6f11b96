"""docs/how-to/files.md: each file is imported as the page says, and each cell is read so."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dispatcher.model.filters import Filter
from dispatcher.model.invalid_job import InvalidJob
from dispatcher.rows.dates import Dates
from dispatcher.rows.form import Numbers
from dispatcher.store import Store
from support.cli_shell import Shell
from support.people_files import FILES, N, write
from support.rows_files import form

PAGE = (Path(__file__).parents[2] / "docs/how-to/files.md").read_text()


def rows(title: str, columns: int) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the table below a title."""
    part = PAGE.split(f"## {title}\n", 1)[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| `")]
    for line in lines:
        cells = tuple(each.strip() for each in line.removesuffix("|").split("|")[1:])
        assert len(cells) == columns, line
        yield cells


def bare(cell: str) -> str:
    return cell.strip("`")


TABLE = [(bare(name), alone, bare(options)) for name, _, alone, options in rows("Files", 4)]


def test_the_page_has_each_file_once() -> None:
    assert [name for name, _, _ in TABLE] == list(dict.fromkeys(name for name, _, _ in TABLE))
    assert {name for name, _, _ in TABLE} == set(FILES)


def called(store: Store) -> list[str]:
    return sorted({number for job in store.search.find(Filter()) for number in job.numbers})


def read_whole(shell: Shell, store: Store, name: str, options: list[str]) -> None:
    """Require that each row is a job, for the people in their order."""
    ran = shell("import", name, "--json", *options)
    assert (ran.code, ran.json["refused"]) == (0, 0), ran.err
    assert ran.json["created"] == ran.json["rows"] > 0
    assert called(store) == [f"{N}{n:02}" for n in range(1, ran.json["rows"] + 1)]


@pytest.mark.parametrize(("name", "alone", "options"), TABLE, ids=[name for name, *_ in TABLE])
def test_a_file_is_read_or_refused_as_the_page_says(
    shell: Shell, store: Store, name: str, alone: str, options: str
) -> None:
    write(name, shell.folder)
    if alone == "read":
        read_whole(shell, store, name, [])
        return
    kind, _, why = alone.partition(": ")
    ran = shell("import", name)
    if kind == "refused":
        assert ran.code == 2 or "nothing was imported" in ran.err
        assert called(store) == []
        assert bare(why) in ran.err
    else:
        assert (kind, ran.code) == ("rows refused", 1)
        assert f"{name}:" in ran.err
        assert bare(why) in ran.err
    if options:
        read_whole(shell, store, name, ["--id", "again", *shlex.split(options)])


def judge(cell: str, done: str, numbers: Numbers) -> None:
    made = form(["phone", "text"], numbers=numbers)
    if done == "called":
        assert made.request({"phone": cell, "text": "x"}).recipient == f"{N}01"
        return
    with pytest.raises(InvalidJob) as caught:
        made.request({"phone": cell, "text": "x"})
    assert bare(done.removeprefix("refused: ")) in str(caught.value)


@pytest.mark.parametrize(("cell", "alone", "plus", "region"), list(rows("Numbers", 4)))
def test_a_number_is_read_as_the_page_says(cell: str, alone: str, plus: str, region: str) -> None:
    judge(bare(cell), alone, Numbers())
    judge(bare(cell), plus, Numbers(plus=True))
    judge(bare(cell), region, Numbers(region="JP"))


@pytest.mark.parametrize(("cell", "done"), list(rows("Dates", 2)))
def test_a_date_is_read_as_the_page_says(cell: str, done: str) -> None:
    dates = Dates(ZoneInfo("Europe/Berlin"))
    if not done.startswith("refused: "):
        assert dates.moment(bare(cell)) == done
        return
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the page has the words
        dates.moment(bare(cell))
    assert bare(done.removeprefix("refused: ")) in str(caught.value)


def test_what_a_workbook_says_is_what_is_said(shell: Shell, store: Store) -> None:
    write("excel.xlsx", shell.folder)
    ran = shell("import", "excel.xlsx", "--map", "送信日時=at", "--zone", "Asia/Tokyo")
    assert ran.code == 0
    assert "read: '電話番号' as recipient, '本文' as say, '送信日時' as at (Asia/Tokyo)" in ran.err
    assert sorted(job.say or "" for job in store.search.find(Filter())) == ["Dear Bob", "田中様"]


def test_the_place_of_a_refused_row_is_the_one_that_its_program_shows(
    shell: Shell, store: Store
) -> None:
    (shell.folder / "a.csv").write_text(f'Handy;Text\n{N}01;"a\nb"\n12;c\n', encoding="utf-8")
    ran = shell("import", "a.csv")
    assert "a.csv:4: row 3: recipient: " in ran.err
    assert "(column 'Handy')" in ran.err


def test_refused_rows_of_a_workbook_are_mended_in_a_csv_and_nothing_doubles(
    shell: Shell, store: Store
) -> None:
    write("excel-errors.xlsx", shell.folder)
    shell("import", "excel-errors.xlsx")
    mended = shell.folder / "excel-errors.refused.csv"
    mended.write_text(mended.read_text("utf-8-sig").replace("#REF!", "Hello Bob"))
    for name, created in ((mended.name, 1), ("excel-errors.xlsx", 0)):
        assert shell("import", name, "--json").json["created"] == created
    assert called(store) == [f"{N}01", f"{N}02"]
