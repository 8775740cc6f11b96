"""Acts on many jobs: proposed, begun once, driven to their end, reported.

`propose` keeps what a preview chose for an hour under the preview's id, `begin` starts that,
however often it is asked for, and `drive` does it, by as many drivers as like to: a job leaves the
act's list in the very step that acts on it.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from typing import Any

from dispatcher.errors import DispatcherError
from dispatcher.model.job import iso
from dispatcher.store.previews import Act, LeftOut, Preview, new_id, preview
from dispatcher.store.redis_url import plain_errors
from dispatcher.store.store import AT_ONCE, Store
from dispatcher.values.masking import mask_text

__all__ = [
    "Act",
    "LeftOut",
    "Preview",
    "Progress",
    "UnknownAction",
    "advance",
    "begin",
    "drive",
    "new_id",
    "preview",
    "progress",
    "propose",
    "recent",
    "stop",
    "take",
]

PROPOSED_FOR = 3600
"""Seconds for which a preview may still be begun."""
LEASE = 15.0
"""Seconds after which somebody else looks after an act that nobody drives."""
_IDS_AT_ONCE = 1000
_ID = re.compile("[a-z0-9]{1,40}")


class UnknownAction(DispatcherError, LookupError):
    """There is no such act: it was never proposed, or is past its retention."""

    def __init__(self, id_: str) -> None:
        super().__init__(
            f"there is no act {mask_text(id_[:40])!r}: check the id, or preview it anew;"
            " what was previewed is kept for an hour, and what was done for 30 days"
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """How an act stands. `state` is `proposed`, `running`, `done` or `stopped`.

    Of `chosen` jobs `did` were acted on and `left` not looked at yet (or any more, if it was
    stopped); the rest is `refused`, since something happened to them after the preview.
    """

    id: str
    act: Act
    state: str
    meant: str
    actor: str
    why: str
    begun_at: datetime | None
    ended_at: datetime | None
    matched: int
    chosen: int
    did: int
    left: int
    refused: tuple[LeftOut, ...]
    credits: Decimal
    credits_if_answered: Decimal
    unknown: int
    left_out: tuple[LeftOut, ...]

    @property
    def over(self) -> bool:
        """Whether nothing more is done."""
        return self.state in {"done", "stopped"}

    @property
    def tag(self) -> str | None:
        """The tag of the jobs it reopened: to list, pause, cancel or limit them by."""
        return f"retry:{self.id}" if self.act is Act.RETRY else None

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON knows it, numbers masked in what people wrote."""
        return {
            "id": self.id,
            "act": self.act,
            "state": self.state,
            "meant": mask_text(self.meant),
            "actor": self.actor,
            "why": mask_text(self.why),
            "begun_at": iso(self.begun_at),
            "ended_at": iso(self.ended_at),
            "matched": self.matched,
            "chosen": self.chosen,
            "did": self.did,
            "left": self.left,
            "refused": [each.to_dict() for each in self.refused],
            "expected_credits": float(self.credits),
            "credits_if_all_answered": float(self.credits_if_answered),
            "may_have_been_called": self.unknown,
            "left_out": [each.to_dict() for each in self.left_out],
            "tag": self.tag,
        }


def propose(store: Store, wanted: Preview) -> str:
    """Keep what a preview chose, so that `begin` can do just that; return its id.

    An act of that id which stands already is left as it is.
    """
    whereto = secrets.token_hex(6)
    ids = store.key("act", wanted.id, whereto)
    with plain_errors():
        pipe = store.redis.pipeline(transaction=False)
        for start in range(0, len(wanted.ids), _IDS_AT_ONCE):
            pipe.rpush(ids, *wanted.ids[start : start + _IDS_AT_ONCE])
            pipe.expire(ids, PROPOSED_FOR)
        pipe.execute()
    fields = {
        "what": wanted.act,
        "meant": wanted.meant,
        "wish": json.dumps(wanted.wish),
        "matched": wanted.matched,
        "chosen": len(wanted.ids),
        "credits": str(wanted.credits),
        "answered": str(wanted.credits_if_answered),
        "unknown": wanted.unknown,
        "left_out": json.dumps([[each.reason, each.count, each.ids] for each in wanted.left_out]),
    }
    flat = chain.from_iterable(fields.items())
    store.run("propose_act", wanted.id, whereto, _ms(PROPOSED_FOR), *flat)
    return wanted.id


