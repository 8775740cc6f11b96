"""`import` as people and scripts run it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dispatcher.model.filters import Filter
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.jobs import Jobs
from support.cli_shell import SCRIPT, Ran, Shell
from support.polling import eventually
from support.redis_inside import key_of, redis_of
from support.rows_files import form

NUMBER, MASKED = "+818011234567", "+8180****4567"
CUSTOMERS = """\
Name;Phone Number;Notes
Ann;+818011234567;x
Bob;8.18012E+11;y
Cid;818011234568;z
Eve;+818011234569;
"""
SAY = ("--say", "Dear {name}, your parcel is here.")


@pytest.fixture
def customers(shell: Shell) -> Path:
    path = shell.folder / "customers.csv"
    path.write_text(CUSTOMERS, encoding="utf-8-sig")
    return path


def texts(store: Store) -> list[str]:
    return sorted(job.say or "" for job in store.search.find(Filter()))


def many(path: Path, rows: int) -> Path:
    numbers = (f"+8180{n // 9000 + 2300:04d}{n % 9000 + 1000:04d}" for n in range(rows))
    path.write_text("phone,say\n" + "".join(f"{number},x\n" for number in numbers))
    return path


def test_rows_become_jobs_and_the_refused_a_file(
    shell: Shell, store: Store, customers: Path
) -> None:
    ran = shell(
        "import", "customers.csv", *SAY, "--set", "tags=parcel,today", "--set", "priority=bulk"
    )
    assert ran.code == 1
    # A slow machine adds how long it took.
    assert ran.out.splitlines()[0].startswith("2 jobs created, 0 already enqueued, 2 refused")
    assert "customers.csv: not used: 'Notes'" in ran.err
    assert "customers.csv:3: recipient: '8.18012E+11': a spreadsheet wrote it" in ran.err
    assert "customers.csv:4: recipient: '8180****4568': no country code: give" in ran.err
    assert "customers.csv: 4 rows: 2 new jobs, 2 refused\n" in ran.err
    assert "They will probably cost about 40 credits; the balance is not known yet" in ran.err
    assert texts(store) == ["Dear Ann, your parcel is here.", "Dear Eve, your parcel is here."]
    job = next(store.search.find(Filter(tag="today")))
    assert (job.priority, job.tags, job.producer) == ("bulk", ("parcel", "today"), "cli")
    refused = (shell.folder / "customers.refused.csv").read_text(encoding="utf-8-sig")
    assert [line.split(";")[-4:-2] for line in refused.splitlines()[1:3]]
    assert refused.splitlines()[0] == "refused_why;refused_line;Name;Phone Number;Notes"


def test_what_was_refused_is_mended_and_imported_and_nothing_doubles(
    shell: Shell, store: Store, customers: Path
) -> None:
    shell("import", "customers.csv", *SAY)
    mended = shell.folder / "customers.refused.csv"
    mended.write_text(mended.read_text("utf-8-sig").replace(";8.18012E+11;", ";'+818011234560;"))
    assert shell("import", mended.name, *SAY, "--region", "JP").code == 0
    assert shell("import", customers.name, *SAY, "--region", "JP").code == 1
    assert [text.split()[1] for text in texts(store)] == ["Ann,", "Bob,", "Cid,", "Eve,"]
    # The file that was being mended is not written over.
    assert "+818011234560" in mended.read_text()
    assert (shell.folder / "customers.refused-2.csv").exists()


def test_a_dry_run_says_all_and_makes_nothing(shell: Shell, store: Store, customers: Path) -> None:
    ran = shell("import", "customers.csv", *SAY, "--dry-run", "--json")
    assert ran.code == 1
    assert (
        ran.json.items()
        >= {
            "dry_run": True,
            "rows": 4,
            "new": 2,
            "created": 0,
            "existing": 0,
            "refused": 2,
            "expected_credits": 40.0,
            "balance": None,
            "refused_file": None,
            "problem": None,
        }.items()
    )
    assert sum(ran.json["reasons"].values()) == 2
    assert texts(store) == []
    assert [path.name for path in shell.folder.iterdir()] == ["customers.csv"]


def test_a_file_without_country_codes_is_told_its_cure_once(shell: Shell, store: Store) -> None:
    rows = "".join(f"080-{n:04d}-1234,x\n" for n in range(1000, 2997))
    (shell.folder / "list.csv").write_text(f"phone,say\n+818011234567,x\n8.1E+11,x\n{rows}")
    ran = shell("import", "list.csv", "--dry-run")
    assert ran.code == 1
    assert ran.err.count("no country code") == 1
    assert "give --region JP if such numbers are written as in Japan" in ran.err
    assert "list.csv:3: recipient: '8.1E+11'" in ran.err
    assert "    1,997  recipient: no country code: give --region JP" in ran.out
    assert shell("import", "list.csv", "--dry-run", "--region", "JP", "--json").json["new"] == 1998


def test_the_key_of_a_row_with_a_code_tells_nothing_of_it(shell: Shell, store: Store) -> None:
    (shell.folder / "codes.csv").write_text(f"phone,pin\n{NUMBER},2769\n")
    asked = ("import", "codes.csv", "--yes", "--map", "pin=code")
    assert shell(*asked).code == 0
    (job,) = store.search.find(Filter())
    plain = form(["phone", "pin"], map_={"pin": "code"})
    tried = {
        plain.request({"phone": NUMBER, "pin": f"{code:04d}"}).key for code in range(2700, 2800)
    }
    assert str(job.key).startswith(f"{plain.name}:")
    assert job.key not in tried
    assert "1 already enqueued" in shell(*asked).err


def test_a_region_may_stand_in_the_environment(shell: Shell, store: Store) -> None:
    (shell.folder / "list.csv").write_text("phone,say\n080-1123-4567,x\n")
    (shell.folder / "plus.csv").write_text("phone,say\n818011234568,x\n")
    said = {"DISPATCHER_REGION": "JP"}
    assert shell("import", "list.csv", "--yes", **said).code == 0
    assert shell("import", "plus.csv", "--yes", "--plus", **said).code == 0
    assert shell("call", "(080) 1123-4569", "--say", "x", **said).code == 0
    found = {job.numbers[0] for job in store.search.find(Filter())}
    assert found == {NUMBER, "+818011234568", "+818011234569"}


def test_running_again_says_that_all_stands(shell: Shell, store: Store) -> None:
    many(shell.folder / "list.csv", 30)
    first, again = (shell("import", "list.csv", "--json") for _ in range(2))
    assert (first.code, first.json["created"]) == (0, 30)
    assert (again.code, again.json["created"], again.json["existing"]) == (0, 0, 30)
    assert "--id" in shell("import", "list.csv").out
    assert shell("import", "list.csv", "--id", "april", "--json").json["created"] == 30


def test_the_balance_is_compared(shell: Shell, store: Store) -> None:
    redis_of(store).hset(
        key_of(store, "credit"), mapping={"balance": 1_000_000, "checked": store.now()}
    )
    many(shell.folder / "list.csv", 10)
    assert (
        "100 are available\nThe credit is not enough for all"
        in shell("import", "list.csv", "--dry-run").err
    )


def test_only_the_first_refusals_are_told_one_by_one(shell: Shell, store: Store) -> None:
    (shell.folder / "list.csv").write_text("phone,say\n" + "123,x\n" * 100)
    ran = shell("import", "list.csv", "--refused", "bad.csv")
    assert ran.err.count("list.csv:") == 22
    assert "… and more" in ran.err
    assert "100  recipient: " in ran.out
    assert len((shell.folder / "bad.csv").read_text().splitlines()) == 101


def piped(shell: Shell, text: str, *options: str) -> Ran:
    process = start(shell, "import", "-", *options)
    assert process.stdin
    process.stdin.write(text.encode())
    process.stdin.close()
    process.stdin = None
    return shell.end(process)


def start(shell: Shell, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *arguments],
        cwd=shell.folder,
        env=shell.environment({}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_json_lines_come_through_a_pipe(shell: Shell, store: Store) -> None:
    lines = f'{{"recipient": "{NUMBER}", "say": "x", "key": "k"}}\n{{"say": "y"}}\n'
    ran = piped(shell, lines)
    assert ran.code == 1
    assert ran.err == "-:2: recipient: it is missing; give a number in E.164\n"
    assert (shell.folder / "import.refused.jsonl").exists()
    assert texts(store) == ["x"]


def test_a_pipe_with_a_name_is_read_as_a_file_is(shell: Shell, store: Store) -> None:
    os.mkfifo(shell.folder / "pipe")
    process = start(shell, "import", "pipe")
    (shell.folder / "pipe").write_text(f"phone,say\n{NUMBER},x\n1,y\n")
    ran = shell.end(process)
    assert ran.code == 1
    assert "pipe: 2 rows: 1 new job, 1 refused" in ran.err
    assert (shell.folder / "import.refused.csv").exists()


def test_refused_rows_are_for_their_owner_alone_whatever_stood_there(
    shell: Shell, store: Store
) -> None:
    old = shell.folder / "bad.csv"
    old.touch(0o666)
    old.chmod(0o666)
    (shell.folder / "list.csv").write_text("recipient,say\n0901,x\n")
    assert shell("import", "list.csv", "--refused", "bad.csv").code == 1
    assert "0901" in old.read_text()
    assert old.stat().st_mode & 0o777 == 0o600


def test_refused_rows_that_cannot_be_written_stop_it(shell: Shell, store: Store) -> None:
    (shell.folder / "list.csv").write_text(f"phone,say\n{NUMBER},x\n1,y\n")
    ran = shell("import", "list.csv", "--refused", "no/such/folder.csv")
    assert ran.code == 1
    assert "error: no/such/folder.csv: No such file or directory; nothing was imported" in ran.err
    assert texts(store) == []


def test_an_interrupt_says_how_far_and_the_same_again_goes_on(shell: Shell, store: Store) -> None:
    lines = [f'{{"recipient": "+8180230{n:05d}", "say": "x"}}\n' for n in range(11000, 12200)]
    process = start(shell, "import", "-")
    assert process.stdin
    process.stdin.write("".join(lines).encode())
    process.stdin.flush()
    eventually(lambda: len(texts(store)) == 1000)  # whole batches
    process.send_signal(signal.SIGINT)
    process.wait(30)
    ran = shell.end(process)
    assert ran.code == 130
    assert re.search(
        r"error: interrupted; at least [\d,]+ jobs? created\. Run the same command", ran.err
    )
    again = piped(shell, "".join(lines), "--json")
    assert (again.json["created"], again.json["existing"]) == (200, 1000)
    assert len(texts(store)) == 1200


def test_a_redis_that_goes_away_is_told_with_how_far(
    shell: Shell, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(shell.folder / "list.csv", 1200)
    enqueue, batches = Jobs.enqueue_packed, iter(range(3))

    def once(self: Jobs, rows: Any, **options: Any) -> list[str]:
        if next(batches) == 1:
            raise StoreUnavailable("Redis cannot be reached")
        return enqueue(self, rows, **options)

    monkeypatch.setattr(Jobs, "enqueue_packed", once)
    ran = shell("import", "list.csv", "--wait-for-redis", "0s")
    assert ran.code == 1
    assert (
        "error: list.csv: Redis cannot be reached; at least 500 of 1,200 jobs created." in ran.err
    )
    monkeypatch.undo()
    assert shell("import", "list.csv", "--json").json["created"] == 700


def test_a_file_that_breaks_off_imports_nothing(shell: Shell, store: Store) -> None:
    (shell.folder / "list.csv").write_text(f'phone,say\n{NUMBER},x\n+818011234568,"y\n')
    ran = shell("import", "list.csv")
    assert ran.code == 1
    assert "error: list.csv:3: a quotation mark opens here and is never closed" in ran.err
    assert ran.err.endswith("nothing was imported\n")
    assert texts(store) == []


def test_people_are_asked_and_shown_how_far_it_is(shell: Shell, store: Store) -> None:
    many(shell.folder / "list.csv", 1200)
    code, shown = shell.at_a_terminal("n\n", "import", "list.csv")
    assert code == 1
    assert "1,200 new jobs" in shown
    assert "Import? [y/N]" in shown
    assert "nothing was imported" in shown
    assert texts(store) == []
    code, shown = shell.at_a_terminal("y\n", "import", "list.csv")
    assert code == 0
    assert "rows" in shown
    assert "/s" in shown
    assert len(texts(store)) == 1200


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("nowhere.csv",), "nowhere.csv: No such file"),
        ((".",), "s a directory"),
        (("a.csv", "--map", "phone"), "is not NAME=VALUE"),
        (("a.csv", "--map", "tel=recipient"), "no column 'tel'"),
        (("a.csv", "--set", "nobody=1"), "'nobody' is not a field"),
        (("a.csv", "--say", "Dear {name}"), "no column is named 'name'"),
        (("a.csv", "--say", "Dear {"), "write {column}"),
        (("a.csv", "--encoding", "klingon"), "is not an encoding such as cp932"),
        (("a.csv", "--encoding", "base64"), "is not an encoding such as cp932"),
        (("a.csv", "--delimiter", "ab"), "is not one character"),
        (("a.csv", "--region", "XX"), "is not a country code"),
        (("a.csv", "--region", "JP", "--plus"), "--region"),
        (("a.csv", "--id", ""), "printable"),
        (("a.csv", "--wait-for-redis", "soon"), "soon"),
        (("a.csv", "--refused", "./a.csv"), "the file being read"),
        (("empty.csv",), "empty.csv: it is empty"),
        (("sheet.csv",), "sheet.csv: it is not text, but a spreadsheet"),
        (("none.csv",), "--map COLUMN=recipient"),
    ],
)
def test_wrong_usage_is_told_in_a_sentence(
    shell: Shell, store: Store, options: tuple[str, ...], word: str
) -> None:
    files = {"a.csv": f"phone,say\n{NUMBER},x\n", "empty.csv": "", "none.csv": f"{NUMBER},x\n"}
    for name, text in files.items():
        (shell.folder / name).write_text(text)
    (shell.folder / "sheet.csv").write_bytes(b"PK\x03\x04")
    ran = shell("import", *options)
    assert ran.code == 2
    assert word in ran.complaint
    assert NUMBER not in ran.err
    assert texts(store) == []
