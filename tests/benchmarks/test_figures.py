"""What a measurement found is printed and kept as it was, with units and rounds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.checkout import HERE
from benchmarks.figures import Column, Table, percentile
from benchmarks.results import tell

COLUMNS = (Column("throughput", "jobs/s"), Column("processor", "µs", ".1f"), Column("what"))


def a_table() -> Table:
    table = Table("100 jobs", COLUMNS)
    table.add("bare", [500.0, 700.0, 510.0], 1200, None)
    table.add("ours", [1500.0, 1530.0, 1600.0], 400, "kept")
    return table


def test_a_table_shows_the_median_of_the_rounds_with_its_unit() -> None:
    table = a_table()
    table.notes.append(f"{table.ratio('ours', 'bare', 'throughput'):.1f} times")
    assert table.text() == (
        "100 jobs:\n\n"
        "|  | throughput | processor | what |\n"
        "| --- | --- | --- | --- |\n"
        "| bare | 510 jobs/s | 1200.0 µs |  |\n"
        "| ours | 1,530 jobs/s | 400.0 µs | kept |\n\n"
        "3.0 times"
    )


def test_the_file_keeps_every_round_the_unit_and_what_the_figures_depend_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tell("dialling", [a_table()], quick=True, folder=tmp_path / "results")
    kept = json.loads(file.read_text())
    assert file.name == "dialling.json"
    assert kept["tables"][0]["rows"]["bare"] == {
        "throughput": {"value": 510.0, "unit": "jobs/s", "rounds": [500.0, 700.0, 510.0]},
        "processor": {"value": 1200, "unit": "µs"},
    }
    assert kept["quick"] is True
    assert {"python", "celery", "redis", "server"} <= kept["versions"].keys()
    assert {"cores", "memory", "load"} <= kept["machine"].keys()
    assert a_table().text() in capsys.readouterr().out


def test_what_was_found_before_a_measurement_broke_off_is_kept(tmp_path: Path) -> None:
    def breaks_off() -> object:
        yield a_table()
        raise RuntimeError("the machine went away")

    with pytest.raises(RuntimeError):
        tell("dialling", breaks_off(), quick=False, folder=tmp_path)  # type: ignore[arg-type]
    assert len(json.loads((tmp_path / "dialling.json").read_text())["tables"]) == 1


def test_a_row_must_have_all_columns_and_a_name_of_its_own() -> None:
    table = a_table()
    with pytest.raises(AssertionError):
        table.add("half", 1.0)
    with pytest.raises(AssertionError):
        table.add("bare", 1.0, 1.0, "")


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 50), (0.99, 99), (1.0, 100)])
def test_a_percentile_is_one_of_the_values(share: float, expected: int) -> None:
    assert percentile([float(n) for n in range(100, 0, -1)], share) == expected


def test_code_runs_in_the_checkout_that_it_is_of() -> None:
    found = HERE.run("import dispatcher; print(dispatcher.__file__)").strip()
    assert Path(found) == HERE.root / "dispatcher/__init__.py"
