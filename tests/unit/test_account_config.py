"""The rules of the account, as Redis keeps them and as the settings make them."""

from __future__ import annotations

import pytest

from config.settings import Settings
from dispatcher.model.account_config import AccountConfig
from dispatcher.model.number_type import NumberType
from dispatcher.model.states import Dnc
from dispatcher.model.unusual import Unusual
from dispatcher.store.config_codec import config_fields
from dispatcher.values.calling_hours import CallingHours
from dispatcher.values.rate import Rate

ALL = AccountConfig(
    rate=Rate(0.5, 60),
    margin=0.1,
    margin_most=0.2,
    share=0.2,
    recovery=60,
    connections=20,
    lease=33.05,
    gap=1.5,
    per_day=3,
    one_at_a_time=True,
    dnc_urgent=Dnc.EXEMPT,
    hours=CallingHours.parse("mon-fri 08:00-21:00 Asia/Tokyo"),
    countries=frozenset({"US", "JP"}),
    number_types=frozenset({NumberType.PREMIUM, NumberType.PAGER}),
    blocked=frozenset({"001"}),
    floor=60,
    expected_cost=12.5,
    warn=(1000, 200.5),
    spend_per_day=5000,
    spend_per_call=99,
    hold_unusual=frozenset({Unusual.SPENDING, Unusual.COUNTRY}),
    zone="Asia/Tokyo",
    breaker=7,
    replicas=2,
    accept_durable=True,
    lang="ja",
)


def test_every_rule_has_its_field_durations_in_milliseconds() -> None:
    assert config_fields(ALL) == {
        "rate": "0.5",
        "rate_count": "30",
        "rate_window": "60000.000000",
        "margin": "0.1",
        "margin_most": "0.2",
        "check_share": "0.2",
        "recovery": "60000",
        "connections": "20",
        "connection_lease": "33050",
        "recipient_gap": "1500",
        "recipient_per_day": "3",
        "one_at_a_time": "1",
        "dnc_urgent": "exempt",
        "calling_hours": "mon-fri 08:00-21:00 Asia/Tokyo",
        "countries": "JP,US",
        "blocked_countries": "001",
        "number_types": "pager,premium",
        "credit_floor": "600000",
        "expected_cost": "125000",
        "credit_warnings": "10000000,2005000",
        "spend_per_day": "50000000",
        "spend_per_call": "990000",
        "hold_unusual": "country,spending",
        "zone": "Asia/Tokyo",
        "breaker_failures": "7",
        "replicas": "2",
        "accept_durable": "1",
        "lang": "ja",
    }


@pytest.mark.parametrize(
    ("account_config", "absent"),
    [
        (
            AccountConfig(),
            {
                "rate",
                "rate_count",
                "rate_window",
                "recipient_gap",
                "recipient_per_day",
                "calling_hours",
                "countries",
                "blocked_countries",
                "number_types",
                "credit_floor",
                "credit_warnings",
            },
        ),
        (AccountConfig(), {"spend_per_day", "spend_per_call", "replicas", "accept_durable"}),
        (AccountConfig(one_at_a_time=False), {"one_at_a_time"}),
    ],
)
def test_what_is_no_rule_has_no_field(account_config: AccountConfig, absent: set[str]) -> None:
    assert not absent & config_fields(account_config).keys()
    assert all(config_fields(account_config).values())


def test_a_rate_loses_nothing_on_its_way() -> None:
    rate = Rate.parse("1/minute")
    assert float(config_fields(AccountConfig(rate=rate))["rate"]) == rate.per_second


def test_a_margin_alone_is_the_most_as_well_where_it_is_wider() -> None:
    assert config_fields(AccountConfig(margin=0.1))["margin_most"] == "0.1"


def test_the_settings_are_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "RATE_LIMIT": "30/minute",
        "RATE_MARGIN": "0.1",
        "RATE_MARGIN_MOST": "0.2",
        "RATE_RECOVERY": "1m",
        "CHECK_SHARE": "0.2",
        "MAX_CONNECTIONS": "20",
        "READ_TIMEOUT": "0",
        "CONNECT_TIMEOUT": "3.05",
        "CALLING_HOURS": "mon-fri 08:00-21:00 Asia/Tokyo",
        "RECIPIENT_GAP": "1.5s",
        "RECIPIENT_PER_DAY": "3",
        "RECIPIENT_ONE_AT_A_TIME": "yes",
        "ALLOWED_COUNTRIES": "jp, US,",
        "BLOCKED_COUNTRIES": "001",
        "DNC_URGENT": "exempt",
        "ALLOWED_NUMBER_TYPES": "Premium, pager",
        "CREDIT_FLOOR": "60",
        "EXPECTED_COST": "12.5",
        "CREDIT_WARN": "1000, 200.5",
        "SPEND_PER_DAY": "5000",
        "SPEND_PER_CALL": "99",
        "HOLD_UNUSUAL": "spending, Country",
        "SPEND_ZONE": "Asia/Tokyo",
        "BREAKER_FAILURES": "7",
        "REDIS_REPLICAS": "2",
        "LANG": "ja",
    }.items():
        monkeypatch.setenv(f"DISPATCHER_{name}", value)
    assert Settings.load().account_config == ALL


def test_the_settings_left_alone_protect_people_and_the_account() -> None:
    account_config = Settings.load().account_config
    assert (account_config.rate, account_config.gap, account_config.per_day) == (Rate(5), 60, 20)
    assert account_config.one_at_a_time
    assert (account_config.hours, account_config.countries, account_config.blocked) == (
        None,
        frozenset(),
        frozenset(),
    )


@pytest.mark.parametrize("written", ["none", " None "])
def test_limits_may_be_lifted(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    for name in ("RATE_LIMIT", "RECIPIENT_PER_DAY", "CALLING_HOURS"):
        monkeypatch.setenv(f"DISPATCHER_{name}", written)
    account_config = Settings.load().account_config
    assert (account_config.rate, account_config.per_day, account_config.hours) == (None, None, None)
