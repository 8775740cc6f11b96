"""`doctor`: what it finds in Redis, the broker, the workers and the provider."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from dispatcher.cli import doctor_keys, processes
from dispatcher.cli.doctor import _clock
from dispatcher.cli.doctor_outside import arrival
from dispatcher.client.messages import Messenger
from dispatcher.model.account_config import AccountConfig
from dispatcher.model.api_key import Scope
from dispatcher.model.callbacks_seen import ENOUGH, CallbacksSeen
from dispatcher.model.job import Job
from dispatcher.model.key_rights import EVERYTHING
from dispatcher.model.outcome import Outcome
from dispatcher.model.process import Role
from dispatcher.policy import Decision, after_report
from dispatcher.store import Store
from dispatcher.store.callbacks import Callback
from dispatcher.store.clock import Step
from dispatcher.store.holds import PauseScope
from support.cli_shell import Ran, Shell
from support.mail_server import mail_server
from support.polling import eventually
from support.redis_inside import redis_of
from support.reports import ended
from support.store_jobs import POLICY, in_progress
from workers.devstack.embedded_server import EmbeddedServer
from workers.engine.heartbeat import Heartbeat

NOW = 1_700_000_000_000.0
QUEUES = {"vd.webhooks", "vd.urgent", "vd.normal", "vd.bulk", "vd.control", "vd.call"}


def findings(ran: Ran) -> dict[str, tuple[str, str]]:
    """Return what was looked at -> (level, what is said of it)."""
    return {each["check"]: (each["level"], each["message"]) for each in ran.json}


@contextmanager
def configured(store: Store, name: str, value: str) -> Iterator[None]:
    """Have the session's Redis run with another setting for a while."""
    before: Any = redis_of(store).config_get(name)
    redis_of(store).config_set(name, value)
    try:
        yield
    finally:
        redis_of(store).config_set(name, before[name])


@pytest.fixture(autouse=True)
def _others_run(store: Store) -> None:
    """A worker and beat have told a moment ago that they run."""
    for role in (Role.WORKER, Role.BEAT):
        Heartbeat(store, role, role, {}).beat()


@contextmanager
def worker(
    shell: Shell, server: EmbeddedServer, provider: dict[str, str], namespace: str
) -> Iterator[None]:
    """Run a real worker with its call task, and beat, from the moment that all answer."""
    named = ("--namespace", namespace)
    processes = [shell.start(*named, each, **provider) for each in ("worker", "beat")]
    messenger = Messenger.to_broker(server.url, namespace)
    heartbeats = Store.from_url(server.url, namespace=namespace).heartbeats
    deadline = time.monotonic() + 60
    try:
        while len(messenger.listeners(timeout=0.3)) < 3 or not heartbeats.roll().of(Role.BEAT):
            assert all(each.poll() is None for each in processes), "one has ended"
            assert time.monotonic() < deadline, "they did not answer"
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            shell.end(process)


@pytest.fixture
def seen(
    shell: Shell, server: EmbeddedServer, provider: dict[str, str], store: Store
) -> dict[str, Ran]:
    """What is found while a worker of the namespace `other` runs."""
    asked = ("--namespace", "other", "doctor")

    def well(run: Callable[..., Ran], *options: str) -> Ran:
        """Ask until all is: a worker on a busy machine may answer late."""
        found: list[Ran] = []

        def asks() -> bool:
            found.append(run(*asked, *options, **provider))
            return "warn" not in found[-1].out

        eventually(asks, "all is well", more=lambda: found[-1].out)
        return found[-1]

    with configured(store, "maxmemory", "1gb"), worker(shell, server, provider, "other"):
        return {
            "other": well(shell.run, "--json"),
            "other, shown": well(shell),
            "vd": shell("doctor", "--no-provider", "--json"),
        }


