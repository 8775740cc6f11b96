"""Settings: from the environment, whole or not at all, and with secrets kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config.settings import InvalidSettings, Settings
from dispatcher.model.states import OnUncertain
from dispatcher.policy import Policy
from dispatcher.provider.xoxzo.settings import XoxzoSettings
from dispatcher.values.callback_urls import CallbackUrls, Signer

KEY = "a-key-that-nobody-guesses"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith(("DISPATCHER_", "XOXZO_")):
            monkeypatch.delenv(name)


def load(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings.load()


def test_an_empty_environment_will_do() -> None:
    settings = Settings.load()
    assert settings.of_provider == XoxzoSettings(host="https://api.xoxzo.com")
    assert settings.credentials == ()
    assert settings.credit_floor == 50
    assert settings.redis_url is None
    assert settings.policy == Policy()


@pytest.mark.parametrize(
    ("name", "written", "field", "value"),
    [
        ("DISPATCHER_PROVIDER", "xoxzo", "provider", "xoxzo"),
        ("DISPATCHER_MAX_CONNECTIONS", "3", "max_connections", 3),
        ("DISPATCHER_CREDIT_FLOOR", "70", "credit_floor", 70),
        ("DISPATCHER_CREDIT_FLOOR", "0", "credit_floor", 0),
        ("DISPATCHER_CREDIT_FLOOR", "none", "credit_floor", None),
        ("DISPATCHER_CREDIT_FLOOR", " None ", "credit_floor", None),
        ("DISPATCHER_REDIS_REPLICAS", "2", "redis_replicas", 2),
        ("DISPATCHER_REDIS_REPLICAS", " Auto", "redis_replicas", None),
        ("DISPATCHER_REDIS_REPLICAS", "1", "accepts_durable", True),
        ("DISPATCHER_REDIS_REPLICAS", "0", "accepts_durable", False),
        ("DISPATCHER_REDIS_REPLICAS", "auto", "accepts_durable", False),
        ("DISPATCHER_ACCEPT_DURABLE", "true", "accepts_durable", True),
        ("DISPATCHER_CALLER", "+819011112222", "caller", "+819011112222"),
        ("DISPATCHER_REGION", "jp", "region", "JP"),
        ("DISPATCHER_DIAL_IN_NUMBER", "+815012340000", "dial_in_number", "+815012340000"),
        ("DISPATCHER_DIAL_IN_UNKNOWN", "say", "dial_in_unknown", None),
        ("DISPATCHER_DIAL_IN_UNKNOWN", "transfer:+81312345678", "dial_in_unknown", "+81312345678"),
        ("DISPATCHER_MAX_ATTEMPTS", "50", "max_attempts", 50),
        ("DISPATCHER_ON_UNCERTAIN", "redial", "on_uncertain", OnUncertain.REDIAL),
        ("DISPATCHER_ON_UNCERTAIN", "hold", "on_uncertain", OnUncertain.HOLD),
        ("DISPATCHER_RETENTION", "90", "retention", 90),
        ("DISPATCHER_RETENTION", "30s", "retention", 30),
        ("DISPATCHER_RETENTION", "15m", "retention", 900),
        ("DISPATCHER_RETENTION", "2h", "retention", 7200),
        ("DISPATCHER_RETENTION", "7d", "retention", 604_800),
        ("DISPATCHER_EVIDENCE_WINDOW", "0", "evidence_window", 0),
        ("DISPATCHER_FLOWER_PORT", "65535", "flower_port", 65535),
        ("DISPATCHER_FLOWER_DB", "/tmp/f.db", "flower_db", Path("/tmp/f.db")),
        ("DISPATCHER_LOG_LEVEL", "DEBUG", "log_level", "DEBUG"),
        (
            "DISPATCHER_PUBLIC_URL",
            "https://a.example/voice/",
            "public_url",
            "https://a.example/voice",
        ),
        ("DISPATCHER_SECRET_KEY", KEY, "secret_keys", (KEY,)),
        ("DISPATCHER_SECRET_KEY", f"{KEY}, {KEY}-new", "secret_keys", (KEY, f"{KEY}-new")),
        ("DISPATCHER_CONSOLE_IDLE", "30m", "console_idle", 1800),
        ("DISPATCHER_FLOWER_URL", "http://a.example/f/", "flower_url", "http://a.example/f"),
        ("DISPATCHER_GATEWAY_HOST", "0.0.0.0", "gateway_url", "http://127.0.0.1:8080"),
        ("DISPATCHER_GATEWAY_HOST", "::1", "gateway_url", "http://[::1]:8080"),
    ],
)
def test_a_variable_sets_its_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, written: str, field: str, value: object
) -> None:
    assert getattr(load(monkeypatch, **{name: written}), field) == value


@pytest.mark.parametrize(
    "name",
    [
        "XOXZO_API_HOST",
        "XOXZO_API_AUTH_TOKEN",
        "DISPATCHER_REDIS_URL",
        "DISPATCHER_CREDIT_FLOOR",
        "DISPATCHER_RETENTION",
        "DISPATCHER_ON_UNCERTAIN",
        "DISPATCHER_FLOWER_AUTH",
        "DISPATCHER_FLOWER_PORT",
    ],
)
def test_an_empty_variable_is_as_good_as_unset(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert load(monkeypatch, **{name: ""}) == Settings.load()


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("XOXZO_API_HOST", "api.xoxzo.com", "write a URL such as https://api.xoxzo.com"),
        ("XOXZO_API_HOST", "ftp://api.xoxzo.com", "write a URL such as"),
        ("XOXZO_API_HOST", "https://", "write a URL such as"),
        ("XOXZO_API_HOST", "https://[::1", "write a URL such as"),
        ("XOXZO_API_HOST", "https://host:port", "write a URL such as"),
        ("XOXZO_API_HOST", "http://api.xoxzo.com", "Write https://"),
        ("XOXZO_API_HOST", "http://10.1.2.3:8080", "all numbers would be readable on the way"),
        ("DISPATCHER_REDIS_URL", "localhost:6379", "write redis://host:6379/0"),
        ("DISPATCHER_REDIS_URL", "http://localhost", "write redis://host:6379/0"),
        ("DISPATCHER_NAMESPACE", "a b", "1 to 32 ASCII letters"),
        ("DISPATCHER_REDIS_REPLICAS", "some", "write auto, or a number from 0 to 100"),
        ("DISPATCHER_REDIS_REPLICAS", "-1", "write auto, or a number"),
        ("DISPATCHER_REDIS_REPLICAS", "101", "write auto, or a number"),
        ("DISPATCHER_ACCEPT_DURABLE", "maybe", "neither true nor false"),
        ("DISPATCHER_CALLER", "me", "3 to 15 digits"),
        ("DISPATCHER_LANG", "english", "such as en or ja"),
        ("DISPATCHER_REGION", "UK", "not a country code: write GB"),
        ("DISPATCHER_DIAL_IN_NUMBER", "05012340000", "E.164"),
        ("DISPATCHER_DIAL_IN_UNKNOWN", "transfer:0312345678", "E.164"),
        ("DISPATCHER_DIAL_IN_UNKNOWN", "hang up", "write say, or transfer:"),
        ("DISPATCHER_MAX_CONNECTIONS", "many", "not a whole number"),
        ("DISPATCHER_MAX_CONNECTIONS", "0", "at least 1"),
        ("DISPATCHER_MAX_CONNECTIONS", "1.5", "not a whole number"),
        ("DISPATCHER_MAX_CONNECTIONS", "9" * 5000, "too large"),
        ("DISPATCHER_CREDIT_FLOOR", "low", "credits from 0, or none"),
        ("DISPATCHER_CREDIT_FLOOR", "-1", "credits from 0, or none"),
        ("DISPATCHER_CREDIT_FLOOR", "nan", "credits from 0, or none"),
        ("DISPATCHER_CREDIT_FLOOR", "inf", "credits from 0, or none"),
        ("DISPATCHER_RATE_LIMIT", "fast", "write requests per second (5, 0.5), or 60/minute"),
        ("DISPATCHER_RATE_LIMIT", "60/week", "or 60/minute, 1000/hour, 5000/day"),
        ("DISPATCHER_RATE_LIMIT", "0", "from 1/day to 10000 a second"),
        ("DISPATCHER_RATE_LIMIT", "1000001/day", "too many in one window: 1000000 at most"),
        ("DISPATCHER_RATE_LIMIT", "-1", "write requests per second"),
        ("DISPATCHER_RATE_LIMIT", "1000000", "from 1/day to 10000 a second"),
        ("DISPATCHER_RATE_MARGIN", "2", "at most 0.5"),
        ("DISPATCHER_RATE_MARGIN", "nan", "at most 0.5"),
        ("DISPATCHER_RATE_MARGIN_MOST", "0.6", "at most 0.5"),
        ("DISPATCHER_RATE_MARGIN_MOST", "0.005", "at least DISPATCHER_RATE_MARGIN, which is 0.01"),
        ("DISPATCHER_RATE_RECOVERY", "0", "at least 1"),
        ("DISPATCHER_RATE_RECOVERY", "slow", "write seconds or 30s, 15m, 2h, 7d"),
        ("DISPATCHER_CHECK_SHARE", "0", "at least 0.01"),
        ("DISPATCHER_CHECK_SHARE", "1", "at most 0.9"),
        ("DISPATCHER_CHECK_SHARE", "half", "not a number"),
        ("DISPATCHER_CALLING_HOURS", "08:00-08:00", "never open"),
        ("DISPATCHER_CALLING_HOURS", "daytime", "write 08:00-21:00, or mon-fri"),
        ("DISPATCHER_CALLING_HOURS", "08:00-21:00 Tokyo", "write one such as Asia/Tokyo"),
        ("DISPATCHER_CALLING_HOURS", "monday 08:00-21:00", "mon tue wed thu fri sat sun"),
        ("DISPATCHER_RECIPIENT_GAP", "-1", "write seconds or 30s, 15m, 2h, 7d"),
        ("DISPATCHER_RECIPIENT_PER_DAY", "0", "at least 1"),
        ("DISPATCHER_RECIPIENT_PER_DAY", "few", "not a whole number"),
        ("DISPATCHER_RECIPIENT_ONE_AT_A_TIME", "maybe", "neither true nor false"),
        ("DISPATCHER_ALLOWED_COUNTRIES", "JP,XX", "'XX' is not a country: write ISO 3166 codes"),
        ("DISPATCHER_HOLD_UNUSUAL", "all", "choose from country, countries, spending"),
        ("DISPATCHER_ALLOWED_COUNTRIES", ",", "write ISO 3166 codes such as JP,US, or any"),
        ("DISPATCHER_ALLOWED_NUMBER_TYPES", "premium,fax", "'fax' is not a type of numbers"),
        ("DISPATCHER_BLOCKED_COUNTRIES", "UK", "not a country: write"),
        ("DISPATCHER_BLOCKED_COUNTRIES", "Japan", "001 for satellite"),
        ("DISPATCHER_MAX_ATTEMPTS", "51", "at most 50"),
        ("DISPATCHER_ON_UNCERTAIN", "hope", "not one of 'redial' or 'hold'"),
        ("DISPATCHER_RETENTION", "5x", "write seconds or 30s, 15m, 2h, 7d"),
        ("DISPATCHER_CALL_DEADLINE", "-3", "write seconds or 30s, 15m, 2h, 7d"),
        ("DISPATCHER_EVIDENCE_WINDOW", "inf", "write seconds or 30s, 15m, 2h, 7d"),
        ("DISPATCHER_FLOWER_PORT", "65536", "at most 65535"),
        ("DISPATCHER_FLOWER_PORT", "0", "at least 1"),
        ("DISPATCHER_GATEWAY_PORT", "0", "at least 1"),
        ("DISPATCHER_CONSOLE", "perhaps", "neither true nor false"),
        ("DISPATCHER_CONSOLE_IDLE", "5s", "at least 60"),
        ("DISPATCHER_CONSOLE_SESSION", "long", "write seconds or 30s, 15m, 2h, 7d"),
        ("DISPATCHER_FLOWER_URL", "flower", "such as https://flower.example.com"),
        ("DISPATCHER_PUBLIC_URL", "voice.example.com", "such as https://voice.example.com"),
        ("DISPATCHER_PUBLIC_URL", "https://voice.example.com/#a", "such as https://voice"),
        ("DISPATCHER_PUBLIC_URL", "ftp://voice.example.com", "such as https://voice"),
        ("DISPATCHER_LOG_LEVEL", "loud", "not one of 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
    ],
    ids=lambda text: text[:30],
)
def test_a_wrong_value_is_refused_with_variable_value_and_what_is_accepted(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, accepted: str
) -> None:
    with pytest.raises(InvalidSettings) as caught:
        load(monkeypatch, **{name: value})
    message = str(caught.value)
    assert message.startswith(f"{name}={value!r}: ")
    assert len(value) == 1 or repr(value) not in message.partition(": ")[2]
    assert accepted in message
    assert "Input should" not in message


def test_a_variable_in_small_letters_is_named_as_documented(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(InvalidSettings, match="DISPATCHER_MAX_CONNECTIONS='many'"):
        load(monkeypatch, dispatcher_max_connections="many")


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidSettings) as caught:
        load(monkeypatch, DISPATCHER_RETENTION="5x", DISPATCHER_FLOWER_PORT="x")
    assert "DISPATCHER_RETENTION='5x'" in str(caught.value)
    assert "DISPATCHER_FLOWER_PORT='x'" in str(caught.value)


def test_a_value_given_at_the_start_goes_before_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", "redis://environment")
    assert Settings.load(redis_url="redis://given").records == "redis://given"
    with pytest.raises(InvalidSettings, match="='http://given'"):
        Settings.load(redis_url="http://given")


# -- secrets --------------------------------------------------------------------------------


def test_secrets_show_neither_in_str_nor_in_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(
        monkeypatch,
        XOXZO_API_AUTH_TOKEN="hunter2",
        DISPATCHER_REDIS_URL="redis://:hunter2@localhost/0",
        DISPATCHER_BROKER_URL="amqp://me:hunter2@localhost",
        DISPATCHER_FLOWER_AUTH="me:hunter2",
        DISPATCHER_SECRET_KEY="hunter2-and-more-words",
    )
    assert "hunter2" not in str(settings) + repr(settings) + settings.model_dump_json()
    assert "hunter2" not in repr(settings.of_provider)
    assert settings.records == "redis://:hunter2@localhost/0"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DISPATCHER_REDIS_URL", "http://:hunter2@localhost"),
        ("DISPATCHER_REDIS_URL", "redis//:hunter2@localhost"),
        ("DISPATCHER_REDIS_URL", "http://localhost?password=hunter2"),
        ("DISPATCHER_FLOWER_AUTH", "hunter2"),
        ("DISPATCHER_SECRET_KEY", "hunter2"),
        ("DISPATCHER_SECRET_KEY", f"{KEY},hunter2"),
        ("DISPATCHER_PUBLIC_URL", "https://me:hunter2@localhost"),
        ("XOXZO_API_HOST", "ftp://me:hunter2@localhost"),
        ("XOXZO_API_HOST", "http://me:hunter2/@localhost"),
    ],
)
def test_secrets_do_not_show_in_errors(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(InvalidSettings, match=name) as caught:
        load(monkeypatch, **{name: value})
    assert "hunter2" not in str(caught.value) + repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("value", ["me", "me:", ":hunter2", "me:hunter2,", "me:hun,ter2"])
def test_flowers_password_has_a_user_and_a_word(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    with pytest.raises(InvalidSettings, match="DISPATCHER_FLOWER_AUTH: write user:password"):
        load(monkeypatch, DISPATCHER_FLOWER_AUTH=value)


# -- what is made of them -------------------------------------------------------------------


def test_the_broker_is_the_records_redis_unless_another_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load(monkeypatch, DISPATCHER_REDIS_URL="redis://one").broker == "redis://one"
    assert load(monkeypatch, DISPATCHER_BROKER_URL="amqp://two").broker == "amqp://two"


def test_without_a_redis_the_message_says_how_to_get_one() -> None:
    with pytest.raises(InvalidSettings, match="DISPATCHER_REDIS_URL is not set"):
        _ = Settings.load().records


def test_without_a_secret_key_the_message_says_what_to_set() -> None:
    with pytest.raises(InvalidSettings, match="DISPATCHER_SECRET_KEY is not set"):
        _ = Settings.load().secret_keys


def test_the_policy_follows_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = load(
        monkeypatch,
        DISPATCHER_MAX_ATTEMPTS="7",
        DISPATCHER_ON_UNCERTAIN="redial",
        DISPATCHER_EVIDENCE_WINDOW="2m",
        DISPATCHER_CALL_DEADLINE="1h",
    ).policy
    assert (policy.max_attempts, policy.on_uncertain) == (7, OnUncertain.REDIAL)
    assert (policy.evidence_window, policy.call_deadline) == (120, 3600)


KEYS = {"DISPATCHER_PUBLIC_URL": "https://a.example", "DISPATCHER_SECRET_KEY": KEY}


def test_callbacks_are_there_where_a_public_url_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.load().callbacks is None
    settings = load(monkeypatch, **KEYS, DISPATCHER_CALL_DEADLINE="1h")
    assert settings.callbacks == CallbackUrls(
        "https://a.example", Signer((KEY,)), 3600 + 300 + 86400
    )
    assert KEY not in repr(settings.callbacks)


def test_a_public_url_wants_a_secret_key(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, DISPATCHER_PUBLIC_URL="https://a.example")
    with pytest.raises(InvalidSettings, match="DISPATCHER_SECRET_KEY is not set"):
        _ = settings.callbacks


def test_no_callback_url_outlives_the_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same key makes the same id again: it would be another job's."""
    callbacks = load(monkeypatch, **KEYS, DISPATCHER_RETENTION="1h").callbacks
    assert callbacks is not None
    assert callbacks.lifetime == 3600


