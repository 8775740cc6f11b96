"""What docs/how-to/alerts.md says of texts is so."""

from __future__ import annotations

import re
from pathlib import Path

from dispatcher.alerts.chains_file import parse
from dispatcher.alerts.phrases import PHRASES, Phrases
from dispatcher.alerts.readable import readable
from dispatcher.alerts.spoken import HowTo, spoken
from dispatcher.model.alert_texts import Texts
from support.alerts import alert

DOCS = (Path(__file__).resolve().parents[2] / "docs/how-to/alerts.md").read_text()


def test_the_table_says_what_is_said() -> None:
    table = DOCS.partition("| in the alert |")[2].partition("| addresses of pages")[0]
    rows = re.findall(r"^\| (`.*`) \| (.*) \|$", table, re.MULTILINE)
    assert len(rows) == 5
    for written, said in rows:
        examples = re.findall(r"`(.*?)`", written)
        expected = said.split("; " if ";" in said else ", ") if len(examples) > 1 else [said]
        assert [readable(each, "en", 15) for each in examples] == expected


def test_the_example_of_a_call_is_one() -> None:
    example = re.search(r"^> (Critical alert: .*?call …)$", DOCS, re.MULTILINE)
    assert example
    said = spoken(alert(), lang="en", how_to=HowTo("+81312345678"), to="+818012340001")
    assert said.startswith(example[1].removesuffix("…"))


def test_the_texts_of_ones_own_can_be_read() -> None:
    (written,) = re.findall(r"```yaml\n(texts:.*?)```", DOCS, re.DOTALL)
    chains = DOCS.partition("```yaml\n")[2].partition("```")[0]
    found = parse(f"{chains}{written}".encode(), "chains.yaml").texts
    assert set(found) == {"en", "pl"}
    said = spoken(alert(labels={"team": "web"}), lang="en", templates=found)
    assert said.startswith("Emergency at ACME: Disk full on db1, team web. ")


def test_every_text_and_every_language_is_named() -> None:
    table = DOCS.partition("| text | said |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", table)) >= set(Texts.model_fields)
    assert set(Texts.model_fields) == set(Phrases._fields) - {"end"}
    line = re.search(r"^Languages: (.*?), by the", DOCS, re.MULTILINE)
    assert line
    assert set(re.findall(r"`(\w\w)`", line[1])) == set(PHRASES)