def test_a_healthy_dispatcher_has_nothing_to_mend_and_its_workers_are_its_own(
    seen: dict[str, Ran],
) -> None:
    ran, shown = seen["other"], seen["other, shown"]
    assert (ran.code, ran.err) == (0, "")
    assert [each for each in ran.json if each["level"] != "ok"] == []
    assert all(each.keys() == {"check", "level", "message"} for each in ran.json)
    found = findings(ran)
    assert found["Redis"][1].startswith(("Redis ", "Valkey "))
    assert found["append-only file"] == ("ok", "on")
    assert found["eviction"] == ("ok", "none")
    assert found["workers"] == ("ok", "1 worker, call task, webhooks")
    assert found["processes"] == ("ok", "1 worker, 1 call task, 1 webhooks, 1 beat")
    assert found["provider"] == ("ok", "balance 500 credits")
    assert (shown.code, shown.err) == (0, "")
    assert _without_memory(shown.out.splitlines()) == _without_memory(
        [f"{each['level']:<5} {each['check']}: {each['message']}" for each in ran.json]
    )
    assert findings(seen["vd"])["workers"] == ("warn", "0 workers")


def _without_memory(lines: list[str]) -> list[str]:
    """Leave out what differs from one look to the next."""
    return [line for line in lines if " memory: " not in line]


def test_without_workers_every_queue_lacks_one(shell: Shell) -> None:
    ran = shell("doctor", "--no-provider", "--json")
    found = findings(ran)
    assert (ran.code, ran.err) == (0, "")
    assert found["workers"] == ("warn", "0 workers")
    lacking = {name.removeprefix("queue ") for name in found if name.startswith("queue ")}
    assert lacking == QUEUES
    level, says = found["queue vd.urgent"]
    assert level == "warn"
    assert "voice-dispatcher worker" in says


@pytest.mark.parametrize("role", [Role.WORKER, Role.BEAT])
def test_a_process_without_which_nobody_is_called_is_missed(
    shell: Shell, store: Store, role: Role
) -> None:
    """It said that all is well while beat was dead."""
    assert shell("doctor", "--no-provider").code == 0
    (found,) = store.heartbeats.roll().of(role)
    store.heartbeats.leave(found.id)
    ran = shell("doctor", "--no-provider", "--json")
    level, says = findings(ran)[f"no {role}"]
    assert (ran.code, level) == (1, "fail")
    assert f"Start `voice-dispatcher {role}`" in says
    (told,) = shell("stats", "--json").json["problems"]
    assert f"{told['what']}. {told['remedy']}" == says
    assert says in shell("stats").out


def test_it_is_said_by_which_ways_people_hear_that_nobody_can_be_called(
    shell: Shell, store: Store
) -> None:
    level, says = findings(shell("doctor", "--no-provider", "--json"))["alarm"]
    assert (level, "set DISPATCHER_ALARM_EMAIL" in says) == ("ok", True)
    Heartbeat(store, Role.GATEWAY, "gateway", {}, tells=("mail", "ping")).beat()
    found = findings(shell("doctor", "--no-provider", "--json"))["alarm"]
    assert found == ("ok", "told by mail and ping")


def test_processes_that_differ_are_told(shell: Shell, store: Store) -> None:
    Heartbeat(store, Role.GATEWAY, "gateway", {"DISPATCHER_RATE_LIMIT": "0a1b2c3d"}).beat()
    ran = shell("doctor", "--no-provider", "--json")
    level, says = findings(ran)["settings of processes"]
    assert (ran.code, level) == (0, "warn")
    assert "not the same for all processes: DISPATCHER_RATE_LIMIT. " in says
    assert "0a1b2c3d" not in ran.out


def test_calls_in_celerys_default_queue_are_told_from_what_is_of_others(
    shell: Shell, server: EmbeddedServer
) -> None:
    app = Celery("service", broker=server.url, set_as_current=False)
    app.send_task("shop.send_mail")
    assert "queue celery" not in findings(shell("doctor", "--no-provider", "--json"))
    for _ in range(2):
        app.send_task("dispatcher.call", kwargs={"recipient": "+818012340001", "say": "x"})
    ran = shell("doctor", "--no-provider", "--json")
    level, says = findings(ran)["queue celery"]
    assert level == "warn"
    assert says.startswith("2 messages `dispatcher.call` that nobody here takes: ")
    assert 'queue="vd.call"' in says
    assert "DISPATCHER_SERVE_DEFAULT_QUEUE" in says
    assert "18012340001" not in ran.out


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("appendonly", "no", "append-only file"),
        ("maxmemory-policy", "allkeys-lru", "eviction"),
        ("maxmemory", "0", "memory"),
    ],
)
def test_a_redis_that_may_forget_is_warned_of_with_the_remedy(
    shell: Shell, store: Store, name: str, value: str, what: str
) -> None:
    with configured(store, name, value):
        ran = shell("doctor", "--no-provider", "--json")
    level, says = findings(ran)[what]
    assert (ran.code, level) == (0, "warn")
    assert f"set `{name}" in says


