"""What Redis and redis-py complain of, in plain sentences, by what the caller must do about it.

redis-py is loaded by who connects, not by who imports this: it brings all of asyncio along.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dispatcher.errors import DispatcherError, UsageError
from dispatcher.store.schema import mismatch
from dispatcher.values.counts import counted
from dispatcher.values.masking import hide_password
from dispatcher.values.server_version import NEEDED

if TYPE_CHECKING:
    from redis import exceptions


class StoreUnavailable(DispatcherError):
    """Redis cannot be reached or does not let us in; what was asked for may not have been done."""


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


@contextmanager
def plain_errors(where: str = "Redis") -> Iterator[None]:
    """Turn what redis-py raises into StoreUnavailable or StoreUnsuitable with a remedy."""
    try:
        yield
    except Exception as error:
        told = _told(where, error)
        if told is None:
            raise
        raise told from None


def _told(where: str, error: Exception) -> DispatcherError | None:
    """Return the error in our words; None for what is not Redis' to say."""
    from redis import exceptions  # noqa: PLC0415

    if isinstance(error, exceptions.AuthenticationError):
        return StoreUnavailable(_LOCKED_OUT.format(where=where))
    if isinstance(error, exceptions.ConnectionError | exceptions.TimeoutError | UnicodeError):
        return StoreUnavailable(f"{where} cannot be reached ({_brief(error)}): is it running?")
    if isinstance(error, exceptions.ResponseError):
        return _refusal(where, error)
    return None


_LOCKED_OUT = (
    "{where} needs a password, or another one: put it into the URL (redis://:password@host/0)"
)


_CODES = {
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
    "MasterDownError": "MASTERDOWN",
    "ClusterDownError": "CLUSTERDOWN",
    "TryAgainError": "TRYAGAIN",
    "NoScriptError": "NOSCRIPT",
}
"""What redis-py makes classes of, whose words then lack the code that Redis sent."""


def _refusal(where: str, error: exceptions.ResponseError) -> DispatcherError:
    text = f"{_CODES.get(type(error).__name__, '')} {error}".lstrip()
    if text.startswith(("NOAUTH", "WRONGPASS", "NOPERM")) or "authentication" in text.lower():
        return StoreUnavailable(_LOCKED_OUT.format(where=where))
    return _not_now(where, text) or _unsuitable(where, text)


_NOT_READY = (
    *("LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "NOSCRIPT"),
    *("NOREPLICAS", "UNBLOCKED"),
)


def _not_now(where: str, text: str) -> StoreUnavailable | None:
    if text.startswith(_NOT_READY):
        return StoreUnavailable(
            f"{where} is not ready ({text.split(' ', maxsplit=1)[0]}): try again in a moment"
        )
    if text.startswith("OOM"):
        return StoreUnavailable(f"{where} is out of memory: raise maxmemory or purge old jobs")
    if text.startswith("MISCONF"):
        return StoreUnavailable(f"{where} cannot write to its disk: see its log")
    return None


def _unsuitable(where: str, text: str) -> StoreUnsuitable:
    if text.startswith("SCHEMA "):
        return OtherSchema(mismatch(text.removeprefix("SCHEMA ")))
    if text.startswith("unknown command"):  # the rest repeats the arguments, a password included
        command = text.partition(",")[0].removeprefix("unknown command ")
        return StoreUnsuitable(f"{where} does not know {command}: {NEEDED} is needed")
    return StoreUnsuitable(f"{where} refused an operation: {text[:300]}")


def _brief(error: Exception) -> str:
    return hide_password(str(error).splitlines()[0][:200]) if str(error) else type(error).__name__
