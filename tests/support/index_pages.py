"""The indexes by creation, put together from their pages, which must be in their places."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping

from dispatcher.store.indexes import place_text
from dispatcher.store.schema import PAGE_FULL, has_one_page

KINDS = ("by_state", "by_tag")
Snapshot = dict[str, dict[str, str]]


def joined(found: Snapshot) -> Snapshot:
    """Return a snapshot with each index by its name in place of its pages."""
    whole = {name: members for name, members in found.items() if _kind(name) is None}
    pages: dict[str, Snapshot] = defaultdict(dict)
    for kind in KINDS:
        for name, members in found.items():
            if name.startswith(f"{kind}_page:"):
                index, _, floor = name.removeprefix(f"{kind}_page:").rpartition(":")
                pages[f"{kind}:{index}"][floor] = members
    floors = {name: set(found[name]) for name in found if name.partition(":")[0] in KINDS}
    floors |= {name: {""} for name in pages if _has_one_page(name)}
    assert {name: set(of_index) for name, of_index in pages.items()} == floors
    for index, of_index in pages.items():
        most = math.inf if _has_one_page(index) else PAGE_FULL
        whole[index] = dict(_entries(of_index, most))
    return whole


def _has_one_page(index: str) -> bool:
    kind, _, name = index.partition(":")
    return has_one_page(kind, name)


def _kind(name: str) -> str | None:
    first = name.partition(":")[0].removesuffix("_page")
    return first if first in KINDS else None


def _entries(pages: Mapping[str, Mapping[str, str]], most: float) -> Iterator[tuple[str, str]]:
    floors = sorted(pages)
    for floor, after in zip(floors, [*floors[1:], "~"], strict=True):
        assert 0 < len(pages[floor]) <= most
        for id_, created in pages[floor].items():
            assert floor <= place_text(float(created), id_) < after
            yield id_, created
