"""An import: rows are checked, then written; each step goes in batches and may be repeated."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count, islice
from typing import NamedTuple, TypeVar

from dispatcher.client.dispatcher import Dispatcher
from dispatcher.client.many import BATCH
from dispatcher.model.invalid_job import DoNotCall, InvalidJob
from dispatcher.model.request import JobRequest
from dispatcher.model.spoken_code import spoken
from dispatcher.rows.form import Form
from dispatcher.rows.places import told
from dispatcher.rows.records import Record
from dispatcher.rows.refused import OTHER_REQUEST, OTHER_ROW, Reasons, RowConflict
from dispatcher.rows.short_rows import whole_rows
from dispatcher.store import packing
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.values import Packed, request_refused
from dispatcher.values import speech
from dispatcher.values.counts import counted
from dispatcher.values.scripts import misfit

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0  # seconds between looks for a Redis that is away


class Item(NamedTuple):
    """A row that was found right, as it is written."""

    record: Record
    row: Packed
    misfit: str = ""
    seconds: float = 0.0


@dataclass
class Tally:
    """What became of the rows so far; `reasons` and `tariffs` count too.

    Of `rows`, `refused` were (`do_not_call` of them by that list), and `existing` were enqueued
    before; `new` are to be created, and `created` of them are. `misfits`: of how many new rows, and
    in which line first, the text is not written as its language is. `seconds`: about how long the
    shortest and the longest text of new rows takes.
    """

    rows: int = 0
    refused: int = 0
    do_not_call: int = 0
    existing: int = 0
    new: int = 0
    created: int = 0
    reasons: Reasons = field(default_factory=Reasons)
    tariffs: Counter[str] = field(default_factory=Counter)
    misfits: dict[str, tuple[int, int]] = field(default_factory=dict)
    seconds: tuple[float, float] | None = None

    def warnings(self) -> list[str]:
        """Return a sentence for each thing that may be wrong with texts, and their first line."""
        return [
            f"{counted(many, 'row')}, first in line {line}: {what}"
            for what, (many, line) in self.misfits.items()
        ]


@dataclass
class Import:
    """Checks and writes rows.

    `refuse` is told of each row that is not taken, `waiting` of a Redis that is away. Where it is
    for longer than `patience` seconds StoreUnavailable is raised: what was written stands, and the
    same rows may come again.
    """

    dispatcher: Dispatcher
    form: Form
    refuse: Callable[[Record, str], None] = lambda _, __: None
    patience: float = 60.0
    waiting: Callable[[StoreUnavailable], None] = lambda _: None
    tally: Tally = field(default_factory=Tally)

    def check(self, records: Iterable[Record]) -> Iterator[list[Item]]:
        """Yield what is to be written, in batches. Raises UnusableInput, StoreUnavailable."""
        default = self._patiently(self.dispatcher.store.languages.default)
        self.form = replace(self.form, lang=default)
        all_ = whole_rows(records, self.form.columns)
        while batch := list(islice(all_, BATCH)):
            self.tally.rows += len(batch)
            items, answers = self._looked_for(batch)
            fresh = []
            for item, answer in zip(items, answers, strict=True):
                if self._is_fresh(item, answer):
                    self._note_text(item)
                    fresh.append(item)
                    self.tally.tariffs[item.row.tariff] += 1
            self.tally.new += len(fresh)
            yield fresh

    def write(self, items: list[Item]) -> None:
        """Write a batch, and have it fed. Raises StoreUnavailable."""
        rows = [item.row for item in items]
        tries = count()
        answers = self._patiently(lambda: self._submit(rows, tries))
        repeated = next(tries) > 1
        for item, answer in zip(items, answers, strict=True):
            ours = repeated and answer == "same"  # of a try that Redis did not answer whole
            self.tally.created += ours or self._is_fresh(item, answer)

    def _submit(self, rows: list[Packed], tries: Iterator[int]) -> list[str]:
        next(tries)
        return self.dispatcher.submit_packed(rows)

    def _item(self, record: Record) -> Item | None:
        try:
            request = self._request(record)
        except InvalidJob as error:
            self._refuse(record, error)
            return None
        lang = request.lang or self.form.lang
        said = spoken(request.code, lang, request.say) if request.code else request.say or ""
        wrong = misfit(request.say or "", lang)
        return Item(record, packing.packed(request), wrong, speech.seconds(said, lang))

    def _request(self, record: Record) -> JobRequest:
        if record.fault:
            raise InvalidJob([("row", record.fault)])
        spoilt = [
            (what, why)
            for column, why in record.spoilt.items()
            if (what := self.form.of_column(column))
        ]
        if spoilt:
            raise InvalidJob(spoilt)
        return self.form.request(record.values)

    def _looked_for(self, batch: list[Record]) -> tuple[list[Item], list[str]]:
        """Return the right ones of a batch, and what Redis would answer for each: it looks for
        those that are checked while others are.
        """
        items: list[Item] = []
        unchecked = iter(batch)

        def rows() -> Iterator[Packed]:
            yield from [item.row for item in items]  # Redis was away: they are asked for again
            for record in unchecked:
                if item := self._item(record):
                    items.append(item)
                    yield item.row

        answers = self._patiently(lambda: self.dispatcher.store.jobs.find_existing(rows()))
        return items, answers

    def _is_fresh(self, item: Item, answer: str) -> bool:
        if answer == "same":
            self.tally.existing += 1
        elif answer == "other":
            self._refuse(item.record, self._conflict(item))
        elif refused := request_refused(answer):
            self._refuse(item.record, refused)
        return answer == "new"

    def _note_text(self, item: Item) -> None:
        """Keep how long a text takes; count one that is not written as its language is."""
        if item.seconds:
            shortest, longest = self.tally.seconds or (item.seconds, item.seconds)
            self.tally.seconds = min(shortest, item.seconds), max(longest, item.seconds)
        if item.misfit:
            many, first = self.tally.misfits.get(item.misfit, (0, item.record.line))
            self.tally.misfits[item.misfit] = (many + 1, first)

    def _refuse(self, record: Record, error: InvalidJob | RowConflict) -> None:
        self.tally.refused += 1
        self.tally.do_not_call += isinstance(error, DoNotCall)
        self.tally.reasons.add(error)
        self.refuse(record, told(record, error, self.form.columns))

    def _conflict(self, item: Item) -> RowConflict:
        own = self.form.has_key(item.record.values)
        return RowConflict(*(OTHER_REQUEST if own else OTHER_ROW), item.row.id)

    def _patiently(self, act: Callable[[], T]) -> T:
        """Return what the act returns, however often Redis is away meanwhile."""
        end, pause = time.monotonic() + self.patience, FIRST_PAUSE
        while True:
            try:
                return act()
            except StoreUnavailable as error:
                if time.monotonic() + pause > end:
                    raise
                self.waiting(error)
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
