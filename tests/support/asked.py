"""What producers ask for, and how it is refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dispatcher.model.invalid_job import InvalidJob
from dispatcher.model.request import JobRequest

SOMEBODY, SOMEBODY_ELSE, A_THIRD, A_FOURTH = (f"+81801234567{n}" for n in range(4))


CALL = {"recipient": SOMEBODY, "say": "Disk full"}


RECORDING = {"recipient": SOMEBODY, "play": "http://example.com/a.mp3"}


CONFERENCE = {"participants": [SOMEBODY, SOMEBODY_ELSE]}


JARGON = re.compile(r"Input should|valid (string|integer|tuple|dict)|Value error|validat|pydantic")


def refusal(fields: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidJob) as caught:
        JobRequest.of(fields)
    assert not JARGON.search(str(caught.value))
    return caught.value.problems


def problems_of(fields: dict[str, Any]) -> list[tuple[str, str]]:
    try:
        JobRequest.of(fields)
    except InvalidJob as error:
        return error.problems
    return []


def one_refusal(fields: Any) -> tuple[str, str]:
    [problem] = refusal(fields)
    return problem


def ago(**length: float) -> str:
    return (datetime.now(UTC) - timedelta(**length)).isoformat()


def ahead(**length: float) -> str:
    return (datetime.now(UTC) + timedelta(**length)).isoformat()
