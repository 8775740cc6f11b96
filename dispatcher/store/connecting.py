"""Why a connection to Redis, or to what stands in its place, does not come about."""

from __future__ import annotations

import re
from typing import NamedTuple

from dispatcher.values.tls_faults import TlsFault, tls_fault

_TLS = {
    TlsFault.OTHER_HOST: "has a certificate of another host: write the host that it is for in the"
    " URL, or have one made for this host (ssl_check_hostname=false does without)",
    TlsFault.EXPIRED: "has a certificate that has expired: have it renewed",
    TlsFault.NOT_YET: "has a certificate that is not valid yet: set this machine's clock right, or"
    " wait until it is",
    TlsFault.UNKNOWN_AUTHORITY: "has a certificate of an authority that is not trusted here: name"
    " the authority's file in the URL (ssl_ca_certs=/path)",
    TlsFault.WANTS_ONE: "broke off TLS, as one does that wants a certificate of its clients: name"
    " yours in the URL (ssl_certfile=, ssl_keyfile=)",
    TlsFault.NO_TLS: "does not speak TLS: write redis:// instead of rediss://, or no tls=true",
}
_SENTINELS_LOCKED = (
    "is behind sentinels that need a password, or another one: put it into the URL"
    " (sentinel_password=, and sentinel_username= for a user)"
)
_NO_MASTER = (
    "is behind sentinels that know no master called {name} that is up: is that what they call it"
    " (service=), and is it running?"
)
_NO_SENTINEL = "is behind sentinels of which none answers: are they running, and at these places?"
_IS_NO_REDIS = (
    "is something else: what answers there does not speak Redis' language; correct the host and"
    " the port in the URL"
)
_IS_NO_SENTINEL = (
    "is not behind sentinels there: what answers is a Redis server; name the sentinels in the"
    " URL, or write redis://"
)


class Fault(NamedTuple):
    """What is wrong, to be read behind `Redis`; `final`: no later try will do better."""

    says: str
    final: bool = False


def fault(error: Exception) -> Fault | None:
    """Return what an exception of redis-py says of connecting; None where it says no more than
    that nobody answers.
    """
    kind, text = type(error).__name__, str(error)
    if kind == "TlsMisfit":
        return Fault(text, final=True)
    if kind == "InvalidResponse":
        return Fault(_IS_NO_REDIS, final=True)
    if kind == "MasterNotFoundError":
        return Fault(_no_master(text))
    if re.match(r"unknown command '?`?SENTINEL", text, re.IGNORECASE):
        return Fault(_IS_NO_SENTINEL, final=True)
    found = tls_fault(text)
    return Fault(_TLS[found]) if found else None


def _no_master(text: str) -> str:
    """Read redis-py's sentence, which goes on with what each sentinel said that gave no answer."""
    name, _, said = text.removeprefix("No master found for ").partition(" : ")
    if "AuthenticationError" in said or "NOAUTH" in said:
        return _SENTINELS_LOCKED
    if found := tls_fault(said):
        return f"is behind a sentinel that {_TLS[found]}"
    return _NO_SENTINEL if said else _NO_MASTER.format(name=name)
