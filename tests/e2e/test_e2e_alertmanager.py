"""The example that docs/how-to/alerts.md begins with, word for word, with a real Alertmanager."""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dispatcher.model.alert import Alert, AlertState
from support.alertmanager import Alertmanager, missing
from support.cable import Cable
from support.e2e_stack import QUICK, STARTS_WITHIN, Up
from support.polling import eventually
from support.ports import free_port

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "there is one")

PAGE = (Path(__file__).resolve().parents[2] / "docs/how-to/alerts.md").read_text()
EXAMPLE = PAGE[: PAGE.index("## One incident is one alert")]
GATEWAY, ALERTMANAGER = "127.0.0.1:8080", "http://127.0.0.1:9093"
"""Where they are in the example; a test's own have other ports."""
ANN, BOB = "+818012340002", "+818012340001"
"""Ann does not answer, in the sandbox; Bob does."""
OTHER = {"alertname": "LinkDown", "instance": "sw1", "severity": "critical"}


def blocks(language: str) -> list[str]:
    """Return the example's blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", EXAMPLE, re.MULTILINE | re.DOTALL)


CHAINS, CONFIG = blocks("yaml")
COMMANDS = [line for block in blocks("sh") for line in block.splitlines()]


def command(word: str) -> str:
    """Return the one command of the example with a word in it."""
    (found,) = [line for line in COMMANDS if word in line]
    return found


@dataclass(frozen=True)
class Rung:
    """The stack of the example, its Alertmanager, and the cable between the two."""

    up: Up
    alertmanager: Alertmanager
    cable: Cable

    def called(self, number: str) -> int:
        return self.up.sandbox.books()[number]

    def alert(self, name: str) -> Alert:
        """Return the alert of a rule, as soon as there is one."""

        def found() -> list[Alert]:
            every = self.up.dispatcher.store.alerts.page().alerts
            return [alert for alert in every if alert.labels.get("alertname") == name]

        (alert,) = eventually(found, f"an alert {name}", STARTS_WITHIN)
        return alert


@contextmanager
def example(folder: Path) -> Iterator[Rung]:
    """Do what the example says, with ports of one's own, and intervals of seconds."""
    (folder / "chains.yaml").write_text(CHAINS)
    port = free_port()
    settings = {**QUICK, "DISPATCHER_CHAINS": "chains.yaml", "DISPATCHER_GATEWAY_PORT": str(port)}
    assert "DISPATCHER_CHAINS=chains.yaml voice-dispatcher up" in command(" up ")
    with Up(folder, "--no-flower", **settings) as up:
        up.sandbox.options(ring=0.5)
        assert up.cli(*shlex.split(command("chains check"))[1:]).returncode == 0
        creates, _, file = command("keys create").partition(" > ")
        made = up.cli(*shlex.split(creates)[1:])
        assert made.returncode == 0, made.stderr
        at = urlsplit(up.announced["gateway_url"]).port
        assert at
        with Cable(at) as cable:
            config = CONFIG.replace(GATEWAY, f"127.0.0.1:{cable.port}")
            for interval in ("group_interval: 1m", "repeat_interval: 5m"):
                assert interval in config
                config = config.replace(interval, f"{interval.partition(':')[0]}: 1s")
            alertmanager = Alertmanager(folder / "alertmanager", config)
            (alertmanager.folder / file.strip()).write_text(made.stdout)
            eventually(up.dispatcher.store.on_call.get, "the chains", STARTS_WITHIN)
            with alertmanager:
                yield Rung(up, alertmanager, cable)


@pytest.fixture(scope="module")
def rung(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rung]:
    folder = tmp_path_factory.mktemp("alertmanager")
    folder.mkdir(exist_ok=True)
    with example(folder) as running:
        yield running


def test_an_alert_rings_at_once_its_repeats_ring_nobody_and_its_end_cancels_the_rest(
    rung: Rung,
) -> None:
    tool = command("amtool").replace(ALERTMANAGER, rung.alertmanager.url)
    subprocess.run(shlex.split(tool), check=True, timeout=180)
    began = time.monotonic()
    eventually(lambda: rung.called(ANN), "Ann is called", STARTS_WITHIN)
    first_ring = time.monotonic() - began
    print(f"the first ring after {first_ring:.1f} s")
    assert first_ring < 20  # seconds; 3 where nothing else keeps the machine busy
    alert = rung.alert("DiskFull")
    assert alert.summary == "Disk full on db1"
    eventually(lambda: rung.alert("DiskFull").reports > 3, "it is repeated", STARTS_WITHIN)
    assert (rung.called(ANN), rung.called(BOB)) == (1, 0)
    assert "Disk full on db1" in rung.up.cli(*shlex.split(command("alerts list"))[1:]).stdout
    labels = {"alertname": "DiskFull", "instance": "db1", "severity": "critical"}
    rung.alertmanager.post(labels, over=True, summary="Disk full on db1")
    eventually(
        lambda: rung.alert("DiskFull").state is AlertState.RESOLVED, "it is over", STARTS_WITHIN
    )
    store = rung.up.dispatcher.store
    jobs = [call.job_id for call in rung.alert("DiskFull").calls if call.job_id]
    eventually(
        lambda: all(job is None or job.terminal for job in store.jobs.get_many(jobs)),
        "nothing of it waits",
        STARTS_WITHIN,
    )
    assert (rung.called(ANN), rung.called(BOB)) == (1, 0)


def test_while_the_gateway_is_away_alertmanager_waits_and_then_it_rings_once(rung: Rung) -> None:
    before, failed = rung.called(ANN), rung.alertmanager.failed()
    rung.cable.cut()
    rung.alertmanager.post(OTHER, summary="The link is down")
    eventually(lambda: rung.alertmanager.failed() > failed, "it fails", STARTS_WITHIN)
    assert rung.called(ANN) == before
    rung.cable.mend()
    eventually(lambda: rung.called(ANN) > before, "Ann is called", STARTS_WITHIN)
    eventually(lambda: rung.alert("LinkDown").reports > 2, "it is repeated", STARTS_WITHIN)
    assert rung.called(ANN) == before + 1
    rung.alertmanager.post(OTHER, over=True)


def test_one_that_ended_under_a_silence_rings_when_it_fires_again(rung: Rung) -> None:
    labels = {"alertname": "QueueFull", "instance": "mq1", "severity": "critical"}
    before = rung.called(ANN)
    rung.alertmanager.post(labels, summary="The queue is full")
    eventually(lambda: rung.called(ANN) > before, "Ann is called", STARTS_WITHIN)
    first = rung.alert("QueueFull")
    silence = rung.alertmanager.silence("QueueFull")
    rung.alertmanager.post(labels, over=True)
    eventually(lambda: not rung.alertmanager.knows("QueueFull"), "it is over", STARTS_WITHIN)
    rung.alertmanager.end_silence(silence)
    rung.alertmanager.post(labels, summary="The queue is full")
    store = rung.up.dispatcher.store.alerts

    def beginnings() -> set[datetime]:
        return {each.started_at for each in store.page().alerts if each.labels == first.labels}

    eventually(lambda: len(beginnings()) > 1, "it is an incident of its own", STARTS_WITHIN)
    eventually(lambda: rung.called(ANN) > before + 1, "Ann is called again", STARTS_WITHIN)
    assert store.get(first.id).state is AlertState.RESOLVED
    rung.alertmanager.post(labels, over=True)
