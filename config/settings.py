"""Every setting of the processes, from the environment; a wrong one stops the start."""

from __future__ import annotations

import os
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import NoDecode, SettingsConfigDict

from config import texts
from config.caps import Caps
from dispatcher.client.broker_url import known_broker
from dispatcher.errors import UsageError
from dispatcher.model.account_config import AccountConfig
from dispatcher.model.number_type import NumberType
from dispatcher.model.plain_words import in_plain_words
from dispatcher.model.request_limits import DEFAULT_LANGUAGE, MOST_ATTEMPTS
from dispatcher.model.states import Dnc, OnUncertain
from dispatcher.model.unusual import Unusual
from dispatcher.policy import DEFAULTS, Policy
from dispatcher.provider import Misconfigured, ProviderSettings, Registration, Timeouts, registry
from dispatcher.values import numbers
from dispatcher.values.alert_links import AlertLinks, link_secret_from_key
from dispatcher.values.callback_urls import SLACK, CallbackUrls, Signer
from dispatcher.values.calling_hours import CallingHours
from dispatcher.values.durations import seconds
from dispatcher.values.masking import hide_password
from dispatcher.values.namespace import DEFAULT_NAMESPACE, namespace_of
from dispatcher.values.rate import Rate
from dispatcher.values.regions import parse_region
from dispatcher.values.webhook_secrets import WebhookSecrets, secret_from_key
from dispatcher.values.weekly import Weekly


class InvalidSettings(UsageError):
    """A setting is wrong; the message names the variable, the value and what is accepted."""


RENAMED = {
    "DISPATCHER_CREDIT_LOOK": "DISPATCHER_BALANCE_CHECK_EVERY",
    "DISPATCHER_DOOR_REDELIVERY": "DISPATCHER_CALL_REDELIVERY",
}
"""Names of 0.1.0: what is set by them would otherwise be ignored without a word."""
CHECK_FIRST_BEHIND_CALLBACKS = 120.0
"""Seconds: most calls have ended by then, and their callbacks are here."""
TIMEOUTS = Timeouts()
MONDAYS = Weekly.parse("mon 09:00 UTC")
Duration = Annotated[float, BeforeValidator(seconds)]
Port = Annotated[int, Field(ge=1, le=65535)]
Count = Annotated[int, Field(ge=1, le=1000)]
Networks = Annotated[
    tuple[IPv4Network | IPv6Network, ...], BeforeValidator(texts.networks), NoDecode
]


