"""Numbers that the sandbox's account rents, and people who call them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.action_server import Action, Query, action_server
from support.sandbox_client import Client, Start

OURS, PERSON = "+815012340000", "+818012340001"
PLAIN = "text/plain; charset=utf-8"


def rented(client: Client) -> list[dict[str, Any]]:
    return list(client.get("/voice/dins/subscriptions/").json())


def ask(client: Client, url: str, number: int = 0) -> None:
    uid = rented(client)[number]["din_uid"]
    answer = client.post(f"/voice/dins/subscriptions/{uid}/", {"action_url": url})
    assert answer.status_code == 200, answer.text


def dial_in(client: Client, caller: str | None = PERSON, **more: str) -> dict[str, Any]:
    answer = client.post("/_sandbox/dial-in", json={"caller": caller, **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def saying(body: str, kind: str = PLAIN) -> Action:
    return lambda _: (body.encode(), kind)


def test_the_numbers_are_listed_as_the_provider_does(start: Start) -> None:
    client = start(dial_in_numbers=(OURS, "+81312345678"))
    first, second = rented(client)
    assert first["din"] == "815012340000"
    assert (first["country_code"], first["prefix"]) == ("81", "50")
    assert (second["din"], second["action_url"]) == ("81312345678", "")
    assert first["din_uid"] != second["din_uid"]


def test_the_numbers_ask_for_credentials(shared: Client) -> None:
    assert Client(shared.url, ("no", "body")).get("/voice/dins/subscriptions/").status_code == 401


def test_an_action_url_is_checked(shared: Client) -> None:
    uid = rented(shared)[0]["din_uid"]
    path = f"/voice/dins/subscriptions/{uid}/"
    assert shared.post(path, {"action_url": "no url"}).status_code == 400
    assert shared.post(path, {}).json() == {"action_url": ["This field is required."]}
    assert shared.post("/voice/dins/subscriptions/no/", {"action_url": ""}).status_code == 404


@pytest.mark.parametrize(("caller", "told"), [(PERSON, PERSON), (None, "")])
def test_who_calls_has_the_url_asked_and_hears_its_answer(
    start: Start, caller: str | None, told: str
) -> None:
    client, asked = start(), []

    def action(query: Query) -> tuple[bytes, str]:
        asked.append(query)
        return 'say ja "確認しました。"'.encode(), PLAIN

    with action_server(action) as url:
        ask(client, url)
        heard = dial_in(client, caller)
    assert asked == [[("caller", told), ("recipient", "815012340000")]]
    assert (heard["instruction"], heard["lang"], heard["text"]) == ("say", "ja", "確認しました。")
    assert heard["problem"] == ""
    assert client.get("/_sandbox/dial-ins").json() == [heard]


@pytest.mark.parametrize(
    ("body", "instruction"),
    [
        ("transfer +815011112222", "transfer"),
        ("transfer +815011112222\n", "transfer"),
        ("playback http://media.example.com/a.mp3", "playback"),
        ('voicemail say en "Leave a message."', "voicemail"),
    ],
)
def test_every_documented_instruction_is_known(start: Start, body: str, instruction: str) -> None:
    client = start()
    with action_server(saying(body)) as url:
        ask(client, url)
        assert dial_in(client)["instruction"] == instruction


@pytest.mark.parametrize(
    ("body", "kind", "problem"),
    [
        ('say en "a" "b"', PLAIN, "no instruction"),
        ("say en hello", PLAIN, "no instruction"),
        ("transfer 0312345678", PLAIN, "no instruction"),
        ("", PLAIN, "no instruction"),
        ('say en "a"\ntransfer +815011112222', PLAIN, "more than one line"),
        ('say en "a"', "application/json", "not text/plain"),
    ],
)
def test_what_is_wrong_with_an_answer_is_told(
    start: Start, body: str, kind: str, problem: str
) -> None:
    client = start()
    with action_server(saying(body, kind)) as url:
        ask(client, url)
        heard = dial_in(client)
    assert problem in heard["problem"]
    assert heard["instruction"] == ""


def test_an_url_that_does_not_answer_is_a_problem(start: Start) -> None:
    client = start()
    assert "no action URL" in dial_in(client)["problem"]
    ask(client, "http://127.0.0.1:9/x")
    assert "no answer" in dial_in(client)["problem"]
    with action_server(saying('say en "a"'), status=404) as url:
        ask(client, url)
        assert "404" in dial_in(client)["problem"]


def test_a_wrong_request_calls_nobody(shared: Client) -> None:
    before = len(shared.get("/_sandbox/dial-ins").json())
    for wrong in ({"caller": 5}, {"caller": "080"}, {"to": OURS}, {"recipient": "+81311112222"}):
        assert shared.post("/_sandbox/dial-in", json=wrong).status_code == 400
    assert len(shared.get("/_sandbox/dial-ins").json()) == before


def test_a_reset_forgets_urls_and_callers(start: Start) -> None:
    client = start()
    ask(client, "http://127.0.0.1:9/x")
    dial_in(client)
    client.post("/_sandbox/reset")
    assert rented(client)[0]["action_url"] == ""
    assert client.get("/_sandbox/dial-ins").json() == []


def played(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("voice-dispatcher")
    command = [program, "sandbox", "dial-in", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=180)


def test_a_person_plays_who_calls(start: Start) -> None:
    client = start(dial_in_numbers=(OURS, "+81312345678"))
    with action_server(saying('say en "Acknowledged."')) as url:
        ask(client, url, number=1)
        heard = played(PERSON, "--to", "+81312345678", "--sandbox", client.url)
        hidden = played("--hidden", "--sandbox", client.url)
    assert (heard.stdout, heard.returncode) == ("en: Acknowledged.\n", 0)
    assert (hidden.stdout, hidden.returncode) == ("", 1)
    assert "no action URL" in hidden.stderr
    callers = [each["caller"] for each in client.get("/_sandbox/dial-ins").json()]
    assert callers == [PERSON, ""]


def test_who_plays_is_told_what_is_missing(start: Start) -> None:
    client = start()
    assert played("--sandbox", client.url).returncode == 2
    wrong = played("080", "--sandbox", client.url)
    assert (wrong.returncode, "E.164" in wrong.stderr) == (1, True)
