"""The published table of errors and retries is what the client and the policy do, row by row."""

from __future__ import annotations

import json
import random
import re
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dispatcher.policy import Policy, after_error, after_report
from dispatcher.provider import CallbackRequest, ProviderError, registry
from dispatcher.provider.transport import before_sending
from dispatcher.provider.xoxzo.answers import CallStatus
from dispatcher.provider.xoxzo.callbacks import XoxzoCallbacks
from dispatcher.provider.xoxzo.client import VoiceClient
from dispatcher.provider.xoxzo.reports import of_call
from dispatcher.store import codec
from support.provider_wire import http, reset
from support.raw_records import as_written
from workers.engine.lease import Lease

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/retries.md"
COLUMNS = 9
NOTHING = "–"  # noqa: RUF001
SAY = {"caller": "+818000000000", "recipient": "+818011234567", "message": "Hi", "lang": "en"}
JOB = codec.job(
    "a" * 16,
    as_written(
        {
            "state": "dialing",
            "to": "818011234567",
            "say": "Hi",
            "attempts": "1",
            **dict.fromkeys(("events", "created"), "0"),
        }
    ),
)
DOCUMENTED = {"400", "401", "403", "404", "429", "500", "502", "503", "504", "201"}
"""Every status of the provider's error table, 5xx one by one, and a 2xx that is not JSON."""


def rows() -> list[list[str]]:
    table = (
        PAGE.read_text().partition("proves over | counts as failure |\n")[2].partition("\n\n")[0]
    )
    lines = table.splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def endings() -> list[list[str]]:
    table = PAGE.read_text().partition("| with a redial left |\n")[2].partition("\n\n")[0]
    lines = table.splitlines()[1:]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_endings_has_every_documented_word_and_one_that_is_not() -> None:
    words = [row[0] for row in endings()]
    assert {*words} == {*registry.registration().words.outcomes.values(), "BUSY"}
    assert words.count("BUSY") == 3


@pytest.mark.parametrize("row", endings(), ids=lambda row: " ".join(row[:2]))
def test_what_the_table_says_of_an_ending_happens(row: list[str]) -> None:
    word, beside, *says = row
    told = {"callid": "a", "status": word, "cost": "1"}
    if beside == "an end time":
        told["end_time"] = "2026-01-01 00:00:41"
    if beside == "in a callback":
        request = CallbackRequest(json.dumps(told).encode(), "application/json")
        report = XoxzoCallbacks().parse_callback(request)
    else:
        report = of_call(CallStatus.read(told))
    decisions = [after_report(report, replace(JOB, redial=n), Policy()) for n in (0, 1)]
    becomes = [
        "in_progress" if each is None else "/".join(filter(None, [each.to, each.reason]))
        for each in decisions
    ]
    assert says == [decisions[0].result if decisions[0] else NOTHING, *becomes]


def test_the_table_has_every_row_of_the_providers_errors() -> None:
    answers = [row[0] for row in rows()]
    assert all(len(row) == COLUMNS for row in rows())
    assert {answer.split(" ")[0] for answer in answers if answer[0].isdigit()} == DOCUMENTED
    assert sum("Country" in answer or "credits" in answer for answer in answers) == 3
    assert [answer.split(",")[0] for answer in answers if not answer[0].isdigit()] == [
        "not sent: the worker was stopped until its lease was nearly over",
        "refused",
        "sent",
    ]


def provoke(
    answer: str, ask: Callable[..., VoiceClient], client_for: Callable[..., VoiceClient]
) -> ProviderError:
    """Return the error that a request for a call meets where the provider answers so."""
    if answer.startswith("not sent"):
        with before_sending(Lease(seconds=60, answer=30, began=-40, clock=lambda: 0).require):
            return _error(ask(http(201)))
    if answer.startswith("refused"):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            client = client_for(f"http://127.0.0.1:{nobody.getsockname()[1]}")
            return _error(client)
    if answer.startswith("sent"):
        return _error(ask(reset))
    status, _, body = answer.partition(" ")
    text = body.strip("`")
    return _error(ask(http(int(status), json.loads(text) if text[:1] == "{" else text.encode())))


def _error(client: VoiceClient) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        client.say(**SAY)
    return caught.value


@pytest.mark.parametrize("row", rows(), ids=lambda row: re.sub(r"\W+", " ", row[0])[:40])
def test_what_the_table_says_happens(
    row: list[str], ask: Callable[..., VoiceClient], client_for: Callable[..., VoiceClient]
) -> None:
    error = provoke(row[0], ask, client_for)
    decision = after_error(error, JOB, Policy(), random.Random(1), datetime.now(UTC))
    becomes = f"{decision.to}/{decision.reason}" if decision.reason else str(decision.to)
    assert row[1:] == [
        f"`{type(error).__name__}`",
        "unknown" if decision.to == "uncertain" else "no",
        f"`{becomes}`",
        f"`{decision.result}`",
        "yes" if decision.spent else "no",
        decision.hold or NOTHING,
        ", ".join(decision.proves) or NOTHING,
        decision.failure or NOTHING,
    ]
