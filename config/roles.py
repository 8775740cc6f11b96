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
from dispatcher.values.alert_links import link_secret_from_key
from dispatcher.values.webhook_secrets import secret_from_key

_KEY, _WEBHOOK_SECRET = "DISPATCHER_SECRET_KEY", "DISPATCHER_WEBHOOK_SECRET"
_LINK_SECRET, _LINK_URL = "DISPATCHER_LINK_SECRET", "DISPATCHER_LINK_URL"
_PUBLIC_URL = "DISPATCHER_PUBLIC_URL"
PROVIDER: Final = frozenset({Part.DIAL})
"""Who asks the provider: settings of it, credentials or not, go to nobody else."""
ALARM: Final = frozenset({Part.BEAT, Part.GATEWAY})
"""Who tells people that nobody can be called."""
NEEDED_BY: Final[Mapping[str, frozenset[Part]]] = {
    _KEY: frozenset({Part.DIAL, Part.GATEWAY}),  # who makes the URLs of callbacks, who checks them
    _PUBLIC_URL: frozenset({Part.DIAL, Part.GATEWAY}),  # needs the key
    "DISPATCHER_WEBHOOK_URL": frozenset({Part.WEBHOOKS, Part.DIAL}),  # Redis is told how many
    _WEBHOOK_SECRET: frozenset({Part.WEBHOOKS}),
    _LINK_SECRET: frozenset({Part.WEBHOOKS, Part.GATEWAY}),  # who gives links out, who checks them
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

    Webhooks, and the links in them, are signed with what follows from the secret key where no other
    secret is set: their process gets that, and not the key.
    """
    kept = {name: value for name, value in given.items() if _needs(part, name)}
    return kept | (_of_webhooks(given) if part is Part.WEBHOOKS else {})


def _of_webhooks(given: Mapping[str, str]) -> dict[str, str]:
    """Return what the process of webhooks gets in the place of what it does not need itself."""
    made = {_LINK_URL: given[_PUBLIC_URL]} if given.get(_PUBLIC_URL) else {}
    if given.get(_KEY):
        keys = texts.listed(SecretStr(given[_KEY]))
        made[_WEBHOOK_SECRET] = ",".join(map(secret_from_key, keys))
        made[_LINK_SECRET] = ",".join(map(link_secret_from_key, keys))
    return {name: value for name, value in made.items() if not given.get(name)}


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
    return name.startswith(("DISPATCHER_", "FLOWER_", "OTEL_")) or name in provider_variables()
