"""What OpenSSL's words for a TLS connection that does not come about mean, in words for people."""

from __future__ import annotations

import re
from enum import StrEnum


class TlsFault(StrEnum):
    """What is wrong with the other side, to be read behind its name and a colon."""

    OTHER_HOST = "its certificate is of another host: use the name that it is for"
    EXPIRED = "its certificate has expired: have it renewed"
    NOT_YET = (
        "its certificate is not valid yet: set this machine's clock right, or wait until it is"
    )
    UNKNOWN_AUTHORITY = "its certificate is of an authority that is not trusted here"
    WANTS_ONE = "it broke off TLS, as one does that wants a certificate of its clients"
    NO_TLS = "it does not speak TLS there"


_WORDS = (
    ("hostname mismatch|ip address mismatch|hostname .* doesn't match", TlsFault.OTHER_HOST),
    ("certificate has expired", TlsFault.EXPIRED),
    ("certificate is not yet valid", TlsFault.NOT_YET),
    ("certificate.verify.failed", TlsFault.UNKNOWN_AUTHORITY),
    ("certificate.required|eof occurred in violation of protocol", TlsFault.WANTS_ONE),
    ("wrong.version.number|record.layer.failure", TlsFault.NO_TLS),
)
"""Patterns; the first that is found counts."""


def tls_fault(said: object) -> TlsFault | None:
    """Return what is wrong by an exception, or its text; None where it says nothing of TLS."""
    for pattern, found in _WORDS:
        if re.search(pattern, str(said), re.IGNORECASE):
            return found
    return None
