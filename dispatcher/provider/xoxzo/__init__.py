"""Xoxzo's voice API: all that is particular to it. Light to import; the client is loaded late."""

from __future__ import annotations

from typing import Final

from dispatcher.provider.base import CallbackParser, Provider, Registration, Timeouts
from dispatcher.provider.dial_in import DialInReader
from dispatcher.provider.xoxzo import rules, settings
from dispatcher.provider.xoxzo.settings import XoxzoSettings


def _callbacks(_: XoxzoSettings) -> CallbackParser:
    from dispatcher.provider.xoxzo.callbacks import XoxzoCallbacks  # noqa: PLC0415 - light

    return XoxzoCallbacks()


def _dial_ins(_: XoxzoSettings) -> DialInReader:
    from dispatcher.provider.xoxzo.dial_ins import XoxzoDialIns  # noqa: PLC0415 - light

    return XoxzoDialIns()


def _connect(known: XoxzoSettings, timeouts: Timeouts, threads: int) -> Provider:
    from dispatcher.provider.xoxzo.client import VoiceClient  # noqa: PLC0415 - it needs requests
    from dispatcher.provider.xoxzo.provider import XoxzoProvider  # noqa: PLC0415
    from dispatcher.provider.xoxzo.session import Credentials  # noqa: PLC0415

    client = VoiceClient(
        Credentials(known.sid, known.token),
        host=known.host,
        connect_timeout=timeouts.connect,
        read_timeout=timeouts.read,
        pool_size=threads,
    )
    return XoxzoProvider(client, known.params)


REGISTRATION: Final = Registration(
    name=rules.NAME,
    capabilities=rules.CAPABILITIES,
    rules=rules.RULES,
    words=rules.WORDS,
    credentials=settings.CREDENTIALS,
    variables=settings.VARIABLES,
    settings=XoxzoSettings,
    callbacks=_callbacks,
    dial_ins=_dial_ins,
    connect=_connect,
)
