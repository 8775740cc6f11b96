"""`make incidents [ARGS="08-beat-dead …"]`: brings each about, records it, and writes the table."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from dispatcher.model.api_key import Scope
from incidents.causes import INCIDENTS, Incident, Stage
from incidents.page import write_page
from incidents.recording import Recording, Scrape, compact, scraped
from support.console_client import Person
from support.e2e_stack import QUICK, Up
from support.redis_servers import RedisProcess

CALM = {"DISPATCHER_CHECK_FIRST": "10s", "DISPATCHER_LOG_LEVEL": "WARNING"}
"""Callbacks come before status checks, as in earnest."""
INTERVAL = 5  # seconds
BEFORE = 6  # samples
AT_ONCE = 5
SCRAPED_WITHIN = 3.0  # seconds


def record(name: str) -> Recording:
    """Bring an incident about on a stack of its own; write the file, and return it."""
    incident = INCIDENTS[name]
    with (
        tempfile.TemporaryDirectory() as folder,
        RedisProcess(Path(folder) / "redis", {"appendonly": "yes"}) as redis,
    ):
        settings = {**QUICK, **CALM, **incident.settings, "DISPATCHER_REDIS_URL": redis.url}
        arguments = ("--sandbox", "--no-flower", *incident.arguments)
        with Up(Path(folder) / "up", *arguments, **settings) as up:
            stage = Stage(up, redis)
            try:
                made = _played(name, incident, stage)
            finally:
                while stage.undo:
                    stage.undo.pop()()
    made.write()
    print(f"{name}: {made.named} {made.says}", flush=True)
    return made


def _played(name: str, incident: Incident, stage: Stage) -> Recording:
    alert = incident.alert or (f"VoiceDispatcher{_camel(incident.problem or '')}")
    made = Recording(
        name,
        incident.title,
        incident.how,
        str(incident.problem or ""),
        alert if incident.problem else "",
        INTERVAL,
        BEFORE,
    )
    gateway = stage.up.announced["gateway_url"]
    _, key = stage.up.dispatcher.store.api_keys.create("watch", (Scope.READ,))
    person = Person(gateway)
    person.log_in(key)
    scrapes: list[Scrape] = []
    ended = threading.Event()
    watch = threading.Thread(target=_scrape, args=(gateway, key, scrapes, ended))
    watch.start()
    try:
        _until(lambda: len(scrapes) >= BEFORE)
        began = time.monotonic()
        incident.cause(stage)
        lookers = _look(incident, stage.up, person, made, began) if incident.problem else []
        _go_on(incident, stage, began)
        for looker in lookers:
            looker.join()
    finally:
        ended.set()
        watch.join()
    made.series = compact(scrapes)
    made.named = dict(sorted(made.named.items()))
    return made


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _scrape(url: str, key: str, scrapes: list[Scrape], ended: threading.Event) -> None:
    began = time.monotonic()
    while not ended.wait(max(0.0, began + len(scrapes) * INTERVAL - time.monotonic())):
        headers = {"Authorization": f"Bearer {key}"}
        try:
            answer = requests.get(f"{url}/metrics", headers=headers, timeout=SCRAPED_WITHIN)
            scrapes.append(scraped(answer.text) if answer.ok else None)
        except requests.RequestException:
            scrapes.append(None)


def _go_on(incident: Incident, stage: Stage, began: float) -> None:
    for second in range(1, incident.seconds):
        time.sleep(max(0.0, began + second - time.monotonic()))
        if incident.again:
            incident.again(stage, second)


def _until(there: Callable[[], object]) -> None:
    while not there():
        time.sleep(0.2)


def _look(
    incident: Incident, up: Up, person: Person, made: Recording, began: float
) -> list[threading.Thread]:
    """Have `doctor` and the page asked, each in turn, until they name the incident."""

    def doctor() -> str:
        told = up.cli("doctor", "--no-provider", "--json")
        found = [each for each in _json(told.stdout) if each["check"] == incident.check]
        return next((each["message"] for each in found if each["level"] != "ok"), "")

    def page() -> str:
        text = person.get("/console").text
        return incident.words if incident.words and incident.words in text else ""

    def ask(who: str, look: Callable[[], str]) -> None:
        while time.monotonic() - began < incident.seconds:
            if says := look():
                made.named[who] = round(time.monotonic() - began, 1)
                made.says = says if who == "doctor" else made.says
                return
            time.sleep(0.5)

    asked = [("doctor", doctor), *([("page", page)] if incident.words else [])]
    threads = [threading.Thread(target=ask, args=each) for each in asked]
    for thread in threads:
        thread.start()
    return threads


def _json(text: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(text or "[]")
    return found


def main() -> None:
    names = sys.argv[1:] or list(INCIDENTS)
    longest_first = sorted(names, key=lambda name: -INCIDENTS[name].seconds)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        tries = {name: pool.submit(record, name) for name in longest_first}
    failed = {name: error for name, tried in tries.items() if (error := tried.exception())}
    write_page()
    sys.exit("\n".join(f"{name}: {error!r}" for name, error in failed.items()) or 0)


if __name__ == "__main__":
    main()
