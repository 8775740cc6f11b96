"""`chains` and `rota`: who is called for an alert, checked, published, shown and swapped."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dispatcher.model.do_not_call import Wish
from dispatcher.store import Store
from dispatcher.store.chains_files import WatchedFile
from support.cli_shell import Shell

FILE = """
contacts:
  ann: {number: "+818012340002"}
  bob: {number: "+818012340001"}
rotas:
  primary: {members: [ann, bob], start: 2026-01-05, zone: Asia/Tokyo}
chains:
  database:
    steps: [{call: primary, times: 2}, {call: bob, wait: 5m}]
    repeat: 3
routes:
  - {match: {severity: info}, chain: none}
  - {chain: database}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "chains.yaml"
    path.write_text(FILE)
    return path


def test_a_file_is_checked_with_those_who_cannot_be_called(
    shell: Shell, store: Store, file: Path
) -> None:
    assert shell("chains", "check", str(file)).out == (
        f"{file} is right: 2 contacts, 1 rota, 1 chain, 2 routes\n"
    )
    store.do_not_call.add([Wish("+818012340001")], actor="test")
    said = shell("chains", "check", str(file), "--json").json
    assert len(said["warnings"]) == 1
    assert said["warnings"][0].startswith("bob (+8180****0001): recipient: '+8180****0001' is on")


def test_what_looks_like_a_mistake_is_told(shell: Shell, file: Path) -> None:
    file.write_text(
        FILE.replace("{chain: database}", "{chain: database}\n  - {match: {a: b}, chain: database}")
        + "  - {match: {a: b, c: d}, chain: none}\n"
    )
    file.write_text(
        file.read_text().replace("contacts:", "contacts:\n  eve: {number: '+818012340003'}")
    )
    said = "\n".join(shell("chains", "check", str(file), "--json").json["warnings"])
    assert "eve is in no chain" in said
    assert "routes[3] is never taken: routes[2]" in said
    assert "the last route takes not all alerts" in said


def test_a_wrong_file_changes_nothing_and_says_where(shell: Shell, file: Path) -> None:
    shell("chains", "publish", str(file))
    file.write_text(FILE.replace("call: bob", "call: bobb"))
    for command in ("check", "publish"):
        ran = shell("chains", command, str(file))
        assert ran.code == 2
        assert f"{file}:9: chains.database.steps[2].call: there is no contact" in ran.complaint
    assert shell("chains", "list", "--json").json["version"] == 1


def test_what_is_in_force_is_shown(shell: Shell, file: Path) -> None:
    ran = shell("chains", "list")
    assert ran.code == 1
    assert "nobody said yet who is on call" in ran.complaint
    assert "version 1 is in force" in shell("chains", "publish", str(file)).out
    assert "version 1 is in force" in shell("chains", "publish", str(file)).out
    assert "database" in shell("chains", "list").out
    assert "+818012340002" not in json.dumps(shell("chains", "list", "--json").json)
    shown = shell("chains", "show", "database").out
    assert "1. call primary, 2 times, 60 s apart" in shown
    assert "again from the top, 3 times in all, until somebody says that they have it" in shown
    assert "bob: +8180****0001" in shown
    assert "there is no chain 'x': there is database" in shell("chains", "show", "x").complaint


