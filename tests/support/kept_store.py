"""A store as a file: each key with its type, value and time to live, in JSON lines, compressed."""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import redis

KEPT = "{kept}"
"""The root below which tests have the store as it was kept."""
STORE, EXPECTED = "store-0.1.0.jsonl.xz", "expected-0.1.0.json.xz"
SHORT, ROUNDED = 60_000, 3_600_000
"""ms: Redis counts what is left of a key's time by its own clock, which no play can hold still. So
it is rounded up, and a key that has a minute left at most counts as gone.
"""

_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "pb": 0}]
"""As texts pack best."""

Key = tuple[str, str, Any, int]
"""The name after the namespace, type, value, and ms that are left (-1: kept for good)."""


def save(folder: Path, client: redis.Redis, root: str, now: float, expected: Any) -> None:
    """Write all that stands below a root, and what is expected of it."""
    keys = _by_one_clock(read(client, root))
    records = sorted(filter(_is_job, keys), key=lambda key: int(key[2]["created"]))
    others = [key for key in keys if not _is_job(key)]
    ids = [key[0].removeprefix(_JOB) for key in records]
    packed = _References(ids).pack([_line(key) for key in sorted(others, key=_of_job(ids))])
    head = json.dumps({"now": now, "jobs": len(ids)})
    _write(folder / STORE, "\n".join([head, *map(_line, records), *packed]))
    _write(folder / EXPECTED, _line(expected))


def load(folder: Path, client: redis.Redis, root: str) -> float:
    """Write a kept store below a root; return the moment it was kept at, ms since the epoch."""
    first, *lines = _read(folder / STORE).split("\n")
    head = json.loads(first)
    records = [json.loads(line) for line in lines[: head["jobs"]]]
    references = _References([record[0].removeprefix(_JOB) for record in records])
    others = map(json.loads, references.unpack(lines[head["jobs"] :]))
    write(client, root, [*records, *others])
    return float(head["now"])


def write(client: redis.Redis, root: str, keys: Iterable[Key]) -> None:
    """Write keys, as `read` returns them, below a root."""
    pipe = client.pipeline(transaction=False)
    for name, kind, value, ttl in keys:
        _restore(pipe, f"{root}:{name}".encode("utf-8", "surrogateescape"), kind, value)
        if ttl > 0:
            pipe.pexpire(f"{root}:{name}", ttl)
    pipe.execute()


_COPY = """
for _, name in ipairs(redis.call('KEYS', KEYS[1] .. ':*')) do
  redis.call('COPY', name, KEYS[2] .. string.sub(name, #KEYS[1] + 1))
end
"""
_REMOVE = """
for _, name in ipairs(redis.call('KEYS', KEYS[1] .. ':*')) do
  redis.call('UNLINK', name)
end
"""


def copy(client: redis.Redis, root: str, to: str) -> None:
    """Write all that stands below a root below another one as well."""
    client.eval(_COPY, 2, root, to)


def remove(client: redis.Redis, root: str) -> None:
    """Remove all that stands below a root."""
    client.eval(_REMOVE, 1, root)


def expected(folder: Path) -> Any:
    """Return what 0.1.0 answered about the kept store."""
    return json.loads(_read(folder / EXPECTED))


def read(client: redis.Redis, root: str) -> list[Key]:
    """Return all keys below a root."""
    names = sorted(client.scan_iter(match=f"{root}:*", count=5000))
    pipe = client.pipeline(transaction=False)
    for name in names:
        pipe.type(name)
        pipe.pttl(name)
    answers = pipe.execute()
    kinds = [kind.decode() for kind in answers[::2]]
    for name, kind in zip(names, kinds, strict=True):
        _ask(pipe, name, kind)
    rows = zip(names, kinds, pipe.execute(), answers[1::2], strict=True)
    return [
        (_text(name).removeprefix(f"{root}:"), kind, _value(kind, raw), _rounded(ttl))
        for name, kind, raw, ttl in rows
        if raw and not 0 <= ttl <= SHORT
    ]


