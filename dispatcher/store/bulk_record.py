"""Between a bulk action and the flat fields of its record."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from dispatcher.model.bulk_action import BulkAction, BulkActionKind, LeftOut, Preview
from dispatcher.model.states import Priority
from dispatcher.store.schema import BulkField


def fields_of(preview: Preview) -> dict[str, Any]:
    """Return the fields of a new action's record."""
    excluded = [[each.reason, each.count, each.ids] for each in preview.excluded]
    return {
        BulkField.ACTION: preview.kind,
        BulkField.SELECTION: preview.selection,
        BulkField.OPTIONS: json.dumps(preview.options),
        BulkField.MATCHED: preview.matched,
        BulkField.SELECTED: len(preview.ids),
        BulkField.EXPECTED_CREDITS: str(preview.credits),
        BulkField.CREDITS_IF_ANSWERED: str(preview.credits_if_answered),
        BulkField.MAY_HAVE_BEEN_CALLED: preview.may_have_been_called,
        BulkField.EXCLUDED: json.dumps(excluded),
    }


def action_of(id_: str, raw: dict[bytes, bytes], left: int) -> BulkAction:
    """Return the action of a record; `left` jobs are still in its list."""
    record = {name.decode(): value.decode("utf-8", "replace") for name, value in raw.items()}
    return BulkAction(
        id=id_,
        kind=BulkActionKind(record[BulkField.ACTION]),
        priority=_priority(record[BulkField.OPTIONS]),
        state=record[BulkField.STATE],
        selection=record[BulkField.SELECTION],
        actor=record.get(BulkField.ACTOR, ""),
        note=record.get(BulkField.NOTE, ""),
        started_at=_moment(record.get(BulkField.STARTED)),
        ended_at=_moment(record.get(BulkField.ENDED)),
        matched=int(record[BulkField.MATCHED]),
        selected=int(record[BulkField.SELECTED]),
        done=int(record.get(BulkField.DONE, 0)),
        remaining=int(record.get(BulkField.REMAINING, left)),
        skipped=_skipped(record),
        credits=Decimal(record[BulkField.EXPECTED_CREDITS]),
        credits_if_answered=Decimal(record[BulkField.CREDITS_IF_ANSWERED]),
        may_have_been_called=int(record[BulkField.MAY_HAVE_BEEN_CALLED]),
        excluded=tuple(
            LeftOut(reason, count, tuple(some))
            for reason, count, some in json.loads(record[BulkField.EXCLUDED])
        ),
    )


def _priority(options: str) -> Priority | None:
    named = json.loads(options).get("priority")
    return None if named is None else Priority(named)


def _skipped(record: dict[str, str]) -> tuple[LeftOut, ...]:
    skipped = [
        LeftOut(reason, int(value), tuple(record[f"examples:{reason}"].split(",")))
        for name, value in record.items()
        for kind, _, reason in [name.partition(":")]
        if kind == "skipped"
    ]
    return tuple(sorted(skipped, key=lambda each: (-each.count, each.reason)))


def _moment(milliseconds: str | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
