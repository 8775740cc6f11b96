"""The steps to the schema of now: each finds what stands under old names, and has it written anew.

What was written stands under its new name alone. So a step that is begun again goes on where it
was left, and one that is done finds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, islice
from typing import Any

from dispatcher.model.states import Priority
from dispatcher.model.tags import CAMPAIGN
from dispatcher.store import codec
from dispatcher.store.errors import plain_errors
from dispatcher.store.migrate import first_schema, indexes, second_schema
from dispatcher.store.migrate.campaigns import Count
from dispatcher.store.migrate.first_schema import Raw
from dispatcher.store.migrate.writer import BATCH, Batches, Command, Writer, raw
from dispatcher.store.schema import BARRIER, DEFAULT_ACCOUNT, CampaignField


def jobs(writer: Writer) -> Batches:
    """Rename the records of jobs, and their fields."""
    yield from _renamed(writer, writer.found("job:*"))


def lines(writer: Writer) -> Batches:
    """Put ready jobs into their lines, which had the first bytes of a campaign's name only."""
    for name in writer.found("ready:*"):
        priority, _, line = name.removeprefix("ready:").partition(":")
        with plain_errors():
            had: Any = writer.redis.zscore(writer.old("lines", priority), line)
        while entries := _entries(writer, name):
            yield _into_lines(writer, name, priority, entries, had or 0.0), len(entries)
    yield [("DEL", *(writer.old("lines", priority) for priority in Priority))], 0


def streams(writer: Writer) -> Batches:
    """Bring over what happened to the account, and what people did."""
    converts = {"notices": first_schema.event, "audit": first_schema.audit_entry}
    for old, convert in converts.items():
        new = writer.name({"notices": "events"}.get(old, old))
        while entries := _oldest(writer, old):
            ids = [id_ for id_, _ in entries]
            adds: list[Command] = [
                ("XADD", new, id_, *_flat(convert(fields))) for id_, fields in entries
            ]
            yield [*adds, ("XDEL", writer.old(old), *ids)], len(ids)
        yield [("DEL", writer.old(old))], 0


def holds(writer: Writer) -> Batches:
    """Bring over the gates, which were put aside, and the reasons that were ever used."""
    aside = writer.old("migration", BARRIER)
    with plain_errors():
        gates: Any = writer.redis.hgetall(aside)
        reasons: Any = writer.redis.smembers(writer.old("reasons"))
    commands: list[Command] = [
        ("HSETNX", writer.name("holds"), name, first_schema.hold(text))
        for name, text in gates.items()
    ]
    commands += [("HSETNX", writer.name("states"), kind, 0) for kind in reasons if b":" in kind]
    yield [*commands, ("DEL", aside, writer.old("reasons"))], len(gates) + len(reasons)


def requests(writer: Writer) -> Batches:
    """Bring over the moments of the latest requests."""
    with plain_errors():
        moments: Any = writer.redis.lrange(writer.old("recent"), 0, -1)
    if moments:
        adds: Command = ("RPUSH", writer.name("recent"), *map(first_schema.micros, moments))
        yield [adds, ("DEL", writer.old("recent"))], len(moments)


def turns(writer: Writer) -> Batches:
    """Forget how many turns were taken: that is counted anew, with the limiter's moments."""
    yield [("DEL", writer.old("turn"), writer.old("account", DEFAULT_ACCOUNT, "turn"))], 0


def others(writer: Writer) -> Batches:
    """Rename all other keys, and their fields where these have other names."""
    yield from _renamed(writer, filter(first_schema.new_name, writer.found("*")))


def campaigns(writer: Writer) -> Batches:
    """Count what became of each campaign that is not counted yet."""
    by_tag = groupby(indexes.pages(writer, "by_tag", f"{CAMPAIGN}*"), lambda page: page[0])
    for name, pages in by_tag:
        tag, count = raw(name), Count()
        if _is_counted(writer, tag):
            continue
        for _, page in pages:
            for record in _records(writer, page):
                if first_schema.campaign_tag(record) == tag:  # it may have another's tag as well
                    count.add(codec.record(record))
        yield list(_counted(writer, tag, count)), 1


STEPS = (
    second_schema.old_names,
    holds,
    jobs,
    lines,
    streams,
    requests,
    indexes.in_pages,
    indexes.recipients,
    indexes.states,
    turns,
    others,
    campaigns,
)
"""In this order: what comes later asks for the records as they are now."""