def test_behind_callbacks_the_first_check_is_later_unless_it_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load(monkeypatch).policy.check_first == 20
    assert load(monkeypatch, **KEYS).policy.check_first == 120
    assert load(monkeypatch, DISPATCHER_CHECK_FIRST="7s").policy.check_first == 7


def test_a_lease_outlives_every_timeout_of_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, DISPATCHER_CONNECT_TIMEOUT="10s", DISPATCHER_READ_TIMEOUT="2m")
    assert settings.lease > 130


# -- bounds ----------------------------------------------------------------------------------

REAL = {"XOXZO_API_SID": "sid", "XOXZO_API_AUTH_TOKEN": "token"}
COUNTRIES, SPENDING = "DISPATCHER_ALLOWED_COUNTRIES", "DISPATCHER_SPEND_PER_DAY"


@pytest.mark.parametrize(
    ("chosen", "missing"),
    [
        ({}, {COUNTRIES, SPENDING}),
        ({COUNTRIES: "", SPENDING: ""}, {COUNTRIES, SPENDING}),
        ({COUNTRIES: "any"}, {SPENDING}),
        ({SPENDING: "none"}, {COUNTRIES}),
    ],
)
def test_real_calls_need_bounds_that_somebody_chose(
    monkeypatch: pytest.MonkeyPatch, chosen: dict[str, str], missing: set[str]
) -> None:
    settings = load(monkeypatch, **REAL, **chosen)
    with pytest.raises(InvalidSettings) as caught:
        settings.require_bounds()
    before, _, example = str(caught.value).partition(". ")
    assert {name for name in (COUNTRIES, SPENDING) if name in before} == missing
    assert f"{COUNTRIES}=JP {SPENDING}=5000" in example


