"""Which process knows which secret: each is given those of its role, and no other.

What is broken into, or prints its environment, gives away only what it had. A setting that is not
named here is no secret, and goes to all processes of the dispatcher.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Final

from pydantic import SecretStr

from config import texts
from dispatcher.client.broker_rights import Part
from dispatcher.provider import registry
from dispatcher.values.webhook_secrets import secret_from_key

_KEY, _WEBHOOK_SECRET = "DISPATCHER_SECRET_KEY", "DISPATCHER_WEBHOOK_SECRET"
PROVIDER: Final = frozenset({Part.DIAL})
"""Who asks the provider: settings of it, credentials or not, go to nobody else."""
ALARM: Final = frozenset({Part.BEAT, Part.GATEWAY})
"""Who tells people that nobody can be called."""
NEEDED_BY: Final[Mapping[str, frozenset[Part]]] = {
    _KEY: frozenset({Part.DIAL, Part.GATEWAY}),  # who makes the URLs of callbacks, who checks them
    "DISPATCHER_PUBLIC_URL": frozenset({Part.DIAL, Part.GATEWAY}),  # needs the key
    "DISPATCHER_WEBHOOK_URL": frozenset({Part.WEBHOOKS, Part.DIAL}),  # Redis is told how many
    _WEBHOOK_SECRET: frozenset({Part.WEBHOOKS}),
    "DISPATCHER_WEBHOOK_OLD_SECRET": frozenset({Part.WEBHOOKS}),
    "DISPATCHER_FLOWER_AUTH": frozenset({Part.FLOWER}),
    "DISPATCHER_GATEWAY_TLS_KEY": frozenset({Part.GATEWAY}),
    "DISPATCHER_ALARM_EMAIL": ALARM,
    "DISPATCHER_SMTP_URL": ALARM,
    "DISPATCHER_HEARTBEAT_URL": ALARM,
    "DISPATCHER_HEARTBEAT_FAIL_URL": ALARM,
}


def provider_variables() -> frozenset[str]:
    """Return the variables of all providers."""
    return frozenset().union(
        *(registry.registration(each).variables for each in registry.PROVIDERS)
    )


def environment_of(part: Part, given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process of the dispatcher, made of ours.

    Webhooks are signed with what follows from the secret key where no other secret is set: their
    process gets that, and not the key.
    """
    kept = {name: value for name, value in given.items() if _needs(part, name)}
    if part is Part.WEBHOOKS and given.get(_KEY) and not given.get(_WEBHOOK_SECRET):
        keys = texts.listed(SecretStr(given[_KEY]))
        kept[_WEBHOOK_SECRET] = ",".join(map(secret_from_key, keys))
    return kept


def environment_without(given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a program that needs no setting of ours, such as Redis."""
    return {name: value for name, value in given.items() if not _is_ours(name)}


def forget_others(part: Part, environment: MutableMapping[str, str]) -> None:
    """Drop what another role needs: nothing that this process starts inherits it."""
    for name in [name for name in environment if not _needs(part, name)]:
        del environment[name]


def blanks(parts: Iterable[Part]) -> frozenset[str]:
    """Return what a container with these roles must not be given."""
    wanted = frozenset(parts)
    names = {*NEEDED_BY, *provider_variables()}
    return frozenset(name for name in names if not wanted & _needing(name))


def _needs(part: Part, name: str) -> bool:
    return part in _needing(name)


def _needing(name: str) -> frozenset[Part]:
    name = name.upper()  # as the settings read them
    return PROVIDER if name in provider_variables() else NEEDED_BY.get(name, frozenset(Part))


def _is_ours(name: str) -> bool:
    name = name.upper()
    return name.startswith(("DISPATCHER_", "FLOWER_")) or name in provider_variables()
