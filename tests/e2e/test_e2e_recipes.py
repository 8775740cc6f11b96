"""The code of the how-to pages: each piece as it stands, with the library that it is for."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import django
import pytest
import requests
import uvicorn
from django.conf import settings
from django.db import transaction
from django.test import Client as DjangoClient
from django.urls import path
from werkzeug.serving import make_server

from dispatcher import DoNotCall, Job, State
from dispatcher.values.webhook_secrets import WebhookSecrets
from support.doc_pages import blocks
from support.e2e_stack import ROOT, WEBHOOK_SECRET, Stage, number
from support.polling import eventually
from support.ports import free_port

HOW_TO = ROOT / "docs/how-to"
RECIPES = HOW_TO / "recipes.md"


@pytest.fixture
def url(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> str:
    """The dispatcher's Redis, as services are told of it."""
    found = stage.up.cli("url").stdout.strip()
    monkeypatch.setenv("REDIS_URL", found)
    return found


def recipe(heading: str, page: Path = RECIPES) -> ModuleType:
    """Return the module that the code below a heading is."""
    section = page.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    block = blocks(section, "python")[0]
    made = ModuleType(f"recipe_{heading.lower().replace(' ', '_').replace('-', '_')}")
    exec(compile(block, f"{page}, {heading}", "exec"), made.__dict__)
    return made


def of_key(stage: Stage, key: str) -> Job | None:
    found = stage.up.dispatcher.find(key=key)
    return found.refresh() if found else None


def test_every_recipe_is_played() -> None:
    played = {"FastAPI", "Django", "Flask", "Celery", "Airflow", "More"}
    assert set(re.findall(r"^## (.*)$", RECIPES.read_text(), re.MULTILINE)) == played


# -- FastAPI ------------------------------------------------------------------------------------


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an ASGI application as in earnest, in uvloop."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", loop="uvloop"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        eventually(lambda: server.started or not thread.is_alive(), "it serves")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def test_fastapi(stage: Stage, url: str) -> None:
    before = set(threading.enumerate())
    with serving(recipe("FastAPI").app) as shop, requests.Session() as http:
        to, order = number("0001"), f"{shop}/orders/17/call"
        first = http.post(order, params={"number": to})
        assert first.status_code == 202
        again = http.post(order, params={"number": to})
        assert again.json() == first.json()  # a user who clicks twice
        assert http.post(order, params={"number": number("0001")}).status_code == 409
        wrong = http.post(f"{shop}/orders/18/call", params={"number": "+8108012345678"})
        assert (wrong.status_code, wrong.json()["errors"][0][0]) == (422, "recipient")
        assert http.get(f"{shop}/orders/18/call").status_code == 404
        told = http.get(order, params={"wait": 30}).json()
        assert told == {"state": "completed", "why": "ANSWERED"}
        assert http.delete(order).status_code == 409

        stage.up.cli("pause")
        late = f"{shop}/orders/19/call"
        http.post(late, params={"number": number("0001")})
        assert "why" in http.get(late, params={"wait": 0.1}).json()
        assert http.delete(late).json() == {"state": "cancelled"}
        stage.up.cli("resume")
    eventually(lambda: set(threading.enumerate()) <= before, "no thread is left")


# -- Django -------------------------------------------------------------------------------------


def test_django(stage: Stage, url: str) -> None:
    urls = ModuleType("recipe_urls")
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        ROOT_URLCONF=urls,
        ALLOWED_HOSTS=["testserver"],
        VOICE_DISPATCHER_URL=url,
    )
    django.setup()
    clinic = recipe("Django")
    urls.urlpatterns = [path("cancel/<int:appointment>", clinic.cancel)]  # type: ignore[attr-defined]
    browser = DjangoClient()

    with transaction.atomic():
        clinic.remind(1, number("0001"), at="2h")
        transaction.set_rollback(True)
    assert of_key(stage, "appointment-1") is None  # rolled back: nobody is called

    with transaction.atomic():
        clinic.remind(2, number("0001"), at="2h")
        assert of_key(stage, "appointment-2") is None  # not yet
    made = of_key(stage, "appointment-2")
    assert made is not None
    assert (made.state, made.producer, made.redial) == (State.SCHEDULED, "clinic", 2)
    assert browser.post("/cancel/2").json() == {"cancelled": True}
    assert browser.post("/cancel/2").status_code == 409
    assert browser.post("/cancel/1").status_code == 404
    clinic.dispatcher().close()


# -- Flask --------------------------------------------------------------------------------------


