"""The names and rules that Python and the Lua library share, written out as a Lua module."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from dispatcher.model import campaign
from dispatcher.model.account_config import AccountConfig
from dispatcher.model.alert import ALERT_TRANSITIONS, BUNDLE, OPEN, Severity
from dispatcher.model.callbacks_seen import ENOUGH
from dispatcher.model.credit import BLIND_AFTER
from dispatcher.model.job import LONGEST_PRODUCER
from dispatcher.model.states import CALLING, TERMINAL, TRANSITIONS, WAITING, Priority
from dispatcher.model.tags import CAMPAIGN
from dispatcher.store import schema
from dispatcher.store.config_codec import config_fields
from dispatcher.values.tariffs import UNITS

_OF_ACCOUNT = "account:{account}:"
"""What the names of an account's keys begin with."""


def lua_schema() -> str:
    """Return the text of the module `schema` of the Lua library."""
    members = (f"  {name} = {value}," for name, value in _members().items())
    return "\n".join(["return {", *members, "}"])


def _members() -> dict[str, str]:
    return {
        "version": _text(str(schema.SCHEMA)),
        "first_schema_keys": _list(schema.FIRST_SCHEMA_KEYS),
        "barrier": _text(schema.BARRIER),
        "default_account": _text(schema.DEFAULT_ACCOUNT),
        "default_priority": _text(schema.DEFAULT_PRIORITY),
        "state_letters": _words(schema.STATE_LETTERS),
        "states_by_letter": _words({v: k for k, v in schema.STATE_LETTERS.items()}),
        "actor_letters": _words(schema.ACTOR_LETTERS),
        "actors_by_letter": _words({v: k for k, v in schema.ACTOR_LETTERS.items()}),
        "other_actor": _text(schema.OTHER_ACTOR),
        "key_names": _key_names(),
        "key": _table({name: _key(name, template) for name, template in schema.KEYS.items()}),
        "field": _names(schema.Field),
        "alert": _names(schema.AlertField),
        "alert_transitions": _table({s: _set(after) for s, after in ALERT_TRANSITIONS.items()}),
        "alerts_open": _set(OPEN),
        "alert_history": str(schema.ALERT_HISTORY),
        "alert_looked_at": str(schema.ALERT_LOOKED_AT),
        "bundle": _text(BUNDLE),
        "severity_rank": _table({severity: str(severity.rank) for severity in Severity}),
        "attempt": _names(schema.AttemptField),
        "config": _names(schema.Config),
        "config_defaults": _words(_config_defaults()),
        "pace": _names(schema.Pace),
        "clock": _names(schema.Clock),
        "credit": _names(schema.Credit),
        "replica": _names(schema.ReplicaField),
        "seen": _names(schema.Seen),
        "stoppage": _names(schema.StoppageField),
        "campaign": _names(schema.CampaignField),
        "campaign_mark": _text(CAMPAIGN),
        "alert_seconds": _numbers(schema.ALERT_SECONDS),
        "campaign_hours": str(campaign.HOURS_KEPT),
        "campaign_minutes": str(campaign.MINUTES),
        "campaign_attempts": str(campaign.LAST_ATTEMPT),
        "on_call": _names(schema.OnCallField),
        "on_call_versions": str(schema.ON_CALL_VERSIONS),
        "delivery": _names(schema.Delivery),
        "api_key": _names(schema.ApiKeyField),
        "bulk": _names(schema.BulkField),
        "transitions": _table({state: _set(after) for state, after in TRANSITIONS.items()}),
        "terminal": _set(TERMINAL),
        "waiting": _set(WAITING),
        "calling": _set(CALLING),
        "priorities": _list(Priority),
        "results_of_an_end": _set(schema.RESULTS_OF_AN_END),
        "longest_producer": str(LONGEST_PRODUCER),
        "page_full": str(schema.PAGE_FULL),
        "recipient_last": str(schema.RECIPIENT_LAST),
        "recipient_before": str(schema.RECIPIENT_BEFORE),
        "callid_bucket": str(schema.CALLID_BUCKET),
        "callid_kept": str(schema.CALLID_KEPT),
        "longest_piece": str(schema.LONGEST_PIECE),
        "piece_mark": _text(schema.PIECE_MARK),
        "units": str(UNITS),
        "do_not_call_key": _text(schema.DO_NOT_CALL_KEY),
        "client_jobs": _text(schema.CLIENT_JOBS),
        "client_bytes": _text(schema.CLIENT_BYTES),
        "bytes_of_a_job": str(schema.BYTES_OF_A_JOB),
        "bytes_of_a_tag": str(schema.BYTES_OF_A_TAG),
        "bytes_of_a_campaign": str(schema.BYTES_OF_A_CAMPAIGN),
        "bytes_of_a_byte": str(schema.BYTES_OF_A_BYTE),
        "spending_day": _text(schema.SPENDING_DAY),
        "burn_bucket": str(schema.BURN_BUCKET * 1000),
        "burn_buckets": str(schema.BURN_BUCKETS),
        "many_new_countries": str(schema.MANY_NEW_COUNTRIES),
        "usual_hours": str(schema.USUAL_HOURS),
        "unusual_rise": str(schema.UNUSUAL_RISE),
        "unusual_least_calls": str(schema.UNUSUAL_LEAST_CALLS),
        "silent_after": str(ENOUGH),
        "blind_after": str(BLIND_AFTER),
        "message_kept": str(schema.MESSAGE_KEPT),
        "messages_kept": str(schema.MESSAGES_KEPT),
        "events_kept": str(schema.EVENTS_KEPT),
        "replica_grace": str(schema.REPLICA_GRACE),
        "missing_right_shown": str(schema.MISSING_RIGHT_SHOWN),
        "refused_reports_shown": str(schema.REFUSED_REPORTS_SHOWN),
        "refused_reports_told_every": str(schema.REFUSED_REPORTS_TOLD_EVERY),
        "replica_noted_every": str(schema.REPLICA_NOTED_EVERY),
        "examples": str(schema.EXAMPLES),
        "own_target": _text(schema.OWN_TARGET),
        "code_removed": _text(schema.CODE_REMOVED),
        "refused_language_kept": str(schema.REFUSED_LANGUAGE_KEPT),
    }


