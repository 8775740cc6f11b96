"""Between a bulk action and the flat fields of its record."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from dispatcher.model.bulk_action import BulkAction, BulkActionKind, LeftOut, Preview


def fields_of(preview: Preview) -> dict[str, Any]:
    """Return the fields of a new action's record."""
    left_out = [[each.reason, each.count, each.ids] for each in preview.left_out]
    return {
        "what": preview.kind,
        "meant": preview.selection,
        "wish": json.dumps(preview.options),
        "matched": preview.matched,
        "chosen": len(preview.ids),
        "credits": str(preview.credits),
        "answered": str(preview.credits_if_answered),
        "unknown": preview.unknown,
        "left_out": json.dumps(left_out),
    }


def action_of(id_: str, raw: dict[bytes, bytes], left: int) -> BulkAction:
    """Return the action of a record; `left` jobs stand in its list still."""
    record = {name.decode(): value.decode("utf-8", "replace") for name, value in raw.items()}
    return BulkAction(
        id=id_,
        kind=BulkActionKind(record["what"]),
        state=record["state"],
        selection=record["meant"],
        actor=record.get("actor", ""),
        why=record.get("why", ""),
        begun_at=_moment(record.get("begun")),
        ended_at=_moment(record.get("ended")),
        matched=int(record["matched"]),
        chosen=int(record["chosen"]),
        did=int(record.get("did", 0)),
        left=int(record.get("left", left)),
        refused=_refused(record),
        credits=Decimal(record["credits"]),
        credits_if_answered=Decimal(record["answered"]),
        unknown=int(record["unknown"]),
        left_out=tuple(
            LeftOut(reason, count, tuple(some))
            for reason, count, some in json.loads(record["left_out"])
        ),
    )


def _refused(record: dict[str, str]) -> tuple[LeftOut, ...]:
    refused = [
        LeftOut(reason, int(value), tuple(record[f"ids:{reason}"].split(",")))
        for name, value in record.items()
        for kind, _, reason in [name.partition(":")]
        if kind == "no"
    ]
    return tuple(sorted(refused, key=lambda each: (-each.count, each.reason)))


def _moment(milliseconds: str | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
