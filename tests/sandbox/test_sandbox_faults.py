"""Faults by chance and by time: answers cut, status pages that lag, costs that come late."""

from __future__ import annotations

import pytest
import requests

from support.polling import eventually
from support.sandbox_client import Client, Start

PREFIX = "+81801235"
NUMBERS = [f"{PREFIX}{n}" for n in range(1000, 1060)]


def cut(client: Client, number: str) -> bool:
    try:
        assert client.play(number).status_code == 201
    except requests.ConnectionError:
        return True
    return False


def test_some_answers_are_cut_after_the_call_was_placed(start: Start) -> None:
    runs = []
    for _ in range(2):
        client = start(cut=0.3, seed=7)
        runs.append([cut(client, number) for number in NUMBERS])
        assert len(client.calls()) == len(NUMBERS)
    assert 5 < sum(runs[0]) < 30
    assert runs[0] == runs[1]


@pytest.mark.parametrize(("chance", "expected"), [(0, False), (1, True)])
def test_the_chance_of_a_cut_has_its_ends(start: Start, chance: float, expected: bool) -> None:
    client = start(cut=chance)
    assert {cut(client, number) for number in NUMBERS[:5]} == {expected}


def test_a_placed_call_is_unknown_to_a_lagging_status_page(start: Start) -> None:
    client = start(lag=0.5)
    callid = client.play(NUMBERS[0]).json()[0]["callid"]
    assert client.get(f"/voice/calls/{callid}/").status_code == 404
    eventually(lambda: client.get(f"/voice/calls/{callid}/").status_code == 200)


def test_a_cost_may_be_told_later_than_the_end(start: Start) -> None:
    client = start(ring=0, cost_delay=0.5)
    callid = client.play(NUMBERS[0]).json()[0]["callid"]
    status = client.get(f"/voice/calls/{callid}/").json()
    assert (status["status"], status["cost"]) == ("ANSWERED", None)
    eventually(lambda: client.get(f"/voice/calls/{callid}/").json()["cost"] == 10)
