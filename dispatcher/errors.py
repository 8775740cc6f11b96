"""The root of every error this package raises on purpose."""

from __future__ import annotations


class DispatcherError(Exception):
    """Something the dispatcher says no to; the message names the value and the remedy."""


class UsageError(DispatcherError):
    """What was asked for, set or named is wrong: trying again helps once a person has mended it."""