@pytest.mark.parametrize(
    "chosen",
    [
        {**REAL, COUNTRIES: "JP", SPENDING: "5000"},
        {**REAL, COUNTRIES: "Any", SPENDING: "none"},
        {"XOXZO_API_SID": "sandbox", "XOXZO_API_AUTH_TOKEN": "sandbox"},
        {},
    ],
    ids=["chosen", "none on purpose", "sandbox", "no credentials"],
)
def test_bounds_on_purpose_and_a_sandbox_start(
    monkeypatch: pytest.MonkeyPatch, chosen: dict[str, str]
) -> None:
    load(monkeypatch, **chosen).require_bounds()


def test_any_country_is_said_on_purpose(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, DISPATCHER_ALLOWED_COUNTRIES="any")
    assert settings.account_config.countries == frozenset()


# -- the provider's own ---------------------------------------------------------------------


def test_the_providers_own_settings_come_from_its_own_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = load(
        monkeypatch,
        XOXZO_API_SID="sid",
        XOXZO_API_AUTH_TOKEN="token",
        XOXZO_API_HOST="http://127.0.0.1:8000",
        DISPATCHER_XOXZO_PARAMS="jp_line=1, note=a b,",
    )
    params = {"jp_line": "1", "note": "a b"}
    assert settings.of_provider == XoxzoSettings("sid", "token", "http://127.0.0.1:8000", params)
    assert settings.credentials == ("XOXZO_API_SID", "XOXZO_API_AUTH_TOKEN")