def _ask(pipe: Any, name: bytes, kind: str) -> None:
    match kind:
        case "hash":
            pipe.hgetall(name)
        case "zset":
            pipe.zrange(name, 0, -1, withscores=True)
        case "list":
            pipe.lrange(name, 0, -1)
        case "set":
            pipe.smembers(name)
        case "stream":
            pipe.xrange(name)
        case _:
            pipe.get(name)


def _value(kind: str, raw: Any) -> Any:
    match kind:
        case "hash":
            return {_text(name): _text(value) for name, value in sorted(raw.items())}
        case "zset":
            return [[_text(member), _number(score)] for member, score in raw]
        case "list":
            return [_text(item) for item in raw]
        case "set":
            return sorted(_text(item) for item in raw)
        case "stream":
            return [[_text(id_), _value("hash", fields)] for id_, fields in raw]
        case _:
            return _text(raw)


def _restore(pipe: Any, name: bytes, kind: str, value: Any) -> None:
    match kind:
        case "hash":
            pipe.hset(name, mapping={_raw(field): _raw(text) for field, text in value.items()})
        case "zset":
            pipe.zadd(name, {_raw(member): score for member, score in value})
        case "list":
            pipe.rpush(name, *map(_raw, value))
        case "set":
            pipe.sadd(name, *map(_raw, value))
        case "stream":
            for id_, fields in value:
                pipe.xadd(name, {_raw(field): _raw(text) for field, text in fields.items()}, id=id_)
        case _:
            pipe.set(name, _raw(value))


def _by_one_clock(keys: list[Key]) -> list[Key]:
    """Give notices ids by the moments that they tell: Redis gave them some by its own clock."""
    entries = next(value for name, _, value, _ in keys if name == "notices")
    new: dict[str, str] = {}
    for place, (id_, fields) in enumerate(entries):
        new[id_] = f"{json.loads(fields['facts'])['at']}-{place}"
    text = json.dumps(keys)
    for id_, by_moment in new.items():
        text = text.replace(id_, by_moment)
        text = text.replace(f'"@at": "{id_.partition("-")[0]}"', f'"@at": "{by_moment[:13]}"')
    found: list[Key] = json.loads(text)
    return found


_JOB = "job:"
_ID = re.compile("[a-z2-7]{16}")
_REFERENCE = re.compile("\x01([0-9a-f-]*)\x02")


class _References:
    """Ids of jobs, random as they are, packed: each as the steps from the one that was named last,
    in the order of their creation.
    """

    def __init__(self, ids: list[str]) -> None:
        self._ids = ids
        self._places = {id_: place for place, id_ in enumerate(ids)}
        self._last = 0

    def pack(self, lines: Iterable[str]) -> list[str]:
        return [_ID.sub(self._step, line) for line in lines]

    def unpack(self, lines: Iterable[str]) -> list[str]:
        return [_REFERENCE.sub(self._id, line) for line in lines]

    def _step(self, found: re.Match[str]) -> str:
        if found[0] not in self._places:
            return found[0]
        before, self._last = self._last, self._places[found[0]]
        return f"\x01{self._last - before:x}\x02"

    def _id(self, found: re.Match[str]) -> str:
        self._last += int(found[1], 16)
        return self._ids[self._last]


def _is_job(key: Key) -> bool:
    return key[0].startswith(_JOB)


def _of_job(ids: list[str]) -> Callable[[Key], tuple[str, int]]:
    """Return an order of keys in which those of one kind go by the job that they name first."""
    places = {id_: place for place, id_ in enumerate(ids)}

    def place(key: Key) -> tuple[str, int]:
        found = _ID.search(_line(key)[:3000])
        return key[0].partition(":")[0], places.get(found[0], 0) if found else 0

    return place


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _rounded(ttl: int) -> int:
    return ttl if ttl < 0 else -(-ttl // ROUNDED) * ROUNDED


def _number(score: float) -> float | int:
    return int(score) if score == int(score) else score


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _write(path: Path, text: str) -> None:
    raw = text.encode("utf-8", "surrogateescape")
    path.write_bytes(lzma.compress(raw, filters=_FILTERS))


def _read(path: Path) -> str:
    return lzma.decompress(path.read_bytes()).decode("utf-8", "surrogateescape")
