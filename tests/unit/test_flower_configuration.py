"""Flower's environment."""

from __future__ import annotations

import os

import pytest

from config.flower import environment
from config.settings import InvalidSettings, Settings


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("DISPATCHER_", "XOXZO_"))]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_flower_on_this_machine_alone_needs_no_password(host: str) -> None:
    options = environment(Settings.load(flower_host=host))
    assert options["FLOWER_ADDRESS"] == host
    assert "FLOWER_BASIC_AUTH" not in options


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "flower.example", "127.0.0.1.evil"])
def test_flower_open_to_others_without_a_password_does_not_start(host: str) -> None:
    with pytest.raises(InvalidSettings, match="lets others reach Flower") as caught:
        environment(Settings.load(flower_host=host))
    assert host in str(caught.value)
    assert "DISPATCHER_FLOWER_AUTH=user:password" in str(caught.value)


def test_flower_is_open_to_others_with_a_password() -> None:
    options = environment(Settings.load(flower_host="0.0.0.0", flower_auth="me:hunter2"))
    assert options["FLOWER_ADDRESS"] == "0.0.0.0"
    assert options["FLOWER_BASIC_AUTH"] == "me:hunter2"


def test_flower_keeps_what_it_has_seen_in_a_file() -> None:
    options = environment(Settings.load(flower_port=8888, flower_db="/var/lib/flower.db"))
    assert options["FLOWER_PORT"] == "8888"
    assert options["FLOWER_PERSISTENT"] == "true"
    assert options["FLOWER_DB"] == "/var/lib/flower.db"


def test_every_option_is_one_that_flower_knows() -> None:
    from flower.options import options  # noqa: PLC0415 # it defines options of the whole process

    known = {f"FLOWER_{name.upper()}" for name in options.as_dict()}
    assert set(environment(Settings.load(flower_auth="me:hunter2"))) <= known


def test_its_api_is_off_and_its_pages_change_nothing_unless_that_is_wanted() -> None:
    assert environment(Settings.load())["FLOWER_READ_ONLY"] == "true"
    wanted = Settings.load(flower_api=True, flower_auth="me:hunter2")
    assert environment(wanted)["FLOWER_READ_ONLY"] == "false"


def test_its_api_is_not_to_be_had_without_a_password() -> None:
    with pytest.raises(InvalidSettings, match="DISPATCHER_FLOWER_AUTH=user:password"):
        environment(Settings.load(flower_api=True))