def test_a_provider_that_there_is_not_is_refused_with_those_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pattern = r"^DISPATCHER_PROVIDER='acme': not a provider: the only one is xoxzo$"
    with pytest.raises(InvalidSettings, match=pattern):
        load(monkeypatch, DISPATCHER_PROVIDER="acme")


@pytest.mark.parametrize(
    "key", ["a" * 32, "ab" * 16, "changeme" * 4, "0123456789abcdef", "aaaaaaaaaaaaaaab"]
)
def test_a_key_that_can_be_guessed_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    with pytest.raises(InvalidSettings, match="16 characters that nobody can guess") as caught:
        load(monkeypatch, DISPATCHER_SECRET_KEY=f"{KEY},{key}")
    assert key not in str(caught.value)


@pytest.mark.parametrize("host", ["http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9"])
def test_on_this_machine_a_provider_needs_no_tls(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    assert load(monkeypatch, XOXZO_API_HOST=host).of_provider


def test_a_sandbox_on_another_machine_needs_no_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its token is known to all, and it rings nobody."""
    assert load(monkeypatch, XOXZO_API_HOST="http://10.1.2.3:9", XOXZO_API_SID="sandbox")


@pytest.mark.parametrize("host", ["api.xoxzo.com", "ftp://api.xoxzo.com", "https://", "http://a:0"])
def test_a_host_that_is_no_url_is_refused(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with pytest.raises(InvalidSettings, match=f"XOXZO_API_HOST='{host}': write a URL such as"):
        load(monkeypatch, XOXZO_API_HOST=host)


def test_a_password_in_the_host_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidSettings, match="XOXZO_API_HOST") as caught:
        load(monkeypatch, XOXZO_API_HOST="hunter2@api.xoxzo.com")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("params", "wrong"),
    [
        ("recipient=+818011234567", "'recipient' is a field that the dispatcher itself fills in"),
        ("jp_line", "field 1 has no =: write name=value"),
        ("a=hunter2,a=hunter3", "'a' is there twice"),
    ],
)
def test_params_that_cannot_be_sent_stop_the_start_and_are_not_shown(
    monkeypatch: pytest.MonkeyPatch, params: str, wrong: str
) -> None:
    with pytest.raises(InvalidSettings) as caught:
        load(monkeypatch, DISPATCHER_XOXZO_PARAMS=params)
    assert str(caught.value).startswith("DISPATCHER_XOXZO_PARAMS: ")
    assert wrong in str(caught.value)
    assert not {"hunter2", "818011234567"} & {part.strip("'") for part in str(caught.value).split()}