def _config_defaults() -> dict[str, str]:
    """Return what holds where no configuration was published: no limits, and usual settings."""
    usual = config_fields(AccountConfig())
    kept = (
        schema.Config.MARGIN,
        schema.Config.MARGIN_MOST,
        schema.Config.CHECK_SHARE,
        schema.Config.RECOVERY,
        schema.Config.CONNECTION_LEASE,
        schema.Config.EXPECTED_COST,
        schema.Config.ZONE,
        schema.Config.BREAKER_FAILURES,
        schema.Config.LANGUAGE,
    )
    return {str(name): usual[name] for name in kept}


def _key_names() -> str:
    """Return a Lua function from a namespace, and what begins the keys of an account in it, to the
    names of all keys that vary by nothing else.
    """
    fixed = {name: template for name, template in schema.KEYS.items() if "{}" not in template}
    names = {name: _name("root", "own", template) for name, template in fixed.items()}
    return f"function(root, own) return {_table(names)} end"


def _key(name: str, template: str) -> str:
    """Return a Lua function from a call, and what the name varies by, to the whole name."""
    if "{}" not in template:
        return f"function(call) return call.names.{name} end"
    arguments = ", ".join(["call", *"abc"[: template.count("{}")]])
    return f"function({arguments}) return {_name('call.root', 'call.own', template)} end"


def _name(root: str, own: str, template: str) -> str:
    """Return what puts a name together in Lua, from a namespace, its account's and a, b, …"""
    rest = template.removeprefix(_OF_ACCOUNT)
    first = root if rest == template else own
    variables = iter("abc")
    parts = (part for part in re.split(r"({})", f":{rest}") if part)
    words = (next(variables) if part == "{}" else _text(part) for part in parts)
    return " .. ".join([first, *words])


def _text(value: str) -> str:
    return f"'{value}'"


def _list(values: Iterable[str]) -> str:
    return f"{{ {', '.join(map(_text, values))} }}"


def _words(members: Mapping[str, str]) -> str:
    return _table({name: _text(value) for name, value in members.items()})


def _numbers(values: Iterable[int]) -> str:
    return f"{{ {', '.join(map(str, values))} }}"


def _set(values: Iterable[str]) -> str:
    return _table(dict.fromkeys(sorted(values), "true"))


def _table(members: Mapping[str, str]) -> str:
    return f"{{ {', '.join(f'{name} = {value}' for name, value in members.items())} }}"


def _names(members: type[StrEnum]) -> str:
    return _table({member.name.lower(): _text(member) for member in members})
