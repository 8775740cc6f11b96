"""How tests are spread over the workers of pytest-xdist (`--dist=loadgroup`).

A file's tests stay together, since they share what their fixtures start. What takes long goes
first, or it would keep one worker busy when the others are done: whole stacks in a few lanes, so
that not too many of them run at once and are late; then `slow` tests, each by itself, and files.
"""

from __future__ import annotations

import os

import pytest

LANES = max(2, os.cpu_count() or 1)
"""How many tests with a stack of their own run at once: such a stack keeps about a core busy."""
WORKERS = 2 * LANES
"""Tests wait for half of their time."""


def spread(items: list[pytest.Item]) -> None:
    """Give each test its group, and sort the groups: the same in every worker."""
    lanes = _Lanes()
    places = {item: _place(item, lanes) for item in items}
    for item, (_, group) in places.items():
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: places[item][0])


class _Lanes:
    """Deals scenarios out in turn; one that several tests are about stays in its lane."""

    def __init__(self) -> None:
        self._known: dict[object, str] = {}

    def of(self, scenario: object) -> str:
        number = len(self._known) % LANES
        return self._known.setdefault(scenario, f"lane {number + 1}")


def _place(item: pytest.Item, lanes: _Lanes) -> tuple[int, str]:
    """Return when a test's turn is, and whom it stays together with."""
    played = item.get_closest_marker("played")
    if played:
        return 0, lanes.of(played.kwargs["by"])
    if "stage" in getattr(item, "fixturenames", ()):
        return 0, "stage"
    if any(mark.name == "slow" for mark in item.own_markers):
        return 1, item.nodeid
    return 1 if item.get_closest_marker("slow") else 2, str(item.path)
