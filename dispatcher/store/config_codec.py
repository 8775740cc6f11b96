"""The configuration of an account as Redis keeps it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.states import Dnc
from dispatcher.store.schema import Config
from dispatcher.values.tariffs import to_units


def config_fields(config: AccountConfig) -> dict[str, str]:
    """Return the fields of a configuration; a limit that there is not is left out."""
    found = {
        Config.RATE: None if config.rate is None else repr(config.rate.per_second),
        Config.RATE_COUNT: None if config.rate is None else str(config.rate.count),
        Config.RATE_WINDOW: None if config.rate is None else _exact(config.rate.window),
        Config.MARGIN: repr(config.margin),
        Config.MARGIN_MOST: repr(max(config.margin, config.margin_most)),
        Config.CHECK_SHARE: repr(config.share),
        Config.RECOVERY: _milliseconds(config.recovery),
        Config.CONNECTIONS: str(config.connections),
        Config.CONNECTION_LEASE: _milliseconds(config.lease),
        Config.RECIPIENT_GAP: _milliseconds(config.gap) if config.gap else None,
        Config.RECIPIENT_PER_DAY: None if config.per_day is None else str(config.per_day),
        Config.ONE_AT_A_TIME: "1" if config.one_at_a_time else None,
        Config.DNC_URGENT: None if config.dnc_urgent is Dnc.OBEY else config.dnc_urgent,
        Config.CALLING_HOURS: None if config.hours is None else config.hours.text,
        Config.COUNTRIES: ",".join(sorted(config.countries)) or None,
        Config.BLOCKED_COUNTRIES: ",".join(sorted(config.blocked)) or None,
        Config.NUMBER_TYPES: ",".join(sorted(config.number_types)) or None,
        Config.CREDIT_FLOOR: _units(config.floor),
        Config.EXPECTED_COST: _units(config.expected_cost),
        Config.CREDIT_WARNINGS: ",".join(str(to_units(level)) for level in config.warn) or None,
        Config.SPEND_PER_DAY: _units(config.spend_per_day),
        Config.SPEND_PER_CALL: _units(config.spend_per_call),
        Config.HOLD_UNUSUAL: ",".join(sorted(config.hold_unusual)) or None,
        Config.ZONE: config.zone,
        Config.BREAKER_FAILURES: str(config.breaker),
        Config.WEBHOOK_TARGETS: str(config.webhooks) if config.webhooks else None,
        Config.EVERY_CHANGE: "1" if config.every_change else None,
        Config.REPLICAS: None if config.replicas is None else str(config.replicas),
        Config.ACCEPT_DURABLE: "1" if config.accept_durable else None,
        Config.LANGUAGE: config.lang,
    }
    return {str(name): value for name, value in found.items() if value is not None}


def digest(fields: Mapping[str, str]) -> str:
    """Return what is another where the fields of a configuration are."""
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]


def _exact(seconds: float) -> str:
    """Return it in ms: a hundredth of a limit of 3 in 0.7 s is more than a rounded one."""
    return f"{seconds * 1000:.6f}"


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


def _units(amount: float | None) -> str | None:
    return None if amount is None else str(to_units(amount))
