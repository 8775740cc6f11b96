"""`dial-in`: the account's numbers, and who is asked when somebody calls one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from dispatcher.sandbox import SandboxOptions, running
from dispatcher.store import Store
from dispatcher.values.dial_in_urls import dial_in_path
from support.cli_shell import Ran, Shell
from support.redis_inside import redis_of
from support.ringing import ON_CALL

OURS, SECOND = "+815012340000", "+81312345678"
KEY, OLD_KEY = "the-key-of-this-test-0123", "an-older-key-of-this-test"
PUBLIC = "https://voice.example.com"


@pytest.fixture
def rented() -> Iterator[str]:
    """A sandbox whose account rents two numbers; the value is its URL."""
    with running(SandboxOptions(dial_in_numbers=(OURS, SECOND))) as url:
        yield url


@pytest.fixture
def run(shell: Shell, rented: str) -> Any:
    known = {
        **SandboxOptions().environment(rented),
        "DISPATCHER_PUBLIC_URL": PUBLIC,
        "DISPATCHER_SECRET_KEY": f"{KEY},{OLD_KEY}",
    }

    def ran(*arguments: str, **more: str) -> Ran:
        return shell("dial-in", *arguments, **{**known, **more})

    return ran


def numbers(url: str) -> list[dict[str, Any]]:
    answer = requests.get(
        f"{url}/voice/dins/subscriptions/", auth=("sandbox", "sandbox"), timeout=10
    )
    return list(answer.json())


def asks(url: str, action_url: str) -> None:
    uid = numbers(url)[0]["din_uid"]
    path = f"{url}/voice/dins/subscriptions/{uid}/"
    told = {"action_url": action_url}
    requests.post(path, told, auth=("sandbox", "sandbox"), timeout=10).raise_for_status()


def test_a_number_is_set_up_and_shown(run: Any, rented: str, store: Store) -> None:
    before = run("show")
    assert before.out.splitlines()[1].split() == [OURS, "nobody"]
    done = run("setup", OURS, "--note", "on call")
    assert (done.code, done.out) == (0, f"{OURS} asks this dispatcher now, at {PUBLIC}\n")
    assert numbers(rented)[0]["action_url"] == PUBLIC + dial_in_path([KEY])
    assert numbers(rented)[1]["action_url"] == ""
    shown = run("show", "--json")
    assert shown.json == [
        {"number": OURS, "asks": "ours", "address": PUBLIC},
        {"number": SECOND, "asks": "nobody", "address": None},
    ]
    (entry,) = store.audit.read(mask=False)
    assert (entry.action, entry.target, entry.note) == ("dial_in.setup", OURS, "on call")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (PUBLIC + dial_in_path([OLD_KEY]), "by an older key"),
        (PUBLIC + dial_in_path(["a-key-of-somebody-else"]), f"another address: {PUBLIC}"),
        ("https://other.example/dial-in/xyzzy", "another address: https://other.example"),
    ],
)
def test_who_else_is_asked_is_told_without_the_secret(
    run: Any, rented: str, url: str, said: str
) -> None:
    asks(rented, url)
    shown = run("show")
    assert said in shown.out
    assert url.rpartition("/")[2] not in shown.out + run("show", "--json").out.replace(PUBLIC, "")


def test_a_dry_run_changes_nothing(run: Any, rented: str) -> None:
    shown = run("setup", OURS, "--dry-run", "--json")
    assert (shown.code, shown.json["set"], shown.json["becomes"]) == (0, False, PUBLIC)
    assert numbers(rented)[0]["action_url"] == ""


def test_a_number_that_is_not_rented_is_refused_with_those_that_are(run: Any) -> None:
    refused = run("setup", "+815099999999")
    assert refused.code == 1
    assert OURS in refused.complaint
    assert SECOND in refused.complaint


def test_a_real_account_is_changed_only_if_somebody_says_so(shell: Shell) -> None:
    """It is real by its name: the server behind it is a sandbox."""
    with running(SandboxOptions(sid="ACreal", dial_in_numbers=(OURS,))) as url:
        known = {
            "XOXZO_API_HOST": url,
            "XOXZO_API_SID": "ACreal",
            "XOXZO_API_AUTH_TOKEN": "sandbox",
            "DISPATCHER_PUBLIC_URL": PUBLIC,
            "DISPATCHER_SECRET_KEY": KEY,
        }
        refused = shell("dial-in", "setup", OURS, **known)
        assert "--yes" in refused.complaint
        assert shell("dial-in", "setup", OURS, "--yes", **known).code == 0
        answer = requests.get(
            f"{url}/voice/dins/subscriptions/", auth=("ACreal", "sandbox"), timeout=10
        )
        assert answer.json()[0]["action_url"].startswith(PUBLIC)


def test_without_a_public_address_or_a_key_it_says_what_to_set(run: Any) -> None:
    assert "DISPATCHER_PUBLIC_URL" in run("setup", OURS, DISPATCHER_PUBLIC_URL="").complaint
    assert "DISPATCHER_SECRET_KEY" in run("setup", OURS, DISPATCHER_SECRET_KEY="").complaint


def test_each_request_takes_a_slot_of_the_accounts(run: Any, store: Store) -> None:
    """What paces the account's requests is written with the first slot."""
    pace = "{vd}:account:default:pace"
    assert not redis_of(store).exists(pace)
    assert run("show").code == 0
    assert redis_of(store).exists(pace)


def test_doctor_says_whether_those_who_are_called_can_call_back(
    run: Any, shell: Shell, rented: str, store: Store
) -> None:
    known = {
        **SandboxOptions().environment(rented),
        "DISPATCHER_SECRET_KEY": KEY,
        "DISPATCHER_ALLOWED_COUNTRIES": "JP",
        "DISPATCHER_SPEND_PER_DAY": "none",
    }

    def says(**more: str) -> list[str]:
        found = shell("doctor", "--json", **{**known, **more}).json
        return [each["message"] for each in found if each["check"] == "calling back"]

    public = {"DISPATCHER_PUBLIC_URL": "http://127.0.0.1:9"}  # nobody answers there
    assert says(**public) == []  # nobody is called for alerts
    store.on_call.publish(ON_CALL, by="test")
    assert "nobody can call back" in says(**public)[0]
    run("setup", OURS, DISPATCHER_SECRET_KEY=KEY, **public)
    assert says(**public) == [
        f"calls do not tell people what to call back: set DISPATCHER_DIAL_IN_NUMBER={OURS}"
    ]
    assert says(**public, DISPATCHER_DIAL_IN_NUMBER=OURS) == [f"people can call back {OURS}"]


def test_doctor_does_not_wait_for_a_busy_account(shell: Shell, rented: str, store: Store) -> None:
    """It is a health check, which must end in time."""
    store.on_call.publish(ON_CALL, by="test")
    store.limiter.throttle(600)
    known = {
        **SandboxOptions().environment(rented),
        "DISPATCHER_SECRET_KEY": KEY,
        "DISPATCHER_PUBLIC_URL": "http://127.0.0.1:9",
        "DISPATCHER_ALLOWED_COUNTRIES": "JP",
        "DISPATCHER_SPEND_PER_DAY": "none",
    }
    found = shell("doctor", "--json", **known).json
    (said,) = [each for each in found if each["check"] == "calling back"]
    assert said["level"] == "ok"
    assert "not asked for" in said["message"]