def test_a_swap_shows_in_the_rota_until_it_is_ended(shell: Shell, file: Path) -> None:
    second = "\n  second: {members: [ann], start: 2026-01-05}"
    file.write_text(FILE.replace("rotas:", f"rotas:{second}"))
    shell("chains", "publish", str(file))
    day = (datetime.now(UTC) + timedelta(days=3)).date()
    between = ("--from", f"{day}T10:00", "--to", f"{day}T18:00")
    made = shell("rota", "swap", "primary", "nobody", *between, "--note", "leave", "--json").json
    shown = shell("rota", "show", "primary", "--json").json
    assert [each["who"] for each in shown["rotas"]["primary"]].count(None) == 1
    assert shown["swaps"][0]["id"] == made["id"]
    other = shell("rota", "show", "second", "--json").json
    assert (other["swaps"], {each["who"] for each in other["rotas"]["second"]}) == ([], {"ann"})
    told = shell("rota", "show").out
    assert "NOBODY" in told
    assert f"swap {made['id']}: nobody for primary" in told
    assert shell("rota", "unswap", made["id"]).code == 0
    assert "NOBODY" not in shell("rota", "show").out


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["secondary", "ann", "--from", "2026-12-24", "--to", "2026-12-25"], "there is no rota"),
        (["primary", "eve", "--from", "2026-12-24", "--to", "2026-12-25"], "no contact or team"),
        (["primary", "ann", "--from", "2026-12-24", "--to", "2026-12-24"], "before it begins"),
        (["primary", "ann", "--from", "tomorrow", "--to", "2026-12-24"], "is no day or time"),
        (["primary", "ann", "--from", "0001-01-01", "--to", "9999-12-31T23:59"], ""),
    ],
)
def test_a_swap_that_cannot_be_is_refused(
    shell: Shell, file: Path, given: list[str], told: str
) -> None:
    shell("chains", "publish", str(file))
    ran = shell("rota", "swap", *given)
    assert ran.code in {1, 2}
    assert told in ran.complaint


def test_doctor_says_that_a_file_is_refused(shell: Shell, store: Store, file: Path) -> None:
    def told() -> list[str]:
        found = shell("doctor", "--no-provider", "--json").json
        return [each["message"] for each in found if each["check"] == "chains"]

    assert told() == []
    shell("chains", "publish", str(file))
    assert told()[0].startswith("version 1, published by cli:")
    store.on_call.refuse("chains.yaml:3: there is no such option")
    stays = "the chains file is refused, and version 1 stays in force"
    (said,) = told()
    assert f"{stays}: chains.yaml:3: there is no such option. " in said


def test_doctor_names_holes_and_files_that_differ(shell: Shell, store: Store, file: Path) -> None:
    def told(level: str) -> list[str]:
        found = shell("doctor", "--no-provider", "--json").json
        return [
            each["message"]
            for each in found
            if each["check"] == "chains" and each["level"] == level
        ]

    file.write_text(FILE.replace("2026-01-05", "2199-01-05"))
    assert "the rota primary has a hole" in shell("chains", "check", str(file)).out
    shell("chains", "publish", str(file))
    (hole,) = told("warn")
    assert hole.startswith("the rota primary has a hole: nobody is on call from ")
    assert told("ok") == told("fail") == []
    store.chains_files.tell("a", WatchedFile("host-a", "/etc/chains.yaml", "1"))
    store.chains_files.tell("b", WatchedFile("host-b", "/etc/chains.yaml", "2"))
    (said,) = told("fail")
    assert (
        "chains files say different things: /etc/chains.yaml on host-a, /etc/chains.yaml on host-b"
        in said
    )


def test_what_is_watched_is_not_overruled_by_hand(shell: Shell, store: Store, file: Path) -> None:
    store.chains_files.tell("a", WatchedFile("host-a", "/etc/chains.yaml", "1"))
    ran = shell("chains", "publish", str(file))
    assert ran.code == 1
    assert "stands in /etc/chains.yaml on host-a: change that file" in ran.complaint
    assert store.on_call.get() is None


def test_who_published_which_version_is_told(shell: Shell, file: Path) -> None:
    shell("chains", "publish", str(file))
    file.write_text(FILE.replace("repeat: 3", "repeat: 2"))
    shell("chains", "publish", str(file))
    found = shell("chains", "versions", "--json").json
    assert [each["version"] for each in found] == [2, 1]
    assert found[0]["by"].startswith("cli:")
    assert "UTC" in shell("chains", "versions").out


def test_a_swap_with_somebody_who_is_gone_is_told(shell: Shell, store: Store, file: Path) -> None:
    shell("chains", "publish", str(file))
    between = ("--from", "2198-12-24", "--to", "2198-12-27")
    made = shell("rota", "swap", "primary", "bob", *between, "--json").json
    file.write_text(FILE.replace("bob", "carol"))
    said = shell("chains", "check", str(file), "--json").json["warnings"]
    assert said == [f"swap {made['id']} of the rota primary names bob, who is not there any more"]
