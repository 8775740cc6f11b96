"""`webhooks list` and `retry`, `call --webhook`, and `watch`."""

from __future__ import annotations

import json
import signal

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.request import JobRequest
from dispatcher.store import Store
from dispatcher.store.webhooks import Webhooks
from support.cli_shell import Shell
from support.polling import eventually
from support.redis_inside import redis_of

NUMBER = "+818011234567"
OWN = "https://receiver.example/told?token=s3cret"


@pytest.fixture
def webhooks(store: Store) -> Webhooks:
    store.limiter.publish(AccountConfig(webhooks=1))
    return store.webhooks


def enqueue(store: Store, **fields: object) -> str:
    return store.jobs.enqueue(JobRequest.of({"recipient": NUMBER, "say": "Hello", **fields})).id


def given_up(store: Store) -> str:
    """Let a webhook be given up; return its id."""
    webhooks = store.webhooks
    store.jobs.cancel(enqueue(store), actor="cli")
    id_ = webhooks.take(60)[-1]
    webhooks.claim(id_, 60)
    webhooks.settle(id_, "dead", error="it answered \x1b[31m410")
    return id_


def test_the_list_shows_what_waits_and_what_was_given_up(
    shell: Shell, store: Store, webhooks: Webhooks
) -> None:
    dead = given_up(store)
    store.jobs.cancel(enqueue(store, webhook=OWN), actor="cli")
    rows = shell("webhooks", "list", "--json").json
    assert [(each["state"], each["target"]) for each in rows] == [
        ("dead", "1"),
        ("waiting", "1"),
        ("waiting", "https://receiver.example"),
    ]
    assert (rows[0]["id"], rows[0]["tries"], rows[0]["type"]) == (dead, 1, "job.cancelled")
    (only,) = shell("webhooks", "list", "--dead", "--json").json
    assert only["id"] == dead
    assert len(shell("webhooks", "list", "--limit", "2", "--json").json) == 2
    shown = shell("webhooks", "list")
    assert (shown.code, shown.err) == (0, "")
    assert dead in shown.out
    assert "given up" in shown.out
    assert "s3cret" not in shown.out
    assert "\x1b[31m" not in shown.out
    assert shell("stats", "--json").json["webhooks"] == {"waiting": 2, "dead": 1}
    assert "Webhooks: 2 waiting, 1 given up" in shell("stats").out


def test_retry_by_id_and_all_say_what_was_done(
    shell: Shell, store: Store, webhooks: Webhooks
) -> None:
    one, two, three = (given_up(store) for _ in range(3))
    ran = shell("webhooks", "retry", one, "--json")
    assert (ran.code, ran.json) == (0, {"retried": [one], "refused": []})
    ran = shell("webhooks", "retry", one, "msg_none:1")
    assert ran.code == 1
    assert ran.out == "0 of 2 will be sent again\n"
    assert "was not given up" in ran.err
    assert "not a stored webhook" in ran.err
    ran = shell("webhooks", "retry", "--all", "--json")
    assert (ran.code, set(ran.json["retried"])) == (0, {two, three})
    assert webhooks.counts() == {"waiting": 3, "dead": 0}


@pytest.mark.parametrize("arguments", [[], ["msg_a:1", "--all"]])
def test_retry_wants_ids_or_all(shell: Shell, arguments: list[str]) -> None:
    ran = shell("webhooks", "retry", *arguments)
    assert (ran.code, "give ids, or --all" in ran.err) == (2, True)


def test_a_job_names_its_own_receiver(shell: Shell) -> None:
    ran = shell("call", NUMBER, "--say", "Hello", "--webhook", OWN, "--json")
    assert ran.json["webhook"] == OWN
    (listed,) = shell("list", "--json").json
    assert listed["webhook"] == "https://receiver.example"
    ran = shell("call", NUMBER, "--say", "Hello", "--webhook", "https://me:hunter2@r.example/")
    assert ran.code == 2
    assert "check the signature instead" in ran.complaint
    assert "hunter2" not in ran.err


