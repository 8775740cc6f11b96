"""The indexes of jobs as they are now: by creation in pages, of numbers by their last digits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from dispatcher.store.errors import plain_errors
from dispatcher.store.indexes import place_text
from dispatcher.store.migrate import first_schema
from dispatcher.store.migrate.writer import Batches, Command, Writer, raw
from dispatcher.store.recipients import member, ranges
from dispatcher.store.schema import PAGE_FULL, Field, has_one_page

IN_PAGES = {"idx": "by_state", "tag": "by_tag"}
"""What the indexes by creation were called, and are."""


def in_pages(writer: Writer) -> Batches:
    """Cut the indexes by creation into pages."""
    for old, kind in IN_PAGES.items():
        for name in writer.found(f"{old}:*"):
            part = name.removeprefix(f"{old}:")
            while entries := _first(writer, name):
                yield list(_page(writer, name, (kind, part), entries)), len(entries)


def recipients(writer: Writer) -> Batches:
    """Put jobs where they are found by their numbers."""
    while entries := _first(writer, "recipients"):
        names = [name for name, _ in entries]
        ids = [name.partition(b":")[2].decode() for name in names]
        commands: list[Command] = [("ZREM", writer.old("recipients"), *names)]
        for id_, record in zip(ids, _records(writer, ids), strict=True):
            digits = first_schema.whole(record, Field.TO.encode()).decode()
            for place, each in enumerate(filter(None, digits.split(",")), 1):
                ((last, score, _),) = ranges(f"+{each}")
                key = writer.name("by_recipient", last)
                commands.append(("ZADD", key, score, member(id_, place)))
        yield commands, len(entries)


def states(writer: Writer) -> Batches:
    """Count how many jobs stand in each state, of those that have many pages."""
    counted = {kind: n for kind, n in sizes(writer).items() if not has_one_page("by_state", kind)}
    name = writer.name("states")
    yield [("HSET", name, raw(kind), many) for kind, many in counted.items()], len(counted)


def sizes(writer: Writer) -> Counter[str]:
    """Return how many jobs stand in the indexes by state: <state>[:<reason>] -> how many."""
    found: Counter[str] = Counter()
    for kind, page in pages(writer, "by_state"):
        with plain_errors():
            found[kind] += int(writer.redis.zcard(page))
    return found


def pages(writer: Writer, kind: str, pattern: str = "*") -> Iterator[tuple[str, bytes]]:
    """Yield the pages of the indexes of a kind whose names follow a pattern: the index's, the
    page's whole name.
    """
    prefix = writer.name(f"{kind}_page", "", "").removesuffix(":")
    with plain_errors():
        names = set(writer.redis.scan_iter(match=f"{prefix}{pattern}:*", count=1000))
    texts = ((name.decode("utf-8", "surrogateescape").removeprefix(prefix), name) for name in names)
    yield from sorted((text.rpartition(":")[0], name) for text, name in texts)


# -- below -------------------------------------------------------------------------------------


def _first(writer: Writer, name: str) -> list[tuple[bytes, float]]:
    with plain_errors():
        found: Any = writer.redis.zrange(raw(writer.old(name)), 0, PAGE_FULL - 1, withscores=True)
    return list(found)


def _page(
    writer: Writer, name: str, index: tuple[str, str], entries: list[tuple[bytes, float]]
) -> Iterator[Command]:
    """Yield what moves the oldest entries of an index to a page of its new one."""
    kind, part = index
    with plain_errors():
        begun = writer.redis.exists(raw(writer.name(kind, part)))
    id_, created = entries[0]
    floor = place_text(created, id_.decode()) if begun else ""
    if not has_one_page(kind, part):
        yield "ZADD", raw(writer.name(kind, part)), 0, floor
    scores = (text for id_, at in entries for text in (f"{at:.0f}", id_))
    yield "ZADD", raw(writer.name(f"{kind}_page", part, floor)), *scores
    yield "ZREM", raw(writer.old(name)), *(id_ for id_, _ in entries)


def _records(writer: Writer, ids: list[str]) -> list[first_schema.Raw]:
    pipe = writer.redis.pipeline(transaction=False)
    with plain_errors():
        for id_ in ids:
            pipe.hgetall(writer.name("job", id_))
        return list(pipe.execute())