def begin(store: Store, id_: str, *, actor: str, why: str = "") -> bool:
    """Begin an act that was proposed; False where it was begun already. Raises UnknownAction."""
    answer = store.run("begin_act", _known(id_), actor, why, _ms(LEASE)).decode()
    if answer == "gone":
        raise UnknownAction(id_)
    return bool(answer == "begun")


def advance(store: Store, id_: str, most: int = AT_ONCE) -> tuple[str, int]:
    """Do the next few jobs of a running act; return its state and how many are left.

    Raises UnknownAction.
    """
    state, left = store.run("advance_act", _known(id_), most, _ms(LEASE))
    if state == b"gone":
        raise UnknownAction(id_)
    return state.decode(), int(left)


def drive(
    store: Store,
    id_: str,
    *,
    within: float | None = None,
    tell: Callable[[int], object] = lambda _: None,
    sleep: Callable[[float], object] = time.sleep,
) -> bool:
    """Drive an act to its end, or for so many seconds; return whether it is over.

    Others get at least as much of Redis' time. `tell` hears how many jobs are left after each
    step. Raises UnknownAction, StoreUnavailable.
    """
    began = time.monotonic()
    while True:
        started = time.monotonic()
        state, left = advance(store, id_)
        now = time.monotonic()
        tell(left)
        if state != "running":
            return True
        if within is not None and now - began >= within:
            return False
        sleep(now - started)


def stop(store: Store, id_: str, *, actor: str, why: str = "") -> bool:
    """End a running act: what it did stays done. False where it is not running. UnknownAction."""
    answer = store.run("stop_act", _known(id_), actor, why).decode()
    if answer == "gone":
        raise UnknownAction(id_)
    return bool(answer == "running")


def take(store: Store) -> list[str]:
    """Take the acts that nobody has driven for a while: one look where none is under way."""
    with plain_errors():
        if not store.redis.exists(store.key("acts", "open")):
            return []
    return [id_.decode() for id_ in store.run("take_acts", _ms(LEASE))]


def progress(store: Store, id_: str) -> Progress:
    """Return how an act stands. Raises UnknownAction."""
    found = _read(store, [_known(id_)])
    if not found:
        raise UnknownAction(id_)
    return found[0]


def recent(store: Store, most: int = 20) -> list[Progress]:
    """Return the acts that were begun lately, the latest first."""
    with plain_errors():
        ids: Any = store.redis.zrange(store.key("acts"), 0, most - 1, desc=True)
    return _read(store, [id_.decode() for id_ in ids])


def _known(id_: str) -> str:
    """Return what may be an act's id; nothing else may name a key."""
    if not _ID.fullmatch(id_):
        raise UnknownAction(id_)
    return id_


def _read(store: Store, ids: list[str]) -> list[Progress]:
    with plain_errors():
        pipe = store.redis.pipeline(transaction=True)
        for id_ in ids:
            pipe.hgetall(store.key("act", id_))
            pipe.llen(store.key("act", id_, "ids"))
        rows = pipe.execute()
    pairs = zip(ids, rows[::2], rows[1::2], strict=True)
    return [_progress(id_, _text(raw), left) for id_, raw, left in pairs if b"state" in raw]


def _text(raw: dict[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode("utf-8", "replace") for name, value in raw.items()}


def _progress(id_: str, record: dict[str, str], left: int) -> Progress:
    refused = [
        LeftOut(reason, int(value), tuple(record[f"ids:{reason}"].split(",")))
        for name, value in record.items()
        for kind, _, reason in [name.partition(":")]
        if kind == "no"
    ]
    return Progress(
        id=id_,
        act=Act(record["what"]),
        state=record["state"],
        meant=record["meant"],
        actor=record.get("actor", ""),
        why=record.get("why", ""),
        begun_at=_moment(record.get("begun")),
        ended_at=_moment(record.get("ended")),
        matched=int(record["matched"]),
        chosen=int(record["chosen"]),
        did=int(record.get("did", 0)),
        left=int(record.get("left", left)),
        refused=tuple(sorted(refused, key=lambda each: (-each.count, each.reason))),
        credits=Decimal(record["credits"]),
        credits_if_answered=Decimal(record["answered"]),
        unknown=int(record["unknown"]),
        left_out=tuple(
            LeftOut(reason, count, tuple(some))
            for reason, count, some in json.loads(record["left_out"])
        ),
    )


def _moment(milliseconds: str | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
