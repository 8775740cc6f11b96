"""A process of the dispatcher, as it tells of itself every few seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What a process does, in the order in which people read of them."""

    WORKER = "worker"
    CALL_TASK = "call_task"
    WEBHOOKS = "webhooks"
    BEAT = "beat"
    GATEWAY = "gateway"
    FLOWER = "flower"

    @property
    def words(self) -> str:
        """What people call it."""
        return self.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Process:
    """Who it is, and what it was when it was last heard of.

    `settings` are those that are not the default, each as a few digits that differ where the
    value does: nothing is told of the value. `started` and `heard` are ms since the epoch, by
    Redis' clock. `still` are the seconds since it last began a task; None: its role begins none.
    `tells` are the ways, `mail` and `ping`, by which it tells that nobody can be called.
    """

    id: str
    role: Role
    name: str
    host: str
    pid: int
    version: str
    settings: Mapping[str, str] = field(default_factory=dict)
    started: float = 0
    heard: float = 0
    still: float | None = None
    tells: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}@{self.host}"
