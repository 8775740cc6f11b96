"""A campaign from a spreadsheet's file: its report against the books of the provider's side."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import requests

from benchmarks.figures import Column, Table
from benchmarks.stand import Bench, bench
from dispatcher.model.filters import Filter
from dispatcher.model.states import LIVE

COMMAND = "from dispatcher.cli import main; main()"
NAME = "spring"
SAY = "{Anrede} {Name}, {Satz} {Termin|date}."
RING = 3
WITHIN = 1500
SETTINGS = {
    "rate_limit": "200",
    "max_connections": "32",
    "check_first": "20s",
    "check_longest": "30s",
    "evidence_window": "1m",
    "recipient_per_day": "none",
    "recipient_one_at_a_time": "false",
}
OFTEN = {3: "0002", 5: "0005", 11: "0003", 13: "0013"}
"""What each so-many-th of twenty rows is to the sandbox: not answered, answered when called again,
failed, and a word that its documentation does not have."""
SELDOM = {9: "0009", 19: "0012", 29: "0014", 39: "0015", 49: "0011"}
"""The same of two hundred: a cut answer, a country that is not allowed, a word that is not
documented until it ends, a dear call, and a page instead of an answer."""
SPEAKS = {
    "de": ("Guten Tag", "wir erwarten Sie am", "Sonntag, 3. Mai 2026"),
    "ja": ("こんにちは", "ご予約日は", "2026年5月3日日曜日"),
}


@dataclass(frozen=True)
class Row:
    """A row of the file, and what is known of the person."""

    n: int

    @property
    def number(self) -> str:
        often, seldom = OFTEN.get(self.n % 20), SELDOM.get(self.n % 200)
        if end := seldom or often:
            return f"080{2400 + self.n // 20:04d}{end}"
        return f"080{2300 + self.n // 9000:04d}{1000 + self.n % 9000:04d}"

    @property
    def dialled(self) -> str:
        return f"+81{self.number[1:]}"

    @property
    def lang(self) -> str:
        return "ja" if self.n % 3 == 0 else "de"

    @property
    def code(self) -> str:
        return f"{self.n * 7919 % 1_000_000:06d}" if self.n % 10 == 1 else ""

    @property
    def listed(self) -> str:
        """Where the number is on the do-not-call list: for all, for this campaign, for others."""
        names = {7: "all", 17: f"campaign:{NAME}", 27: "campaign:another"}
        return names.get(self.n % 100, "")

    def cells(self) -> tuple[str, ...]:
        greeting, sentence, _ = SPEAKS[self.lang]
        number = f"{self.number[:3]}-{self.number[3:7]}-{self.number[7:]}"
        return (f"P {self.n}", number, self.lang, greeting, sentence, "3.5.2026", self.code)

    def text(self) -> str:
        """Return what is said, apart from a code, by the words of each language."""
        greeting, sentence, day = SPEAKS[self.lang]
        return f"{greeting} P {self.n}, {sentence} {day}."


def run(*, quick: bool) -> Iterator[Table]:
    """Lay the campaign's report beside the sandbox's books."""
    size = 2_000 if quick else 20_000
    rows = [Row(n) for n in range(size)]
    sandbox = (f"--ring={RING}", "--rate=250")
    with tempfile.TemporaryDirectory() as name, bench(SETTINGS, sandbox=sandbox) as stand:
        folder = Path(name)
        _opt_out(stand, folder, [row for row in rows if row.listed])
        _write(folder / "visits.csv", rows)
        began = time.monotonic()
        imported = _import(stand, folder)
        took = time.monotonic() - began
        late = _opt_out_late(stand, folder, rows)
        _check(stand.until(lambda: _over(stand), WITHIN), "every job ended")
        whole = time.monotonic() - began
        table = _compare(stand, rows, imported, late)
    table.notes.append(f"Imported in {took:.1f} s, all ended {whole:.0f} s after its beginning.")
    yield table


def _opt_out(stand: Bench, folder: Path, rows: list[Row]) -> None:
    """Put people on the list before the import, by number and by tag."""
    lines = (f"{row.number},{row.listed if row.listed != 'all' else ''}\n" for row in rows)
    (folder / "optouts.csv").write_text("number,tag\n" + "".join(lines))
    _cli(stand, folder, "dnc", "import", "optouts.csv", "--region", "JP")


def _opt_out_late(stand: Bench, folder: Path, rows: list[Row]) -> list[Row]:
    """Put people on the list who wait, while others are called."""
    placed = len(rows) / 5
    _check(stand.until(lambda: _placed(stand) > placed, 600), "calls are placed")
    late = [row for row in rows if not row.listed and row.n % 100 == 2][-len(rows) // 400 :]
    (folder / "late.csv").write_text("number\n" + "".join(f"{row.number}\n" for row in late))
    _cli(stand, folder, "dnc", "import", "late.csv", "--region", "JP")
    return late


def _write(path: Path, rows: list[Row]) -> None:
    """Write the file as Excel does in German, *CSV UTF-8*."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        file.write("Name;Telefon;Sprache;Anrede;Satz;Termin;PIN\r\n")
        for row in rows:
            file.write(";".join(row.cells()).rstrip(";") + "\r\n")


