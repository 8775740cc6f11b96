"""What became of campaigns, as lua/lib/campaigns.lua counts it: a few small reads for each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from dispatcher.model.campaign import Calls, Campaign, UnknownCampaign, hour_of, pace
from dispatcher.model.states import State
from dispatcher.store.connection import Repository, pairs
from dispatcher.store.schema import CAMPAIGN_SUMMARIES, CampaignField
from dispatcher.store.search import InvalidCursor
from dispatcher.values.masking import mask_text
from dispatcher.values.mentions import Mentions
from dispatcher.values.tariffs import to_credits

AT_ONCE = 100
"""Campaigns that are read, or forgotten, in one step."""
NAMES_AT_ONCE, LOOKED_AT = 2000, 10_000
"""Names that are read in one step, and for one page, where a part of a name is looked for."""
_PLACE = re.compile("([0-9]{1,15})\\.([0-9]{1,9})")

_STATES = frozenset(map(str, State))

Counts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CampaignPage:
    """Some campaigns, newest first; `cursor` leads on, None where that is all."""

    campaigns: list[Campaign]
    cursor: str | None


class Campaigns(Repository):
    """The campaigns of the account."""

    def get(self, name: str) -> Campaign:
        """Return a campaign as it stands. Raises UnknownCampaign."""
        keys = [self._key(kind, name) for kind in ("campaign", "campaign_hours")]
        counts, hours = self._hashes(keys)
        if CampaignField.JOBS not in counts:
            raise UnknownCampaign(name)
        return _campaign(name, counts, self._at(), _by_hour(hours))

    def page(self, limit: int, cursor: str | None = None, *, named: str = "") -> CampaignPage:
        """Return the next campaigns, at most `limit`, newest first, without their hours. Raises
        InvalidCursor.

        `named`: those with this in their name, in capitals or not; of a number in a name it finds
        what lists show. Looks at LOOKED_AT names: a page may have few, and lead on nevertheless.
        """
        most, seen = (float("inf"), 0) if cursor is None else _place(cursor)
        many, names, looked_at = (NAMES_AT_ONCE if named else limit + 1), list[str](), 0
        while True:
            places = self._places(most, seen, many)
            for name, at in places:
                if len(names) == limit or looked_at == LOOKED_AT:
                    return CampaignPage(self._listed(names), f"{most:.0f}.{seen}")
                most, seen = at, seen + 1 if most == at else 1
                looked_at += 1
                if _has(name, named):
                    names.append(name)
            if len(places) < many:
                return CampaignPage(self._listed(names), None)

    def all(self, named: str = "") -> Iterator[Campaign]:
        """Yield all campaigns, newest first, without their hours; `named` is as in `page`."""
        cursor = None
        while True:
            found = self.page(AT_ONCE, cursor, named=named)
            yield from found.campaigns
            cursor = found.cursor
            if cursor is None:
                return

    def forget_older(self, before: float) -> int:
        """Forget the summaries of campaigns whose last job was removed before a moment (ms since
        the epoch), and the oldest of too many; return how many.
        """
        forgotten = 0
        while done := self._forget(before):
            forgotten += done
        return forgotten

    def forget_named(self, mentions: Mentions) -> int:
        """Forget the summaries of campaigns whose names hold a number; return how many."""
        (raw,) = self._read_together(("ZRANGE", self._key("campaigns_over"), "0", "-1"))
        names = [name for each in raw if mentions.stand_in(name := each.decode())]
        return int(self._run("forget_campaigns", names=names)) if names else 0

    def _forget(self, before: float) -> int:
        asked = {"before": round(before), "kept": CAMPAIGN_SUMMARIES, "most": AT_ONCE}
        return int(self._run("forget_campaigns", **asked))

    # -- below -----------------------------------------------------------------------------

    def _places(self, most: float, seen: int, many: int) -> list[tuple[str, float]]:
        key, highest = self._key("campaigns"), f"{most:.0f}"  # `inf` is one, too
        limit = ("LIMIT", str(seen), str(many))
        (flat,) = self._read_together(
            ("ZREVRANGEBYSCORE", key, highest, "-inf", "WITHSCORES", *limit)
        )
        return [(name.decode(), float(at)) for name, at in pairs(flat).items()]

    def _listed(self, names: Sequence[str]) -> list[Campaign]:
        """Return those that are there, without their hours."""
        counts, now = self._hashes([self._key("campaign", name) for name in names]), self._at()
        return [
            _campaign(name, each, now, None)
            for name, each in zip(names, counts, strict=True)
            if CampaignField.JOBS in each
        ]

    def _hashes(self, keys: Sequence[str]) -> list[Counts]:
        answers = self._read_together(*(("HGETALL", key) for key in keys)) if keys else []
        return [{k.decode(): v.decode() for k, v in pairs(flat).items()} for flat in answers]

    def _at(self) -> datetime:
        return datetime.fromtimestamp(self._now() / 1000, UTC)


def _campaign(
    name: str, counts: Counts, now: datetime, by_hour: Mapping[datetime, Calls] | None
) -> Campaign:
    dialled_at = _moment(counts.get(CampaignField.FIRST_DIALLED))
    return Campaign(
        name=name,
        jobs=int(counts[CampaignField.JOBS]),
        purged=int(counts.get(CampaignField.PURGED, 0)),
        counts=dict(_kinds(counts)),
        attempts=int(counts.get(CampaignField.ATTEMPTS, 0)),
        talked=int(counts.get(CampaignField.TALKED, 0)) / 1000,
        credits=to_credits(int(counts.get(CampaignField.SPENT, 0))),
        by_attempt=_by_attempt(counts),
        by_hour=by_hour,
        first_at=_moment(counts.get(CampaignField.BEGUN)),
        dialled_at=dialled_at,
        ended_at=_moment(counts.get(CampaignField.ENDED)),
        pace=pace(dict(_minutes(counts)), dialled_at, now),
        at=now,
    )


def _kinds(counts: Counts) -> Iterator[tuple[tuple[State, str], int]]:
    for name, number in counts.items():
        state, _, reason = name.partition(":")
        if state in _STATES and number != "0":
            yield (State(state), reason), int(number)


def _minutes(counts: Counts) -> Iterator[tuple[int, int]]:
    for name, value in counts.items():
        if name.startswith(f"{CampaignField.MINUTE}:"):
            minute, _, many = value.partition(" ")
            yield int(minute), int(many)


def _by_attempt(counts: Counts) -> dict[int, Calls]:
    what, dialled = f"{CampaignField.DIALLED}:", {}
    for name, number in counts.items():
        if name.startswith(what) and number != "0":
            n = int(name.removeprefix(what))
            answered = counts.get(f"{CampaignField.ANSWERED}:{n}", "0")
            dialled[n] = Calls(int(number), int(answered))
    return dict(sorted(dialled.items()))


def _by_hour(hours: Counts) -> dict[datetime, Calls]:
    found = sorted({int(name.partition(":")[0]) for name in hours})
    calls = {hour: Calls(*(_in_hour(hours, hour, what) for what in _WHAT)) for hour in found}
    return {hour_of(hour): each for hour, each in calls.items() if each != Calls()}


_WHAT = (CampaignField.DIALLED, CampaignField.ANSWERED)


def _in_hour(hours: Counts, hour: int, what: str) -> int:
    return int(hours.get(f"{hour}:{what}", 0))


def _moment(milliseconds: str | None) -> datetime | None:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC) if milliseconds else None


def _has(name: str, part: str) -> bool:
    """Whether a name, as lists show it, has this in it."""
    wanted = part.casefold()
    return wanted in name.casefold() and wanted in mask_text(name).casefold()


def _place(cursor: str) -> tuple[float, int]:
    found = _PLACE.fullmatch(cursor)
    if found is None:
        raise InvalidCursor(cursor)
    return float(found[1]), int(found[2])
