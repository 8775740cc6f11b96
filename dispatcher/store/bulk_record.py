"""Between a bulk action and the flat fields of its record."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from dispatcher.model.bulk_action import BulkAction, BulkActionKind, LeftOut, Preview
from dispatcher.store.schema import BulkField


def fields_of(preview: Preview) -> dict[str, Any]:
    """Return the fields of a new action's record."""
    left_out = [[each.reason, each.count, each.ids] for each in preview.left_out]
    return {
        BulkField.ACTION: preview.kind,
        BulkField.SELECTION: preview.selection,
        BulkField.OPTIONS: json.dumps(preview.options),
        BulkField.MATCHED: preview.matched,
        BulkField.SELECTED: len(preview.ids),
        BulkField.EXPECTED_CREDITS: str(preview.credits),
        BulkField.CREDITS_IF_ANSWERED: str(preview.credits_if_answered),
        BulkField.MAY_HAVE_BEEN_CALLED: preview.unknown,
        BulkField.EXCLUDED: json.dumps(left_out),
    }


def action_of(id_: str, raw: dict[bytes, bytes], left: int) -> BulkAction:
    """Return the action of a record; `left` jobs stand in its list still."""
    record = {name.decode(): value.decode("utf-8", "replace") for name, value in raw.items()}
    return BulkAction(
        id=id_,
        kind=BulkActionKind(record[BulkField.ACTION]),
        state=record[BulkField.STATE],
        selection=record[BulkField.SELECTION],
        actor=record.get(BulkField.ACTOR, ""),
        why=record.get(BulkField.NOTE, ""),
        begun_at=_moment(record.get(BulkField.STARTED)),
        ended_at=_moment(record.get(BulkField.ENDED)),
        matched=int(record[BulkField.MATCHED]),
        chosen=int(record[BulkField.SELECTED]),
        did=int(record.get(BulkField.DONE, 0)),
        left=int(record.get(BulkField.REMAINING, left)),
        refused=_refused(record),
        credits=Decimal(record[BulkField.EXPECTED_CREDITS]),
        credits_if_answered=Decimal(record[BulkField.CREDITS_IF_ANSWERED]),
        unknown=int(record[BulkField.MAY_HAVE_BEEN_CALLED]),
        left_out=tuple(
            LeftOut(reason, count, tuple(some))
            for reason, count, some in json.loads(record[BulkField.EXCLUDED])
        ),
    )


def _refused(record: dict[str, str]) -> tuple[LeftOut, ...]:
    refused = [
        LeftOut(reason, int(value), tuple(record[f"examples:{reason}"].split(",")))
        for name, value in record.items()
        for kind, _, reason in [name.partition(":")]
        if kind == "skipped"
    ]
    return tuple(sorted(refused, key=lambda each: (-each.count, each.reason)))


def _moment(milliseconds: str | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