def _import(stand: Bench, folder: Path) -> Mapping[str, Any]:
    fields = ("Telefon=recipient", "Sprache=lang", "PIN=code")
    values = (f"tags=campaign:{NAME}", "redial=1", "redial_after=5s", "expires=2h")
    maps = [part for each in fields for part in ("--map", each)]
    sets = [part for each in values for part in ("--set", each)]
    given = ("--say", SAY, "--region", "JP", "--yes", "--json")
    said = _cli(stand, folder, "import", "visits.csv", *maps, *sets, *given, status=1)
    found: dict[str, Any] = json.loads(said)
    return found


def _compare(stand: Bench, rows: list[Row], imported: Mapping[str, Any], late: list[Row]) -> Table:
    """Return both sides of each figure; fail where they differ."""
    with tempfile.TemporaryDirectory() as folder:
        said = json.loads(_cli(stand, Path(folder), "campaign", "show", NAME, "--json"))
    calls = requests.get(f"{stand.sandbox}/_sandbox/calls", timeout=120).json()
    books = stand.stats()
    refused = {row.dialled for row in rows if row.listed in {"all", f"campaign:{NAME}"}}
    ready = [row for row in rows if row.dialled not in refused]
    answered = {call["recipient"] for call in calls if call["status"] == "ANSWERED"}
    called = {call["recipient"] for call in calls}
    unlike = _unlike({row.dialled: row for row in rows}, calls)
    not_called = refused | {row.dialled for row in late}
    dialled = sum(each["dialled"] for each in said["by_attempt"])
    pairs = (
        ("rows of the file that are jobs", said["jobs"], len(ready)),
        ("rows refused, on the do-not-call list", imported["refused"], len(refused)),
        ("waited when put on the list", said["failed"].get("do_not_call", 0), len(late)),
        ("people of the list who were called", 0, len(called & not_called)),
        ("calls", dialled - said["failed"].get("not_allowed", 0), books["calls"]["placed"]),
        ("jobs answered", said["answered"], len(answered)),
        ("credits", float(said["credits"]), books["credits"]["charged"]),
        ("seconds talked", said["talked"], sum(_talked(calls))),
        ("calls that said another thing, or in another language", 0, unlike),
        ("codes that are still kept", 0, _codes_kept(stand, len(rows))),
    )
    about = f"{len(rows):,} rows in two languages, two workers, {SETTINGS['rate_limit']}/s"
    table = Table(about, (Column("the report"), Column("the sandbox's books and the file")))
    for what, report, book in pairs:
        table.add(what, report, book)
    _check(all(report == book for _, report, book in pairs), f"{table.text()}\nthe same: {said}")
    return table


def _unlike(rows: Mapping[str, Row], calls: list[dict[str, Any]]) -> int:
    return sum(not _is_like(rows[call["recipient"]], call) for call in calls)


def _is_like(row: Row, call: dict[str, Any]) -> bool:
    begin, heard = row.text(), call["tts_message"]
    digits = re.sub("[^0-9]", "", heard.removeprefix(begin))
    twice = heard.startswith(begin) and digits == 2 * row.code
    return call["tts_lang"] == row.lang and (twice if row.code else heard == begin)


def _talked(calls: list[dict[str, Any]]) -> Iterator[int]:
    for call in calls:
        if call["status"] == "ANSWERED":
            began, ended = (datetime.fromisoformat(call[at]) for at in ("placed_at", "ended_at"))
            yield math.ceil(round((ended - began).total_seconds(), 2))


def _codes_kept(stand: Bench, most: int) -> int:
    found = islice(stand.dispatcher.store.search.find(Filter(tag=f"campaign:{NAME}")), most)
    return sum(any(map(str.isdigit, job.code or "")) for job in found)


def _over(stand: Bench) -> bool:
    counts = stand.dispatcher.store.search.counts()
    return not any(sum(counts[state].values()) for state in LIVE)


def _placed(stand: Bench) -> int:
    return int(stand.stats()["calls"]["placed"])


def _cli(stand: Bench, folder: Path, *arguments: str, status: int = 0) -> str:
    """Run a command as people do while the stack is looked after; return what it prints."""
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        command = [sys.executable, "-c", COMMAND, *arguments]
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=err, env=environment)
        _check(stand.until(lambda: process.poll() is not None, 600), arguments[0])
    _check(process.returncode == status, (folder / "err").read_text())
    return (folder / "out").read_text()


def _check(right: bool, what: str) -> None:
    if not right:
        raise AssertionError(what)