class Settings(Caps):
    """What the processes run with. Durations are in seconds, or `30s`, `15m`, `2h`, `7d`."""

    model_config = SettingsConfigDict(
        env_prefix="DISPATCHER_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    provider: Annotated[str, AfterValidator(texts.provider)] = registry.DEFAULT

    redis_url: Annotated[SecretStr, AfterValidator(texts.redis_url)] | None = None
    broker_url: SecretStr | None = None
    appendfsync: Literal["everysec", "always"] = "everysec"
    redis_maxmemory: Annotated[str, AfterValidator(texts.memory)] = "2gb"
    redis_replicas: Annotated[int | None, BeforeValidator(texts.replicas), NoDecode] = None
    accept_durable: bool | None = None
    namespace: Annotated[str, AfterValidator(namespace_of)] = DEFAULT_NAMESPACE

    caller: Annotated[str, AfterValidator(numbers.caller)] | None = None
    lang: Annotated[str, AfterValidator(texts.language)] = DEFAULT_LANGUAGE
    region: Annotated[str, AfterValidator(parse_region)] | None = None
    rate_limit: Annotated[Rate | None, BeforeValidator(texts.rate), NoDecode] = Rate(5)
    rate_margin: Annotated[float, Field(ge=0, le=0.5)] = 0.01
    rate_margin_most: Annotated[
        float, Field(ge=0, le=0.5), AfterValidator(texts.not_below_margin)
    ] = 0.025
    rate_recovery: Annotated[Duration, Field(ge=1)] = 600
    check_share: Annotated[float, Field(ge=0.01, le=0.9)] = 0.1
    max_connections: Count = 8
    credit_floor: Annotated[float | None, BeforeValidator(texts.floor), NoDecode] = 50
    balance_check_every: Annotated[Duration, Field(ge=1)] = 300
    credit_warn: Annotated[tuple[float, ...], BeforeValidator(texts.levels), NoDecode] = (500, 100)
    expected_cost: Annotated[float, Field(gt=0, le=texts.MOST_CREDITS)] = 20
    spend_per_day: Annotated[float | None, BeforeValidator(texts.amount), NoDecode] = None
    spend_per_call: Annotated[float | None, BeforeValidator(texts.amount), NoDecode] = None
    hold_unusual: Annotated[frozenset[Unusual], BeforeValidator(texts.unusual), NoDecode] = (
        frozenset()
    )
    spend_zone: Annotated[str, AfterValidator(texts.zone)] = texts.DEFAULT_ZONE
    breaker_failures: Annotated[int, Field(ge=1, le=1000)] = 5

    calling_hours: Annotated[CallingHours | None, BeforeValidator(texts.hours), NoDecode] = None
    recipient_gap: Duration = 60
    recipient_per_day: Annotated[
        Annotated[int, Field(ge=1, le=1000)] | None, BeforeValidator(texts.none), NoDecode
    ] = 20
    recipient_one_at_a_time: bool = True
    dnc_urgent: Dnc = Dnc.OBEY
    allowed_countries: Annotated[
        frozenset[str], BeforeValidator(texts.allowed_countries), NoDecode
    ] = frozenset()
    blocked_countries: Annotated[frozenset[str], BeforeValidator(texts.countries), NoDecode] = (
        frozenset()
    )

    allowed_number_types: Annotated[
        frozenset[NumberType], BeforeValidator(texts.number_types), NoDecode
    ] = frozenset()

    max_attempts: Annotated[int, Field(ge=1, le=MOST_ATTEMPTS)] = DEFAULTS.max_attempts
    redial: Annotated[int, Field(ge=0, le=MOST_ATTEMPTS - 1)] = DEFAULTS.redial
    redial_after: Duration = DEFAULTS.redial_after
    on_uncertain: OnUncertain | None = DEFAULTS.on_uncertain
    evidence_window: Duration = DEFAULTS.evidence_window
    call_deadline: Duration = DEFAULTS.call_deadline
    retention: Duration = 30 * 86400
    audit_retention: Duration = 365 * 86400
    campaign_retention: Duration = 365 * 86400

    backoff_first: Duration = DEFAULTS.backoff_first
    backoff_longest: Duration = DEFAULTS.backoff_longest
    check_first: Duration = DEFAULTS.check_first
    check_longest: Duration = DEFAULTS.check_longest
    connect_timeout: Duration = TIMEOUTS.connect
    read_timeout: Duration = TIMEOUTS.read
    call_redelivery: Annotated[Duration, Field(ge=1, le=12 * 3600)] = 60
    serve_default_queue: bool = False

    confirm_callbacks: bool = False
    public_url: Annotated[str, AfterValidator(texts.public_url)] | None = None
    secret_key: Annotated[SecretStr, AfterValidator(texts.secret_keys)] | None = None
    link_url: Annotated[str, AfterValidator(texts.public_url)] | None = None
    link_secret: Annotated[SecretStr, AfterValidator(texts.secret_keys)] | None = None
    gateway_host: str = "127.0.0.1"
    gateway_port: Port = 8080
    metrics: Literal["auto", "open", "key"] = "auto"
    gateway_tls_cert: Path | None = None
    gateway_tls_key: Path | None = None

    dial_in_number: Annotated[str, AfterValidator(numbers.recipient)] | None = None
    dial_in_unknown: Annotated[str | None, BeforeValidator(texts.dial_in_unknown)] = None

    console: bool = True
    console_idle: Annotated[Duration, Field(ge=60)] = 3600
    console_session: Annotated[Duration, Field(ge=60)] = 12 * 3600

    webhook_url: Annotated[SecretStr, AfterValidator(texts.webhook_urls)] | None = None
    webhook_events: Literal["ends", "all"] = "ends"
    webhook_secret: Annotated[SecretStr, AfterValidator(texts.webhook_secrets)] | None = None
    webhook_old_secret: Annotated[SecretStr, AfterValidator(texts.webhook_secrets)] | None = None
    webhook_numbers: Literal["masked", "whole"] = "masked"
    webhook_allow_private: Networks = ()
    webhook_allow_private_jobs: Networks = ()

    chains: Path | None = None

    alarm_email: Annotated[tuple[str, ...], BeforeValidator(texts.emails), NoDecode] = ()
    alarm_sender: Annotated[str, AfterValidator(texts.email)] | None = None
    alarm_after: Annotated[Duration, Field(ge=10, le=3600)] = 60
    smtp_url: Annotated[SecretStr, AfterValidator(texts.smtp_url)] | None = None
    heartbeat_url: Annotated[SecretStr, AfterValidator(texts.ping_url)] | None = None
    heartbeat_fail_url: Annotated[SecretStr, AfterValidator(texts.ping_url)] | None = None
    alert_summary: Annotated[Weekly | None, BeforeValidator(texts.weekly), NoDecode] = MONDAYS

    flower_host: str = "127.0.0.1"
    flower_port: Port = 5555
    flower_auth: Annotated[SecretStr, AfterValidator(texts.user_and_password)] | None = None
    flower_api: bool = False
    flower_db: Path = Path(".voice-dispatcher/flower.db")
    flower_url: Annotated[str, AfterValidator(texts.flower_url)] | None = None

    task_events: bool = True
    tracing: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    security_log: Path | None = None

    @classmethod
    def load(cls, **given: Any) -> Self:
        """Read the settings, or raise InvalidSettings in one sentence for each wrong variable."""
        if renamed := [old for old in RENAMED if os.environ.get(old)]:
            raise InvalidSettings("; ".join(f"{old} is now {RENAMED[old]}" for old in renamed))
        try:
            settings = cls(**given)
            settings.of_provider  # noqa: B018 - a wrong one stops the start, too
        except ValidationError as error:
            raise InvalidSettings("; ".join(_complaint(item) for item in error.errors())) from None
        except Misconfigured as error:
            raise InvalidSettings(str(error)) from None
        return settings

    @property
    def registration(self) -> Registration:
        """The account's provider."""
        return registry.registration(self.provider)

    @property
    def credentials(self) -> tuple[str, ...]:
        """The variables with the provider's credentials that are set."""
        return tuple(name for name in self.registration.credentials if os.environ.get(name))

    @cached_property
    def of_provider(self) -> ProviderSettings:
        """The provider's own settings. Raises Misconfigured."""
        return self.registration.settings.read(os.environ)

    def require_bounds(self) -> None:
        """Raise InvalidSettings where real calls would have no bounds that somebody chose: the
        countries to call, and what a day may cost.
        """
        bounds = {"allowed_countries": "JP,US or any", "spend_per_day": "5000 or none"}
        missing = [name for name in bounds if name not in self.model_fields_set]
        if missing and self.of_provider.is_real:
            wanted = (f"DISPATCHER_{name.upper()} ({bounds[name]})" for name in missing)
            raise InvalidSettings(
                f"not set: {' and '.join(wanted)}. A stolen API key could call the"
                " whole world at your cost: say which countries to call, and what a day may cost,"
                " such as DISPATCHER_ALLOWED_COUNTRIES=JP DISPATCHER_SPEND_PER_DAY=5000"
            )

    @property
    def policy(self) -> Policy:
        """The account's policy defaults. Where callbacks come, checks only back them."""
        names = Policy.__dataclass_fields__.keys() - {"reported"}
        reported = self.public_url is not None and self.registration.capabilities.callbacks
        given = {name: getattr(self, name) for name in names} | {"reported": reported}
        if reported and "check_first" not in self.model_fields_set:
            given["check_first"] = CHECK_FIRST_BEHIND_CALLBACKS
        return Policy(**given)

    @property
    def account_config(self) -> AccountConfig:
        """What Redis keeps for the account, at every dial."""
        return AccountConfig(
            rate=self.rate_limit,
            margin=self.rate_margin,
            margin_most=self.rate_margin_most,
            share=self.check_share,
            recovery=self.rate_recovery,
            connections=self.max_connections,
            lease=self.lease,
            gap=self.recipient_gap,
            per_day=self.recipient_per_day,
            one_at_a_time=self.recipient_one_at_a_time,
            dnc_urgent=self.dnc_urgent,
            hours=self.calling_hours,
            countries=self.allowed_countries,
            blocked=self.blocked_countries,
            number_types=self.allowed_number_types,
            floor=self.credit_floor,
            expected_cost=self.expected_cost,
            warn=self.credit_warn,
            spend_per_day=self.spend_per_day,
            spend_per_call=self.spend_per_call,
            hold_unusual=self.hold_unusual,
            zone=self.spend_zone,
            breaker=self.breaker_failures,
            webhooks=len(self.webhook_urls),
            every_change=self.webhook_events == "all",
            replicas=self.redis_replicas,
            accept_durable=self.accepts_durable,
            lang=self.lang,
        )

    @property
    def accepts_durable(self) -> bool:
        """Whether producers are answered only when replicas have their jobs."""
        return bool(self.redis_replicas) if self.accept_durable is None else self.accept_durable

    @property
    def webhook_urls(self) -> tuple[str, ...]:
        """The account's targets."""
        return texts.listed(self.webhook_url) if self.webhook_url else ()

    @property
    def webhook_secrets(self) -> WebhookSecrets:
        """What signs webhooks: made of their own secret, or else of the secret keys."""
        old = texts.listed(self.webhook_old_secret) if self.webhook_old_secret else ()
        if self.webhook_secret:
            return WebhookSecrets(texts.listed(self.webhook_secret), old)
        keys = texts.listed(self.secret_key) if self.secret_key else ()
        return WebhookSecrets(tuple(secret_from_key(key) for key in keys), old)

    def check_together(self) -> None:
        """Raise InvalidSettings for what is wrong with several settings together."""
        _ = self.account_config, self.callbacks
        if self.webhook_urls and not self.webhook_secrets.own:
            raise InvalidSettings(
                "DISPATCHER_WEBHOOK_URL is set, but there is no secret to sign with:"
                " set DISPATCHER_WEBHOOK_SECRET or DISPATCHER_SECRET_KEY"
            )

    def require_alarm(self) -> None:
        """Raise InvalidSettings where there is somebody to mail to, and no way to."""
        if self.alarm_email and self.smtp_url is None:
            raise InvalidSettings(
                "DISPATCHER_ALARM_EMAIL is set, but nobody takes the mail: set DISPATCHER_SMTP_URL,"
                " such as smtp://user:password@mail.example.com:587"
            )

    @property
    def lease(self) -> float:
        """Seconds a worker owns a job while it asks: every timeout of the request, and room."""
        return self.connect_timeout + self.read_timeout + 30

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The keys: the first signs, all of them verify. Raises InvalidSettings without any."""
        if self.secret_key is None:
            raise InvalidSettings(
                "DISPATCHER_SECRET_KEY is not set: set it to a secret of at least"
                f" {texts.SHORTEST_KEY} characters, the same for workers and gateway"
            )
        return texts.listed(self.secret_key)

    @property
    def callbacks(self) -> CallbackUrls | None:
        """The URLs that the provider reports calls to; None: it is asked for their status.

        None of them outlives the record of its job, whose id the same key would give out again.
        Raises InvalidSettings where they could not be signed.
        """
        if self.public_url is None or not self.registration.capabilities.callbacks:
            return None
        lifetime = min(self.call_deadline + self.evidence_window + SLACK, self.retention)
        return CallbackUrls(self.public_url, Signer(self.secret_keys), lifetime)

    @property
    def alert_links(self) -> AlertLinks | None:
        """The links with which people say that they have an alert; None where nothing signs them.

        Their base is empty where nobody said how people reach the gateway: none are given out.
        """
        base = self.link_url or self.public_url or ""
        if self.link_secret:
            return AlertLinks(base, texts.listed(self.link_secret))
        keys = texts.listed(self.secret_key) if self.secret_key else ()
        return AlertLinks(base, tuple(map(link_secret_from_key, keys))) if keys else None

    @property
    def gateway_url(self) -> str:
        """Where this machine reaches the gateway."""
        scheme = "https" if self.gateway_tls_cert else "http"
        return f"{scheme}://{_reachable(self.gateway_host)}:{self.gateway_port}"

    @property
    def records(self) -> str:
        """The URL of the job records. Raises InvalidSettings where there is none."""
        if self.redis_url is None:
            raise InvalidSettings(
                "DISPATCHER_REDIS_URL is not set, and no `voice-dispatcher up` runs in this"
                " directory: set it (redis://host:6379/0), or start one"
            )
        return self.redis_url.get_secret_value()

    @property
    def broker(self) -> str:
        """The URL of the Celery broker: the records' Redis unless another is set."""
        return known_broker(self.broker_url.get_secret_value()) if self.broker_url else self.records


def check() -> None:
    """Raise InvalidSettings for what keeps the processes from starting, credentials aside."""
    settings = Settings.load()
    settings.check_together()
    settings.require_bounds()
    settings.require_alarm()


def _reachable(host: str) -> str:
    """Return the host for a URL: a server that listens everywhere is here, too."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound to here
    return f"[{host}]" if ":" in host else host


def _complaint(item: Any) -> str:
    field = str(item["loc"][0]) if item["loc"] else "settings"
    name = field if field.isupper() else f"DISPATCHER_{field.upper()}"
    value, words = _shown(name, item["input"]), in_plain_words(item)
    if value:  # it stands before the colon: not twice
        rest = words.removeprefix(f"{item['input']!r} ")
        words = words if rest == words else rest.removeprefix("is ").removeprefix("are ")
    return f"{name}{value}: {words}"


HIDDEN = ("TOKEN", "SECRET", "AUTH", "WEBHOOK_URL", "SMTP_URL", "HEARTBEAT")


def _shown(name: str, value: object) -> str:
    """Return the offending value, unless it is one that must not show."""
    if not isinstance(value, str) or any(word in name for word in HIDDEN):
        return ""
    return f"={hide_password(value)!r}"
