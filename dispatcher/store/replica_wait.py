"""Waiting until replicas have what was written: a command behind the operations, and its answer."""

from __future__ import annotations

from typing import Any

from dispatcher.store.errors import TooFewReplicas

REPLICATED_WITHIN = 1.0
"""Seconds that replicas have to take in what was written, when it must be on them."""


def commands(replicas: int) -> list[list[Any]]:
    """Return the command, if any, that waits for replicas to have what was written before it."""
    return [["WAIT", replicas, round(REPLICATED_WITHIN * 1000)]] if replicas else []


def require(wanted: int, found: Any, answers: list[Any]) -> None:
    """Raise TooFewReplicas where WAIT found too few, or was refused: what was asked is done."""
    if isinstance(found, Exception):
        raise TooFewReplicas(wanted, 0, answers, f" (WAIT: {str(found)[:100]})")
    if found < wanted:
        raise TooFewReplicas(wanted, found, answers)
