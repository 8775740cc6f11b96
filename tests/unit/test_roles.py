"""Each process is given the secrets of its role, and no other."""

from __future__ import annotations

import pytest

from config import roles
from config.settings import Settings
from dispatcher.client.broker_rights import Part
from dispatcher.provider import registry
from dispatcher.values.alert_links import link_secret_from_key
from dispatcher.values.webhook_secrets import secret_from_key

SERVERS = {"DISPATCHER_REDIS_URL", "DISPATCHER_BROKER_URL"}
"""What all processes need, with passwords that can differ."""
KEY = "a key of sixteen or more"
ALL = {
    "PATH": "/bin",
    "DISPATCHER_RATE_LIMIT": "5",
    "DISPATCHER_REDIS_URL": "redis://one:pass@h/0",
    "DISPATCHER_SECRET_KEY": KEY,
    "XOXZO_API_AUTH_TOKEN": "token",
    "DISPATCHER_FLOWER_AUTH": "me:hunter2",
}


def secret_settings() -> set[str]:
    fields = Settings.model_fields.items()
    return {f"DISPATCHER_{name.upper()}" for name, each in fields if "SecretStr" in repr(each)}


def test_every_setting_that_is_secret_has_its_roles() -> None:
    assert "DISPATCHER_SECRET_KEY" in secret_settings()
    assert secret_settings() - SERVERS <= roles.NEEDED_BY.keys()
    assert set(registry.registration().credentials) <= roles.provider_variables()
    assert all(needing < set(Part) for needing in roles.NEEDED_BY.values())


@pytest.mark.parametrize(
    ("part", "secrets"),
    [
        (Part.DIAL, {"DISPATCHER_SECRET_KEY", "XOXZO_API_AUTH_TOKEN"}),
        (Part.CALL_TASK, set()),
        (Part.WEBHOOKS, {"DISPATCHER_WEBHOOK_SECRET", "DISPATCHER_LINK_SECRET"}),
        (Part.BEAT, set()),
        (Part.GATEWAY, {"DISPATCHER_SECRET_KEY"}),
        (Part.FLOWER, {"DISPATCHER_FLOWER_AUTH"}),
    ],
)
def test_a_process_gets_what_it_needs(part: Part, secrets: set[str]) -> None:
    given = roles.environment_of(part, ALL)
    common = {"PATH", "DISPATCHER_RATE_LIMIT", "DISPATCHER_REDIS_URL"}
    assert given.keys() == common | secrets


def test_the_process_that_delivers_signs_as_with_the_key_that_it_does_not_get(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = {"DISPATCHER_SECRET_KEY": f"{KEY},{KEY} that was"}
    given = roles.environment_of(Part.WEBHOOKS, keys)
    assert given == {
        "DISPATCHER_WEBHOOK_SECRET": f"{secret_from_key(KEY)},{secret_from_key(f'{KEY} that was')}",
        "DISPATCHER_LINK_SECRET": ",".join(map(link_secret_from_key, [KEY, f"{KEY} that was"])),
    }
    monkeypatch.setenv("DISPATCHER_SECRET_KEY", keys["DISPATCHER_SECRET_KEY"])
    with_key = Settings.load()
    monkeypatch.delenv("DISPATCHER_SECRET_KEY")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert Settings.load().webhook_secrets == with_key.webhook_secrets
    assert Settings.load().alert_links == with_key.alert_links
    own = {"DISPATCHER_WEBHOOK_SECRET": secret_from_key("its own"), "DISPATCHER_LINK_SECRET": "own"}
    assert roles.environment_of(Part.WEBHOOKS, {**keys, **own}) == own


def test_the_process_that_delivers_knows_where_people_reach_the_gateway() -> None:
    public = {"DISPATCHER_PUBLIC_URL": "https://voice.example.com"}
    link = {"DISPATCHER_LINK_URL": "https://people.example.com"}
    made = roles.environment_of(Part.WEBHOOKS, public)
    assert made == {"DISPATCHER_LINK_URL": "https://voice.example.com"}
    assert roles.environment_of(Part.WEBHOOKS, {**public, **link}) == link


def test_names_are_read_in_any_case_and_so_they_are_kept_back() -> None:
    """Settings are read without regard to it."""
    given = {"dispatcher_secret_key": KEY, "Xoxzo_Api_Auth_Token": "token"}
    assert roles.environment_of(Part.FLOWER, given) == {}
    assert roles.environment_without(given) == {}


def test_a_program_that_is_not_ours_gets_nothing_of_ours() -> None:
    assert roles.environment_without({**ALL, "FLOWER_BASIC_AUTH": "x"}) == {"PATH": "/bin"}


def test_a_process_forgets_what_it_was_given_for_others() -> None:
    environment = dict(ALL)
    roles.forget_others(Part.GATEWAY, environment)
    assert ALL.keys() - environment.keys() == {"XOXZO_API_AUTH_TOKEN", "DISPATCHER_FLOWER_AUTH"}