def test_flask(stage: Stage, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = f"http://127.0.0.1:{free_port()}"
    (secret,) = WebhookSecrets((WEBHOOK_SECRET,)).of_job(place)  # as the command prints it
    monkeypatch.setenv("PUBLIC_URL", place)
    monkeypatch.setenv("WEBHOOK_SECRET", secret)
    shop = recipe("Flask")
    server = make_server("127.0.0.1", int(place.rpartition(":")[2]), shop.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        asked = requests.post(
            f"{place}/parcels/5/call", json={"number": number("0001")}, timeout=30
        )
        assert asked.status_code == 202
        eventually(lambda: shop.outcomes.get("parcel-5") == "job.completed", "it is told")
        assert requests.post(f"{place}/told", json={}, timeout=30).status_code == 400
        wrong = requests.post(f"{place}/parcels/6/call", json={"number": "0120"}, timeout=30)
        assert (wrong.status_code, wrong.json()["errors"][0][0]) == (422, "recipient")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        shop.dispatcher.close()


# -- Celery, Airflow ----------------------------------------------------------------------------


def test_celery(stage: Stage, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_BROKER_URL", "memory://")
    shop = recipe("Celery")
    to = number("0001")
    done = [shop.tell.apply(args=(170, to)) for _ in range(2)]
    assert done[0].get() == done[1].get()
    assert stage.up.dispatcher.wait(done[0].get(), 180).outcome == "ANSWERED"
    shop.dispatcher().close()

    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")  # Redis is away
    shop.dispatcher.cache_clear()
    tried = shop.tell.apply(args=(171, to), retries=10)
    assert type(tried.result).__name__ == "StoreUnavailable"
    monkeypatch.setattr(shop.tell, "retry", lambda **how: TriedAgain(how["countdown"]))
    with pytest.raises(TriedAgain):
        shop.tell(171, to)


class TriedAgain(Exception):
    """The task would be tried again later."""


def test_airflow(stage: Stage, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICE_DISPATCHER_URL", url)
    monkeypatch.setenv("ON_CALL_NUMBER", number("0001"))
    failed = SimpleNamespace(
        dag_id="nightly",
        task_id="load",
        run_id="scheduled__2026-11-23",
        map_index=-1,
        try_number=3,
    )
    for _ in range(2):  # a scheduler may run a callback again
        recipe("Airflow").call_on_failure({"task_instance": failed})
    job = of_key(stage, "nightly/load/scheduled__2026-11-23/-1/3")
    assert job is not None
    assert job.say == "The task load of nightly has failed."
    assert stage.up.dispatcher.wait(job.id, 180).outcome == "ANSWERED"


# -- codes, people on call ----------------------------------------------------------------------


def test_one_time_codes(stage: Stage, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    login = recipe("In your service", HOW_TO / "one-time-codes.md")
    monkeypatch.setattr(login.secrets, "randbelow", lambda most: 4711)
    id_ = login.send_code("ann", number("0001"))
    assert not login.is_right("ann", "000000")
    assert login.is_right("ann", "004711")
    assert not login.is_right("ann", "004711")  # once
    login.send_code("ben", number("0001"))
    assert [login.is_right("ben", guess) for guess in ("1", "2", "3", "004711")] == [False] * 4
    assert stage.up.dispatcher.wait(id_, 180).outcome == "ANSWERED"
    login.dispatcher.close()


def test_on_call(stage: Stage, url: str) -> None:
    watchdog = recipe("In your own code", HOW_TO / "on-call.md")
    people = [number("0002"), number("0001"), number("0001")]  # the first does not answer
    assert watchdog.raise_alarm("db1-down", "The database is down.", people) == people[1]
    books = stage.sandbox.books()
    assert [books[each] for each in people] == [1, 1, 0]
    assert watchdog.raise_alarm("db1-down", "The database is down.", people) == people[1]
    assert stage.sandbox.books() == books  # nobody is called again

    stage.up.cli("pause")
    assert watchdog.raise_alarm("db2-down", "It is down.", people[:1], patience=0.2) is None
    job = of_key(stage, "db2-down/1")
    assert job is not None
    assert job.state is State.CANCELLED
    stage.up.cli("resume")
    watchdog.dispatcher.close()


# -- lists, opt-out, from a loop ----------------------------------------------------------------


def test_reminders(stage: Stage, url: str, tmp_path: Path) -> None:
    clinic = recipe("From a service", HOW_TO / "reminders.md")
    file = tmp_path / "visits.csv"
    file.write_text(f"id,name,phone,day\n1,Ann,{number('0001')},Monday\n2,Ben,0120,Monday\n")
    assert clinic.remind(str(file)) == [1]
    job = of_key(stage, "visit-1")
    assert job is not None
    assert job.say == "Dear Ann, we expect you on Monday."
    assert clinic.remind(str(file)) == [1]  # safe to run again: nobody is called for it
    clinic.dispatcher.close()


def test_opt_out(stage: Stage, url: str) -> None:
    website = recipe("Put a number on the list", HOW_TO / "opt-out.md")
    to = number("0001")
    website.opt_out(to, tag="marketing")
    with pytest.raises(DoNotCall):
        website.dispatcher.call(to, say="Buy now", tags=["marketing"])
    website.opt_out(to)
    with pytest.raises(DoNotCall):
        website.dispatcher.call(to, say="Your parcel has come")
    website.dispatcher.close()


def test_from_a_loop(stage: Stage, url: str) -> None:
    billing = recipe("2. Move one service", HOW_TO / "from-a-loop.md")
    to = number("0001")
    first = billing.call_about(17, to, "Your invoice is due")
    assert billing.call_about(17, to, "Your invoice is due") == first
    with pytest.raises(ValueError, match=r"invoice 17: .*another request"):
        billing.call_about(17, to, "Pay now")
    assert stage.up.dispatcher.wait(first, 180).outcome == "ANSWERED"
    billing.dispatcher.close()