def test_the_secret_is_told_to_who_asks_on_the_machine(shell: Shell) -> None:
    keys = "a key of some length, another key here"
    ran = shell("webhooks", "secret", OWN, DISPATCHER_SECRET_KEY=keys)
    assert (ran.code, ran.err) == (0, "")
    assert len(ran.out.split()) == 2
    assert all(line.startswith("whsec_") for line in ran.out.split())
    assert "no secret is set" in shell("webhooks", "secret", OWN).complaint
    kept = shell.folder / ".voice-dispatcher" / "secret_key"  # as `up` makes it
    kept.parent.mkdir()
    kept.write_text(keys.partition(",")[0])
    assert shell("webhooks", "secret", OWN).out == ran.out.splitlines()[0] + "\n"


def test_each_receiver_has_secrets_of_its_own(shell: Shell) -> None:
    given = {
        "DISPATCHER_SECRET_KEY": "a key of some length",
        "DISPATCHER_WEBHOOK_URL": f"{OWN},https://two.example/told",
    }
    all_ = shell("webhooks", "secret", **given)
    assert (all_.code, "s3cret" in all_.out) == (0, False)
    lines = [line.split() for line in all_.out.splitlines()]
    assert [line[:2] for line in lines] == [
        ["1", "https://receiver.example"],
        ["2", "https://two.example"],
    ]
    assert shell("webhooks", "secret", "2", **given).out == lines[1][2] + "\n"
    of_jobs = shell("webhooks", "secret", OWN, **given)
    assert of_jobs.out not in all_.out
    assert "webhooks secret 1" in of_jobs.err  # the settings list this URL as well
    assert len({lines[0][2], lines[1][2], of_jobs.out.strip()}) == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "lists no receiver"),
        (["1"], "'1' is no receiver: DISPATCHER_WEBHOOK_URL lists 0"),
        (["0"], "'0' is no receiver"),
        (["9" * 5000], "is no receiver"),
        (["receiver.example"], "must begin with https://"),
        (["https://me:hunter2@receiver.example"], "not shown"),
    ],
)
def test_a_receiver_that_is_none_is_said(shell: Shell, arguments: list[str], says: str) -> None:
    ran = shell("webhooks", "secret", *arguments, DISPATCHER_SECRET_KEY="a key of some length")
    assert (ran.code != 0, says in ran.complaint, "hunter2" in ran.err) == (True, True, False)


def test_receivers_without_a_secret_stop_the_start(shell: Shell, provider: dict[str, str]) -> None:
    url = {"DISPATCHER_WEBHOOK_URL": "https://receiver.example/"}
    ran = shell.run("worker", **provider, **url)
    assert ran.code == 2
    assert "set DISPATCHER_WEBHOOK_SECRET or DISPATCHER_SECRET_KEY" in ran.err


def test_watch_prints_one_object_for_each_change(shell: Shell, store: Store) -> None:
    process = shell.start("watch", "--json", "--tag", "a")
    eventually(redis_of(store).pubsub_numpat, "it listens")
    id_ = enqueue(store, tags=["a"])
    enqueue(store, tags=["b"])
    store.jobs.cancel(id_, actor="cli:sam", note=f"{NUMBER} asked for it")
    assert process.stdout
    lines = [process.stdout.readline().decode() for _ in range(2)]
    process.send_signal(signal.SIGINT)
    ran = shell.end(process)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    told = [json.loads(line) for line in lines]
    assert [(each["job"]["id"], each["event"]["to"]) for each in told] == [
        (id_, "queued"),
        (id_, "cancelled"),
    ]
    assert told[1]["event"]["actor"] == "cli:sam"
    assert NUMBER not in "".join(lines)


def test_watch_ends_after_its_time_and_prints_lines_where_no_terminal_is(
    shell: Shell, store: Store
) -> None:
    process = shell.start("watch", "--for", "3s")
    eventually(redis_of(store).pubsub_numpat, "it listens")
    id_ = enqueue(store)
    ran = shell.end(process)
    assert (ran.code, ran.err) == (0, "")
    (line,) = ran.out.splitlines()
    assert id_ in line
    assert "+8180****4567" in line
    assert "queued" in line


def test_watch_takes_no_state_that_there_is_none(shell: Shell) -> None:
    assert shell("watch", "--state", "ringing").code == 2
    assert shell("watch", "--for", "soon").code == 2
