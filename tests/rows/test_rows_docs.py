"""The documentation's example does what the documentation says."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.model.invalid_job import InvalidJob
from dispatcher.rows.form import Numbers
from dispatcher.rows.records import Records
from dispatcher.rows.text import Lines
from support.rows_files import form

DOCS = Path(__file__).resolve().parents[2] / "docs"
SAY = "Dear {name}, we expect you on {due}."


def test_the_example_makes_three_jobs_and_refuses_a_mangled_number() -> None:
    page = (DOCS / "how-to/import-export.md").read_text()
    assert f'import docs/examples/customers.csv --say "{SAY}" --region JP' in page
    with (DOCS / "examples" / "customers.csv").open("rb", buffering=0) as file:
        found = Records(Lines(file))
        made = form(found.columns, say=SAY, numbers=Numbers(region="JP"))
        *rows, mangled = found
        requests = [made.request(row.values) for row in rows]
        with pytest.raises(InvalidJob, match="scientific"):
            made.request(mangled.values)
    assert [request.recipient for request in requests] == [
        "+818012340001",
        "+14155550101",
        "+818012340002",
    ]
    assert requests[0].tags == ("visit", "tokyo")
    assert f"customers.csv:{mangled.line}:" in page
