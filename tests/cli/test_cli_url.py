"""`url`: where what runs here is reached."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dispatcher.running import ANNOUNCEMENT, FOLDER
from support.cli_shell import Shell

UP = {"pid": 1, "redis_url": "redis://:word@127.0.0.1:7001/0", "gateway_url": "http://127.0.0.1:1"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A folder in which an `up` runs, without Flower."""
    folder = tmp_path / FOLDER
    folder.mkdir()
    (folder / ANNOUNCEMENT).write_text(json.dumps(UP))
    monkeypatch.setattr("dispatcher.running.is_locked", lambda _: True)
    return Shell(tmp_path)


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ((), UP["redis_url"]),
        (("redis",), UP["redis_url"]),
        (("broker",), UP["redis_url"]),
        (("gateway",), UP["gateway_url"]),
    ],
)
def test_it_is_that_of_the_up_that_runs_here(
    here: Shell, part: tuple[str, ...], found: str
) -> None:
    ran = here("url", *part)
    assert (ran.code, ran.out, ran.err) == (0, f"{found}\n", "")
    told = here("url", *part, "--json").json
    assert (told["url"], told["namespace"]) == (found, "vd")


@pytest.mark.parametrize(
    ("announced", "named", "namespace"),
    [({}, "", "vd"), ({"namespace": "b"}, "", "b"), ({"namespace": "b"}, "c", "c")],
)
def test_the_namespace_is_that_of_the_up_that_runs_here_unless_one_is_named(
    here: Shell, announced: dict[str, str], named: str, namespace: str
) -> None:
    (here.folder / FOLDER / ANNOUNCEMENT).write_text(json.dumps(UP | announced))
    options = ("--namespace", named) if named else ()
    assert here(*options, "url", "--json").json["namespace"] == namespace
    assert here("url", "--json", DISPATCHER_NAMESPACE=named).json["namespace"] == namespace


def test_what_the_environment_names_comes_first(tmp_path: Path) -> None:
    named = {"DISPATCHER_REDIS_URL": "redis://db/1", "DISPATCHER_BROKER_URL": "amqp://mq"}
    shell = Shell(tmp_path, **named)
    assert [shell("url", part).out for part in ("redis", "broker")] == [
        "redis://db/1\n",
        "amqp://mq\n",
    ]


def test_what_does_not_run_is_said(here: Shell, tmp_path: Path) -> None:
    ran = here("url", "flower")
    assert (ran.code, ran.out) == (1, "")
    assert ran.complaint == "no flower runs here: start `voice-dispatcher up` in this directory"
    nothing = Shell(tmp_path.parent)("url")
    assert nothing.code == 1
    assert "no dispatcher found" in nothing.complaint