# -- below -------------------------------------------------------------------------------------


def _renamed(writer: Writer, keys: Iterator[str]) -> Batches:
    while names := list(islice(keys, BATCH)):
        commands: list[Command] = []
        for name, fields in zip(names, _hashes(writer, names), strict=True):
            commands += _rename(writer, name, fields)
        yield commands, len(names)


def _hashes(writer: Writer, names: list[str]) -> Iterator[Raw]:
    """Yield the hashes of these names whose fields have other names now; empty for the rest."""
    asked = [first_schema.new_hash(name, {}) is not None for name in names]
    pipe = writer.redis.pipeline(transaction=False)
    with plain_errors():
        for name, is_asked in zip(names, asked, strict=True):
            if is_asked:
                pipe.hgetall(raw(writer.old(name)))
        answers = iter(pipe.execute())
    return (next(answers) if is_asked else {} for is_asked in asked)


def _rename(writer: Writer, name: str, fields: Raw) -> Iterator[Command]:
    found = first_schema.new_name(name)
    if found is None:
        return
    ends = raw(writer.old(name)), raw(writer.name(found[0], *found[1]))
    wanted = first_schema.new_hash(name, fields) if fields else None
    if wanted is None:
        yield "MOVE", *ends
        return
    gone = [field for field in fields if field not in wanted]
    changed = {field: value for field, value in wanted.items() if fields.get(field) != value}
    yield "TURN", *ends, len(gone), *gone, *_flat(changed)


def _entries(writer: Writer, name: str) -> list[tuple[bytes, float]]:
    with plain_errors():
        found: Any = writer.redis.zrange(raw(writer.old(name)), 0, BATCH - 1, withscores=True)
    return list(found)


def _into_lines(
    writer: Writer, name: str, priority: str, entries: list[tuple[bytes, float]], had: float
) -> list[Command]:
    pipe = writer.redis.pipeline(transaction=False)
    with plain_errors():
        for id_, _ in entries:
            pipe.hgetall(writer.name("job", id_.decode()))
        records = pipe.execute()
    commands: list[Command] = [("ZREM", raw(writer.old(name)), *(id_ for id_, _ in entries))]
    for (id_, due), record in zip(entries, records, strict=True):
        if record:  # else it was deleted by hand
            line = first_schema.line_of(record)
            text = line.decode("utf-8", "surrogateescape")
            commands += [
                ("ZADD", raw(writer.name("ready", priority, text)), due, id_),
                ("ZADD", writer.name("lines", priority), "NX", had, line),
            ]
    return commands


def _records(writer: Writer, index: bytes) -> Iterator[Raw]:
    """Yield the records of the jobs in an index."""
    start = 0
    while True:
        with plain_errors():
            ids: Any = writer.redis.zrange(index, start, start + BATCH - 1)
            pipe = writer.redis.pipeline(transaction=False)
            for id_ in ids:
                pipe.hgetall(writer.name("job", id_.decode()))
            records = pipe.execute()
        yield from filter(None, records)
        if len(ids) < BATCH:
            return
        start += BATCH


def _campaign(tag: bytes) -> str:
    return tag.removeprefix(CAMPAIGN.encode()).decode("utf-8", "surrogateescape")


def _is_counted(writer: Writer, tag: bytes) -> bool:
    """Whether a campaign is counted: then also jobs count whose records are gone."""
    with plain_errors():
        return bool(writer.redis.exists(raw(writer.name("campaign", _campaign(tag)))))


def _counted(writer: Writer, tag: bytes, count: Count) -> Iterator[Command]:
    """Yield the commands that write what became of a campaign."""
    name = _campaign(tag)
    keys = [raw(writer.name(kind, name)) for kind in ("campaign", "campaign_hours")]
    if not count.counts:
        return
    for key, fields in zip(keys, (count.fields(), count.hour_fields()), strict=True):
        if fields:
            yield "HSET", key, *(item for pair in fields.items() for item in pair)
    yield "ZADD", writer.name("campaigns"), count.moments[CampaignField.BEGUN], raw(name)


def _oldest(writer: Writer, name: str) -> list[tuple[bytes, Raw]]:
    with plain_errors():
        found: Any = writer.redis.xrange(writer.old(name), count=BATCH)
    return list(found)


def _flat(fields: Raw) -> list[bytes]:
    return [text for pair in fields.items() for text in pair]
