"""The store's errors, and how redis-py's become them: by what the caller must do about it.

redis-py is loaded by who connects, not by who imports this: it brings all of asyncio along.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dispatcher.errors import DispatcherError, UsageError
from dispatcher.store import connecting, refusals
from dispatcher.store.refusals import REMEDIES, Refusal
from dispatcher.store.schema import mismatch
from dispatcher.values.counts import counted
from dispatcher.values.masking import hide_password, mask_text
from dispatcher.values.server_version import NEEDED


class StoreUnavailable(DispatcherError):
    """Redis cannot be reached, or refuses for now; what was asked for may not have been done, and
    may be asked for again.

    `code` is what Redis calls the refusal, such as OOM; '' where it said nothing.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class TooFewReplicas(StoreUnavailable):
    """Redis has written something, and too few replicas have it: a failover may forget it.

    `wanted` is how many there should be; `answers` is what the operations answered.
    """

    def __init__(
        self, wanted: int, found: int, answers: Sequence[Any] = (), because: str = ""
    ) -> None:
        super().__init__(
            f"{found} of {counted(wanted, 'replica')} of Redis took in a write in time{because}:"
            " bring replicas back, or lower DISPATCHER_REDIS_REPLICAS"
        )
        self.wanted, self.found, self.answers = wanted, found, answers


class StoreUnsuitable(UsageError):
    """This Redis will not do; the message says why and what to change."""


class OtherSchema(StoreUnsuitable):
    """The records in Redis are of a schema that this process does not know, or are migrated."""


class NotAllowed(StoreUnsuitable):
    """The user of Redis lacks a right; the message names it."""


@contextmanager
def plain_errors(where: str = "Redis", keys: str = "") -> Iterator[None]:
    """Turn what redis-py raises into StoreUnavailable or StoreUnsuitable with a remedy.

    `keys` is how ours begin, where that is known.
    """
    try:
        yield
    except Exception as error:
        told = in_our_words(error, where, keys)
        if told is None:
            raise
        raise told from None


def in_our_words(error: Exception, where: str = "Redis", keys: str = "") -> DispatcherError | None:
    """Return the error in our words; None for what is not Redis' to say."""
    from redis import exceptions  # noqa: PLC0415

    if fault := connecting.fault(error):
        kind = StoreUnsuitable if fault.final else StoreUnavailable
        return kind(f"{where} {fault.says}")
    if isinstance(error, exceptions.AuthenticationError):
        return StoreUnavailable(_LOCKED_OUT.format(where=where))
    if isinstance(error, exceptions.RedisError):
        refusal = refusals.read(error)
        if refusal.passes:
            return StoreUnavailable(f"{where} {REMEDIES[refusal.code]}", refusal.code)
        if isinstance(error, exceptions.ResponseError):
            return _final(refusal, where, keys)
    if isinstance(error, exceptions.ConnectionError | exceptions.TimeoutError | UnicodeError):
        return StoreUnavailable(f"{where} cannot be reached ({_brief(error)}): {_SEE_TO_IT}")
    return None


def refusal_class() -> type[Exception]:
    """Return what redis-py raises where a server refuses, for who talks to one through Celery."""
    from redis.exceptions import ResponseError  # noqa: PLC0415

    return ResponseError


_SEE_TO_IT = "start it, or correct its address"
_LOCKED_OUT = (
    "{where} needs a password, or another one: put it into the URL (redis://:password@host/0)"
)

_NO_DATABASE = ("DB index is out of range", "SELECT is not allowed in cluster mode")
_OTHER_DATABASE = (
    "has no database of the number in the URL: write another one. A server has 0 to 15, unless"
    " `databases` in its configuration says otherwise; a cluster has 0 alone"
)


def _final(refusal: Refusal, where: str, keys: str) -> DispatcherError:
    words = refusal.words
    if words.startswith(("NOAUTH", "WRONGPASS")) or "authentication" in words.lower():
        return StoreUnavailable(_LOCKED_OUT.format(where=where))
    if refusal.code == "NOPERM":
        return NotAllowed(not_allowed(where, refusal.missing_right(keys)))
    if refusal.code == "SCHEMA":
        return OtherSchema(mismatch(words))
    if words.startswith(_NO_DATABASE):
        return StoreUnsuitable(f"{where} {_OTHER_DATABASE}")
    if words.startswith("unknown command"):  # the rest repeats the arguments, a password included
        command = words.partition(",")[0].removeprefix("unknown command ")
        return StoreUnsuitable(f"{where} does not know {command}: {NEEDED} is needed")
    return StoreUnsuitable(f"{where} refused an operation: {mask_text(words[:300])}")


def not_allowed(where: str, right: str) -> str:
    """Return the sentence for a right that the user of Redis lacks."""
    return f"{where} does not allow its user {right}: grant it with ACL SETUSER"


def _brief(error: Exception) -> str:
    return hide_password(str(error).splitlines()[0][:200]) if str(error) else type(error).__name__