def test_a_redis_that_is_nearly_full_is_warned_of(shell: Shell, store: Store) -> None:
    taken = redis_of(store).info("memory")["used_memory"]
    with configured(store, "maxmemory", str(100 * taken)):
        level, says = findings(shell("doctor", "--no-provider", "--json"))["memory"]
        assert (level, " of " in says) == ("ok", True)
    with configured(store, "maxmemory", str(taken + taken // 20)):
        level, says = findings(shell("doctor", "--no-provider", "--json"))["memory"]
    assert level == "warn"
    assert "`purge`" in says


def test_reports_of_monitoring_that_were_refused_are_named(shell: Shell, store: Store) -> None:
    """Whoever sent them does not tell."""
    assert "reports refused" not in findings(shell("doctor", "--no-provider", "--json"))
    store.refused_reports.note("alertmanager", "answered 422: no list", sender="prom", many=3)
    found = findings(shell("doctor", "--no-provider", "--json"))
    level, says = found["reports refused"]
    assert level == "warn"
    assert "refused: 3 reports, the latest at " in says
    assert "alertmanager with the key prom: answered 422: no list" in says


def test_a_broker_that_is_away_is_a_failure(shell: Shell, free_port: int) -> None:
    broker = f"redis://:Hunter2@127.0.0.1:{free_port}/0"
    ran = shell("doctor", "--no-provider", "--json", DISPATCHER_BROKER_URL=broker)
    found = findings(ran)
    assert ran.code == 1
    assert found["Redis"][0] == "ok"
    assert found["broker"][0] == "fail"
    assert "is it running?" in found["broker"][1]
    assert "workers" not in found
    assert "Hunter2" not in ran.out + ran.err


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_redis_that_is_away_is_a_failure(
    nowhere: Shell, free_port: int, form: tuple[str, ...]
) -> None:
    url = f"redis://:Hunter2@127.0.0.1:{free_port}/0"
    ran = nowhere("doctor", *form, DISPATCHER_REDIS_URL=url)
    assert ran.code == 1
    assert "cannot be reached" in ran.out
    assert "Nobody is called until it is over: start it" in ran.out
    assert "Hunter2" not in ran.out + ran.err


def test_a_wrong_password_is_a_failure(nowhere: Shell, server: EmbeddedServer) -> None:
    url = f"redis://:Hunter2@127.0.0.1:{server.port}/0"
    ran = nowhere("doctor", "--json", DISPATCHER_REDIS_URL=url)
    assert (ran.code, findings(ran)["Redis"][0]) == (1, "fail")
    assert "password" in findings(ran)["Redis"][1]
    assert "Hunter2" not in ran.out + ran.err


def test_without_a_dispatcher_it_says_how_to_name_one(nowhere: Shell) -> None:
    ran = nowhere("doctor", "--json")
    assert (ran.code, findings(ran)["Redis"][0]) == (1, "fail")
    assert "DISPATCHER_REDIS_URL" in findings(ran)["Redis"][1]


def test_a_clock_that_is_wrong_is_told_with_the_difference() -> None:
    """A Redis whose clock is wrong cannot be had without changing the machine's."""
    assert _clock(1.5).level == "ok"
    assert _clock(3599.6).says.startswith("Redis' clock is 3600 s ahead of this machine's")
    stepped = _clock(0, Step(by=-3600, ago=120))
    assert stepped.level == "warn"
    assert stepped.says.startswith("Redis' clock stepped by -3600 s 2 min ago: ")
    assert _clock(0, Step(by=-3600, ago=3601)).level == "ok"
    assert (_clock(-7).level, _clock(-7).says[:33]) == ("warn", "Redis' clock is 7 s behind this m")


def test_calls_that_end_without_a_callback_are_told(shell: Shell, store: Store) -> None:
    """As where the public URL is a wrong one: nobody can reach this one either."""

    def told(what: str = "callbacks") -> tuple[str, str]:
        ran = shell("doctor", "--no-provider", "--json", "--gateway", "http://127.0.0.1:1")
        return findings(ran)[what]

    assert told() == ("ok", "none came, and no call has ended")
    for number in range(ENOUGH):
        id_ = in_progress(store, f"call-{number}")
        decision = answered(store.jobs.get(id_))
        store.calls.settle(id_, 1, decision, actor="reconcile", callback="due")
    level, says = told("callbacks missing")
    assert level == "fail"
    assert "do not arrive: 3 calls ended, and none came since the start" in says
    assert "DISPATCHER_PUBLIC_URL" in says
    store.callbacks.receive([Callback(id_, 1, "call-1", "ANSWERED", Outcome.ANSWERED)], {})
    assert told() == ("ok", "one came 0 min ago")


@pytest.mark.parametrize(
    ("seen", "level", "says"),
    [
        (CallbacksSeen(test_passed=NOW - 60_000), "ok", "a worker's test came 1 min ago"),
        (CallbacksSeen(last=NOW, test_failed=NOW), "ok", "one came 0 min ago"),
        (CallbacksSeen(test_failed=NOW), "warn", "none was seen to arrive within an hour"),
        (CallbacksSeen(last=NOW - 4_000_000), "warn", "none was seen to arrive within an hour"),
        (CallbacksSeen(missing=1, test_passed=NOW), "warn", "none was seen to arrive within an"),
    ],
)
def test_what_is_said_of_callbacks_goes_by_what_was_seen_last(
    seen: CallbacksSeen, level: str, says: str
) -> None:
    found = arrival(seen, NOW)
    assert found[0] == level
    assert found[1].startswith(says)


def answered(job: Job) -> Decision:
    decision = after_report(ended("ANSWERED", Decimal(7), 12), job, POLICY)
    assert decision is not None
    return decision


def test_a_closed_gate_is_warned_of(shell: Shell, store: Store) -> None:
    store.holds.start("credit", "Not enough credits, required: 60", 60)
    ran = shell("doctor", "--no-provider", "--json")
    assert ran.code == 1
    level, says = findings(ran)["held credit"]
    assert (level, says[:50]) == ("fail", "Calls are held: Not enough credits, required: 60. ")
    store.holds.end("credit")
    store.holds.pause(PauseScope(), actor="sam")
    ran = shell("doctor", "--no-provider", "--json")
    assert (ran.code, findings(ran)["held paused"][0]) == (0, "warn")


def test_a_balance_below_the_floor_is_told_before_a_call_meets_it(
    shell: Shell, store: Store, provider: dict[str, str]
) -> None:
    store.limiter.publish(AccountConfig(floor=501))
    assert findings(shell("doctor", "--json", **provider))["provider"] == (
        "warn",
        "balance 500 credits, and the floor is 501: no call is placed. Top up the account",
    )


def test_credentials_that_work_here_are_no_comfort_where_the_workers_have_others(
    shell: Shell, store: Store, provider: dict[str, str]
) -> None:
    """It said "ok provider" while the workers still held those from before."""
    store.holds.start("auth", "the provider says 401", refused=True)
    level, says = findings(shell("doctor", "--json", **provider))["provider"]
    assert level == "fail"
    assert says.startswith("balance 500 credits with the credentials of this shell; ")
    assert "restart the workers" in says


@pytest.mark.parametrize(
    ("changed", "level"),
    [
        ({"XOXZO_API_AUTH_TOKEN": "Hunter2"}, "fail"),
        ({"XOXZO_API_HOST": "nonsense"}, "fail"),
        ({"XOXZO_API_SID": ""}, "warn"),
    ],
    ids=["wrong token", "wrong host", "no credentials"],
)
def test_a_provider_that_does_not_let_us_in_is_told(
    shell: Shell, provider: dict[str, str], changed: dict[str, str], level: str
) -> None:
    ran = shell("doctor", "--json", **{**provider, **changed})
    assert findings(ran)["provider"][0] == level
    assert ran.code == (1 if level == "fail" else 0)
    assert "Hunter2" not in ran.out + ran.err
    assert provider["XOXZO_API_AUTH_TOKEN"] not in ran.out + ran.err


@pytest.mark.parametrize(
    ("mode", "level", "says"),
    [
        ("always", "ok", "nothing"),
        ("everysec", "ok", "a second or two in a power cut"),
        ("no", "warn", "set `appendfsync everysec` or `always`"),
    ],
)
def test_doctor_says_what_a_crash_of_redis_forgets(
    shell: Shell, store: Store, mode: str, level: str, says: str
) -> None:
    with configured(store, "appendfsync", mode):
        found = findings(shell("doctor", "--no-provider", "--json"))
    assert found["loss in a crash"][0] == level
    assert says in found["loss in a crash"][1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DISPATCHER_XOXZO_PARAMS", "recipient=1"),
        ("DISPATCHER_RATE_LIMIT", "abc"),
        ("DISPATCHER_PROVIDER", "acme"),
        ("DISPATCHER_WEBHOOK_URL", "https://receiver.example"),
    ],
)
def test_settings_that_keep_a_worker_from_starting_fail_with_its_sentence(
    shell: Shell, provider: dict[str, str], name: str, value: str
) -> None:
    ran = shell("doctor", "--no-provider", "--json", **{name: value})
    refused = shell.run("worker", **{**provider, name: value})
    assert (ran.code, refused.code) == (1, 2)
    assert findings(ran)["settings"] == ("fail", refused.complaint)


def test_an_unknown_provider_is_named_with_its_variable(shell: Shell) -> None:
    found = findings(shell("doctor", "--json", DISPATCHER_PROVIDER="acme"))
    says = "DISPATCHER_PROVIDER='acme': not a provider: the only one is xoxzo"
    assert found["provider"] == found["settings"] == ("fail", says)


def test_the_installed_package_alone_says_nothing_of_settings(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "HOME", tmp_path)
    ran = shell("doctor", "--no-provider", "--json", DISPATCHER_RATE_LIMIT="abc")
    assert "settings" not in findings(ran)
    assert ran.code == 0


def test_keys_that_may_ask_for_anything_are_named(store: Store) -> None:
    store.api_keys.create("wall", [Scope.READ])
    safe, _ = store.api_keys.create("billing", [Scope.ENQUEUE])
    assert doctor_keys.fault(doctor_keys.that_enqueue(store)) == ""
    for n in range(7):
        store.api_keys.create(f"old-{n}", [Scope.ENQUEUE], rights=EVERYTHING)
    gone, _ = store.api_keys.create("gone", [Scope.ENQUEUE], rights=EVERYTHING)
    store.api_keys.revoke(gone.id)
    said = doctor_keys.fault(doctor_keys.that_enqueue(store))
    assert said.startswith("old-0, old-1, old-2, old-3, old-4 and others: may ask for anything")
    assert safe.name not in said
    assert gone.name not in said


def test_a_recording_is_checked_without_a_dispatcher_and_never_from_inside(
    nowhere: Shell, free_port: int
) -> None:
    url = f"http://127.0.0.1:{free_port}/a.mp3"
    ran = nowhere("doctor", "--recording", url)
    assert ran.code == 1
    assert "fail  recording: 127.0.0.1 is at 127.0.0.1, which is not a public" in ran.out
    ran = nowhere("doctor", "--recording", "https://example.com/a.mp3", "--json")
    [found] = ran.json
    assert (ran.code, found["level"]) == (1, "fail")
    assert "does not support https" in found["message"]


def test_a_test_mail_is_sent_and_nothing_else_is_looked_at(nowhere: Shell) -> None:
    with mail_server() as box:
        told = {
            "DISPATCHER_ALARM_EMAIL": "oncall@example.com, boss@example.com",
            "DISPATCHER_SMTP_URL": f"smtp://127.0.0.1:{box.port}",
        }
        ran = nowhere("doctor", "--email", **told)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "ok    email: sent to oncall@example.com, boss@example.com: look whether it arrives\n"
    )
    assert box.subjects == ["[voice-dispatcher] A test of the alarm"]


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({}, "DISPATCHER_ALARM_EMAIL is not set"),
        ({"DISPATCHER_ALARM_EMAIL": "a@example.com"}, "set DISPATCHER_SMTP_URL"),
        (
            {
                "DISPATCHER_ALARM_EMAIL": "a@example.com",
                "DISPATCHER_SMTP_URL": "smtp://u:Hunter2@127.0.0.1:1",
            },
            "the mail server 127.0.0.1:1 cannot be reached",
        ),
    ],
)
def test_a_test_mail_that_cannot_be_sent_says_what_to_set(
    nowhere: Shell, variables: dict[str, str], says: str
) -> None:
    ran = nowhere("doctor", "--email", "--json", **variables)
    level, said = findings(ran)["email"]
    assert (ran.code, level) == (1, "fail")
    assert says in said
    assert "Hunter2" not in ran.out + ran.err
