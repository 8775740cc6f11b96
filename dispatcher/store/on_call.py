"""Who is on call: what was published last, and the swaps of rotas."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dispatcher.errors import DispatcherError
from dispatcher.store.connection import Repository, pairs
from dispatcher.store.errors import StoreUnsuitable
from dispatcher.store.schema import OnCallField
from dispatcher.values.masking import mask_text

if TYPE_CHECKING:
    from dispatcher.model.on_call import OnCall, Rota, Shift


_UNREADABLE = (
    "who is on call was published by another release, and this one cannot read it: run one release"
    " everywhere, or publish the chains file again"
)


class OtherVersion(DispatcherError):
    """Somebody else published who is on call meanwhile: read it again, and change that."""


class UnreadableOnCall(StoreUnsuitable):
    """Another release published who is on call, in a way that this one does not know."""


class UnknownRota(DispatcherError, LookupError):
    """There is no such rota, or no such swap of one."""


@dataclass(frozen=True, slots=True)
class Published:
    """Who is on call, as it was published last.

    `at` is aware and UTC. `refused`: what is wrong with the file that came since, '' where nothing
    is; what was published before it stays in force.
    """

    on_call: OnCall
    version: int
    at: datetime
    by: str
    refused: str = ""
    refused_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """That somebody published who is on call."""

    version: int
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Swap:
    """A shift that overrules a rota."""

    id: str
    rota: str
    shift: Shift
    by: str
    added: float
    """When, in ms since the epoch: the latest overrules those before."""

    def to_dict(self) -> dict[str, str]:
        """Return it as JSON knows it."""
        shift = self.shift
        told = {"who": shift.who, "from": shift.start, "to": shift.end, "why": shift.why}
        return {"id": self.id, "rota": self.rota, **told, "by": self.by}

    def in_words(self) -> str:
        """Return who stands in for whom, and when."""
        shift = self.shift
        why = f": {shift.why}" if shift.why else ""
        return f"{shift.who} for {self.rota}, {shift.start} to {shift.end} ({self.by}){why}"


class OnCallStore(Repository):
    """Who is on call, for all processes of the account."""

    _seen: tuple[str, OnCall] | None = None
    """What was read last, as JSON and as it was understood. Not by version: one that a failover
    lost comes again, and says something else.
    """

    def get(self) -> Published | None:
        """Return what is in force; None where nothing was ever published.

        Raises UnreadableOnCall.
        """
        (raw,) = self._read_together(("HGETALL", self._key("on_call")))
        found = {name.decode(): value.decode() for name, value in pairs(raw).items()}
        if OnCallField.VERSION not in found:
            return None
        return Published(
            on_call=self._understood(found[OnCallField.CONFIG]),
            version=int(found[OnCallField.VERSION]),
            at=_time(found[OnCallField.AT]),
            by=found[OnCallField.BY],
            refused=found.get(OnCallField.REFUSED, ""),
            refused_at=_time(at) if (at := found.get(OnCallField.REFUSED_AT)) else None,
        )

    def in_force(self) -> OnCall | None:
        """Return who is on call, None where nobody ever said. Raises UnreadableOnCall."""
        published = self.get()
        return published.on_call if published else None

    def _understood(self, config: str) -> OnCall:
        # Not at the top: whoever only reads jobs has no use for what checks chains.
        from dispatcher.model.on_call import OnCall  # noqa: PLC0415

        seen = self._seen
        if seen is None or seen[0] != config:
            try:
                self._seen = seen = config, OnCall.model_validate_json(config)
            except ValueError:  # its words would repeat numbers
                raise UnreadableOnCall(_UNREADABLE) from None
        return seen[1]

    def publish(self, on_call: OnCall, *, by: str, expected: int | None = None) -> int:
        """Put in force who is on call; return its version. What says the same changes nothing.

        `expected`: the version that it changes, 0 for none; None: whatever is there. Raises
        OtherVersion.
        """
        config = on_call.model_dump_json(exclude_defaults=True)
        version = int(self._run("publish_on_call", actor=by, config=config, expected=expected))
        if not version:
            raise OtherVersion(
                f"who is on call is not version {expected} any more: read it again, and change that"
            )
        return version

    def refuse(self, why: str) -> bool:
        """Note that a chains file cannot be used, and why; return whether that is new."""
        return bool(self._run("refuse_on_call", why=mask_text(why)[:2000]))

    def refused(self) -> str:
        """Return what is wrong with the file that came last, '' where nothing is."""
        (found,) = self._read_together(("HGET", self._key("on_call"), OnCallField.REFUSED))
        return found.decode() if found else ""

    def versions(self) -> list[Version]:
        """Return who published it and when, the latest first."""
        (raw,) = self._read_together(("LRANGE", self._key("on_call_versions"), "0", "-1"))
        found: list[Mapping[str, Any]] = [json.loads(each) for each in raw]
        return [Version(each["version"], _time(each["at"]), each["by"]) for each in found]

    # -- swaps -----------------------------------------------------------------------------

    def swaps(self) -> list[Swap]:
        """Return what overrules rotas, the earliest made first."""
        # Not at the top: whoever only reads jobs has no use for it.
        from dispatcher.model.on_call import Shift  # noqa: PLC0415

        (raw,) = self._read_together(("HGETALL", self._key("swaps")))
        found = [(id_.decode(), json.loads(text)) for id_, text in pairs(raw).items()]
        swaps = [
            Swap(
                id_,
                told["rota"],
                Shift(who=told["who"], start=told["start"], end=told["end"], why=told["why"]),
                told["by"],
                float(told["added"]),
            )
            for id_, told in found
        ]
        return sorted(swaps, key=lambda swap: (swap.added, swap.id))

    def overrides(self, rota: str | None = None) -> dict[str, Sequence[Shift]]:
        """Return the swaps by rota, of one or of all, the latest last."""
        found: dict[str, list[Shift]] = {}
        for swap in self.swaps():
            if rota in {None, swap.rota}:
                found.setdefault(swap.rota, []).append(swap.shift)
        return dict(found)

    def swap(self, rota: str, shift: Shift, *, until: datetime, by: str) -> str:
        """Have somebody else on call for a shift, which ends at `until`; return the swap's id."""
        id_ = secrets.token_hex(4)
        told = {
            "rota": rota,
            "who": shift.who,
            "start": shift.start,
            "end": shift.end,
            "why": shift.why,
            "by": by,
            "until": round(until.timestamp() * 1000),
            "added": round(self._now()),
        }
        self._run("swap_shift", actor=by, id=id_, shift=told)
        return id_

    def end_swap(self, id_: str, *, by: str) -> None:
        """End a swap: the rota holds again. Raises UnknownRota."""
        if not self._run("swap_shift", actor=by, id=id_):
            raise UnknownRota(f"there is no swap {id_[:40]!r}: `rota show` lists them")


def _time(ms: str) -> datetime:
    return datetime.fromtimestamp(float(ms) / 1000, UTC)


def rota_of(on_call: OnCall, name: str) -> Rota:
    """Return a rota. Raises UnknownRota."""
    rota = on_call.rotas.get(name)
    if rota is None:
        known = ", ".join(on_call.rotas) or "none"
        raise UnknownRota(f"there is no rota {name[:40]!r}: there is {known}")
    return rota
