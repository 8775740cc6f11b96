"""`dnc`: numbers are put on the do-not-call list, looked for, taken off, and moved by files."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from dispatcher.model.invalid_job import DoNotCall
from dispatcher.model.states import State
from dispatcher.store import Store
from support.claims import claim_one
from support.cli_shell import Shell
from support.redis_inside import key_of, redis_of
from support.store_jobs import enqueue
from support.workbooks import row, sheet, workbook

NUMBER, OTHER, THIRD = "+818011234567", "+14155550123", "+492211234567"


def numbers(store: Store) -> list[str]:
    return sorted(entry.number or entry.hash for entry in store.do_not_call.all())


def test_who_is_put_on_the_list_is_not_called(shell: Shell, store: Store) -> None:
    id_ = enqueue(store)
    added = shell.run("dnc", "add", NUMBER, OTHER, "--reason", "asked by mail", "--until", "30d")
    assert added.code == 0
    assert added.out == "2 numbers: 2 new\n"
    assert claim_one(store, id_, token="t", lease=30) is State.FAILED
    refused = shell("call", NUMBER, "--say", "Hi")
    assert refused.code != 0
    assert "'+8180****4567' is on the do-not-call list" in refused.err
    assert shell("call", NUMBER, "--say", "Hi", "--dnc", "exempt").code == 0


def test_check_says_why_and_by_whom_in_its_exit_status_too(shell: Shell) -> None:
    assert (found := shell("dnc", "check", NUMBER)).code == 0
    assert found.out == "not on the list\n"
    shell("dnc", "add", NUMBER, "--reason", "asked by mail", "--tag", "marketing")
    found = shell("dnc", "check", NUMBER)
    assert found.code == 1
    assert found.out.startswith("on the list for jobs tagged marketing since ")
    assert found.out.endswith(", by cli:sam: asked by mail\n")
    assert shell("dnc", "check", NUMBER, "--json").json[0]["number"] == "+8180****4567"


def test_remove_takes_off_what_is_there_and_says_what_was_not(shell: Shell, store: Store) -> None:
    shell("dnc", "add", NUMBER)
    removed = shell("dnc", "remove", NUMBER, OTHER)
    assert (removed.code, removed.out) == (1, "1 entry removed\n")
    assert "1 number not on the list" in removed.err
    assert numbers(store) == []


def test_the_list_is_masked_unless_somebody_asks_for_whole_numbers(
    shell: Shell, store: Store
) -> None:
    assert shell("dnc", "list").out == "no entries\n"
    shell("dnc", "add", NUMBER, "--reason", f"see {OTHER}")
    shown = shell("dnc", "list")
    assert "+8180****4567" in shown.out
    assert NUMBER not in shown.out
    assert OTHER not in shown.out
    whole = shell("dnc", "list", "--unmasked", "--json").json
    assert (whole[0]["number"], whole[0]["reason"]) == (NUMBER, f"see {OTHER}")
    assert [entry.action for entry in store.audit.read()] == ["dnc.add", "unmask"]


def test_a_hash_alone_is_shown_and_taken_as_such(shell: Shell, store: Store) -> None:
    shell("dnc", "add", NUMBER, "--hash")
    assert NUMBER[1:] not in str(redis_of(store).hgetall(key_of(store, "do_not_call")))
    (row,) = shell("dnc", "list", "--json").json
    assert row["number"] is None
    assert row["hash"] in shell("dnc", "list").out
    assert shell("dnc", "check", NUMBER).code == 1
    assert shell("dnc", "remove", row["hash"]).code == 0


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["dnc", "add", "080-1234-5678"], "number: "),
        (["dnc", "add", NUMBER, "--until", "soon"], "until: 'soon'"),
        (["dnc", "add", NUMBER, "--until", "2027"], "until: '2027' has no unit: write such as 90d"),
        (["dnc", "add", NUMBER, "--until", "2026-01-01T00:00Z"], "until: that moment has passed"),
        (["dnc", "add", NUMBER, "--until", "0d"], "until: that moment has passed"),
        (["dnc", "add", NUMBER, "--tag", "a,b"], "tag: "),
        (["dnc", "add", NUMBER, "--reason", "x" * 201], "reason: it has at most 200"),
        (["dnc", "add", f"{'0' * 8}:{'1' * 40}"], "was made with another key"),
    ],
)
def test_what_cannot_be_on_the_list_is_refused_in_one_sentence(
    shell: Shell, store: Store, given: list[str], why: str
) -> None:
    ran = shell(*given)
    assert ran.code != 0
    assert why in ran.err
    assert "Traceback" not in ran.err
    assert "1234-5678" not in ran.err
    assert store.do_not_call.size() == 0


# -- files -----------------------------------------------------------------------------------------


def test_a_broken_line_is_refused_with_its_number_and_stops_none_of_the_others(
    shell: Shell, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(
        "Phone number,Reason,Until,Tag\n"
        f"{NUMBER},asked us,,\n"
        "080-1234-5678,national,,\n"
        f"{OTHER},,soon,\n"
        f'{THIRD},"quoted, twice",90d,marketing\n'
        f"{THIRD},once more,90d,marketing\n"
    )
    ran = shell("dnc", "import", str(file), "--reason", "of the file")
    assert ran.code == 1
    assert ran.out == "3 entries: 2 new, 0 for longer, 1 known\n"
    assert f"{file}:3: number: " in ran.err
    assert f"{file}:4: until: 'soon'" in ran.err
    assert "1234-5678" not in ran.err
    assert numbers(store) == [THIRD, NUMBER]
    (entry,) = [each for each in store.do_not_call.all() if each.number == THIRD]
    assert (entry.reason, entry.tag) == ("quoted, twice", "marketing")
    assert shell("dnc", "import", str(file)).out.endswith("0 new, 1 for longer, 2 known\n")


def test_a_quotation_mark_that_is_never_closed_stops_none_of_the_lines_before_it(
    shell: Shell, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f'number,reason\n{NUMBER},asked\nbroken,\n{OTHER},"never closed\n')
    ran = shell("dnc", "import", str(file))
    assert ran.code == 1
    assert f"{file}:3: number: 'broken'" in ran.err
    assert f"{file}:4: a quotation mark opens here and is never closed" in ran.err
    assert numbers(store) == [NUMBER]


def test_all_numbers_of_a_row_are_put_on_the_list(
    shell: Shell, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"Telefon;Handy;Note\n{NUMBER};{OTHER};both\n;{THIRD};one\n;;none\n")
    ran = shell("dnc", "import", str(file))
    assert ran.out == "3 entries: 3 new, 0 for longer, 0 known\n"
    assert f"{file}:4: number: " in ran.err
    assert sorted(numbers(store)) == sorted([NUMBER, OTHER, THIRD])


def test_what_is_no_hash_is_called_so(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("hash\n1f0c9a2e:0000\n")
    ran = shell("dnc", "import", str(file))
    assert f"{file}:2: hash: '1f0c9a2e:0000' is not a keyed hash" in ran.err


def test_a_file_of_numbers_alone_needs_no_header(
    shell: Shell, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "list.txt"
    file.write_text(f"{NUMBER}\n\n{OTHER}\n{NUMBER}\n")
    ran = shell("dnc", "import", str(file), "--json")
    assert (ran.code, ran.json["new"], ran.json["known"]) == (0, 2, 1)
    assert numbers(store) == [OTHER, NUMBER]


def test_national_numbers_are_read_as_of_the_region(
    shell: Shell, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "list.txt"
    file.write_text("tel\n080-1123-4567\n")
    assert shell("dnc", "import", str(file), "--region", "jp").code == 0
    assert numbers(store) == [NUMBER]


def test_numbers_without_their_plus_are_taken_where_the_file_is_said_to_have_such(
    shell: Shell, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "list.txt"
    file.write_text(f"tel\n{NUMBER[1:]}\n")
    assert "or --plus if" in shell("dnc", "import", str(file)).err
    assert shell("dnc", "import", str(file), "--plus").code == 0
    assert numbers(store) == [NUMBER]


def test_two_numbers_in_a_line_of_a_file_without_header_are_not_taken_for_one(
    shell: Shell, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "list.txt"
    file.write_text(f"{NUMBER},{OTHER}\n")
    ran = shell("dnc", "import", str(file))
    assert ran.code == 2
    assert "name the one that has the numbers number" in ran.err
    file.write_text(f"{NUMBER}\n{OTHER},{THIRD}\n")
    ran = shell("dnc", "import", str(file))
    assert f"{file}:2: " in ran.err
    assert numbers(store) == [NUMBER]


def test_what_is_no_list_is_one_sentence(shell: Shell, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("name,mail\nAnn,ann@example.com\n")
    ran = shell("dnc", "import", str(file))
    assert ran.code != 0
    assert "no column is named number or hash; there are 'name', 'mail'" in ran.err
    assert shell("dnc", "import", str(tmp_path / "none.csv")).code != 0


def test_an_exported_list_comes_back_whole(shell: Shell, store: Store, tmp_path: Path) -> None:
    shell("dnc", "add", NUMBER, "--reason", "=asked, us", "--tag", "marketing")
    shell("dnc", "add", OTHER, "--until", "30d", "--hash")
    before = [entry.to_dict(mask=False) for entry in store.do_not_call.all()]
    file = tmp_path / "list.csv"
    assert shell.run("dnc", "export", str(file)).err == f"2 entries written to {file}\n"
    assert file.stat().st_mode & 0o777 == 0o600
    redis_of(store).hdel(key_of(store, "do_not_call"), *(each["hash"][9:] for each in before))
    assert shell("dnc", "import", str(file)).out.startswith("2 entries: 2 new")
    after = [entry.to_dict(mask=False) for entry in store.do_not_call.all()]
    for each in (*before, *after):
        del each["added_at"]
    assert sorted(after, key=str) == sorted(before, key=str)


def test_a_list_exported_as_hashes_reveals_nobody_and_works_as_well(
    shell: Shell, store: Store, tmp_path: Path
) -> None:
    shell("dnc", "add", NUMBER, "--reason", "Ann's mother")
    file = tmp_path / "list.csv"
    shell("dnc", "export", str(file), "--hashed")
    text = file.read_text()
    assert "4567" not in text
    assert "Ann" not in text
    (row,) = csv.DictReader(text.splitlines())
    assert row["hash"] == store.do_not_call.check(NUMBER)[0].hash
    shell("dnc", "remove", NUMBER)
    assert shell("dnc", "import", str(file)).code == 0
    assert shell("dnc", "check", NUMBER).code == 1


def test_a_list_of_hashes_moves_to_a_new_dispatcher_with_its_key(
    shell: Shell, store: Store, tmp_path: Path
) -> None:
    shell("dnc", "add", NUMBER, "--hash")
    file, secret = tmp_path / "list.csv", tmp_path / "key"
    secret.write_text(shell("dnc", "key").out)
    shell("dnc", "export", str(file), "--hashed")
    redis_of(store).flushall()
    assert shell("dnc", "import", str(file)).code == 1
    assert shell("dnc", "key", "--set", str(secret)).code == 0
    assert shell("dnc", "import", str(file)).code == 0
    assert shell("dnc", "check", NUMBER).code == 1
    actions = [entry.action for entry in store.audit.read()]
    assert actions == ["dnc.key.set", "dnc.add"]


def test_a_key_is_not_changed_under_entries(shell: Shell, store: Store, tmp_path: Path) -> None:
    shell("dnc", "add", NUMBER)
    (secret := tmp_path / "key").write_text("0" * 40)
    assert "there are numbers on the list" in shell("dnc", "key", "--set", str(secret)).err
    secret.write_text("secret")
    told = shell("dnc", "key", "--set", str(secret)).err
    assert "40 hex digits" in told
    with pytest.raises(DoNotCall):
        enqueue(store)


def test_hashes_of_another_list_are_refused_line_by_line(
    shell: Shell, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"number\n{NUMBER}\n{'0' * 8}:{'1' * 40}\n{OTHER}\n")
    ran = shell("dnc", "import", str(file))
    assert ran.code == 1
    assert f"{file}:3: the hash 00000000:11111111… was made with another key" in ran.err
    assert numbers(store) == [OTHER, NUMBER]


def test_a_workbook_is_read_and_a_spreadsheets_date_does_not_end_an_entry_tonight(
    shell: Shell, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "list.xlsx"
    numbers_ = row('<c s="0"><v>818012340009</v></c>', "", "")
    file.write_bytes(
        workbook(
            sheet(row("Phone", "Reason", "Until"), row(NUMBER, "asked us", "46357.375"), numbers_)
        )
    )
    ran = shell("dnc", "import", str(file))
    assert (ran.code, numbers(store)) == (1, [])
    assert f"{file}:2: until: 46357.375 is a date as spreadsheets count days" in ran.err
