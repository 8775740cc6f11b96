"""As a person on call: a real Chromium on a real stack, whose provider is the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from dispatcher.model.api_key import Scope
from dispatcher.model.on_call import OnCall
from dispatcher.store.holds import PauseScope as Pausing
from support.console_browser import DESK, PHONE, Page, chromium
from support.console_pages import violations
from support.e2e_stack import QUICK, SAY, Up, number, numbers
from support.polling import eventually
from support.seen_alerts import event, reported


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with Up(tmp_path_factory.mktemp("stack"), "--sandbox", **QUICK) as running:
        running.sandbox.options(ring=0.2)
        running.json("balance", "--check")  # there was less at first, which would not do for long
        yield running


@pytest.fixture(scope="module")
def browser(up: Up, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(up.announced["gateway_url"], tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(up: Up, browser: Page) -> Iterator[Page]:
    """Somebody who operates, logged in, at a desk; what the browser complains of is a failure."""
    browser.leave()
    browser.forget()
    browser.size(*DESK)
    browser.log_in(key(up))
    yield browser
    assert browser.leave() == []


def key(up: Up, scope: Scope = Scope.OPERATE) -> str:
    return up.dispatcher.store.api_keys.create("ops", [scope])[1]


def unanswered(up: Up, many: int = 1, **options: Any) -> list[str]:
    """Return jobs that nobody answered; the next time, somebody does."""
    ids = up.enqueue(numbers("0005", many), max_attempts=1, **options)
    jobs = up.ended(ids, 180)
    assert {(job.state, job.reason) for job in jobs} == {("failed", "no_answer")}
    return ids


def test_somebody_is_called_again_and_it_is_seen_that_they_answer(page: Page, up: Up) -> None:
    (id_,) = unanswered(up)
    page.open()
    page.until_sees("All is well")
    page.driver.find_element(By.ID, "find").send_keys(id_, Keys.ENTER)
    page.until_sees("It has failed: no answer")
    page.press("Retry…")
    page.until_sees("Retry: 1 of 1 job")
    assert page.sees("Nothing has been done yet.")
    page.type("Note", "they said they are in now")
    page.press("Dial again: 1 job")
    page.until_sees("Retry: report")
    page.press("Show these jobs")
    page.press("+8180****0005")
    page.until_sees("It was answered (ANSWERED)")  # by itself: the page was not asked for again
    assert page.sees("by console:ops: they said they are in now")
    page.press("More")
    page.press("Audit log")
    page.until_sees("they said they are in now")


def test_somebody_has_an_alert_and_it_shows_by_itself(page: Page, up: Up) -> None:
    store = up.dispatcher.store
    ann = {"contacts": {"ann": {"number": number("0001")}}}  # who answers, and says nothing yet
    store.on_call.publish(OnCall.model_validate(ann), by="test")
    (id_,) = reported(store, event(summary="Disk full on db7", started_at=None))
    page.open()
    page.until_sees("1 alert rings, and nobody has it yet")
    page.press("Show these alerts")
    page.press("Disk full on db7")
    page.until_sees("The chain database is under way")
    page.until_sees("answered")
    page.press("I have it")
    page.until_sees("Console:ops has it since")
    assert store.alerts.get(id_).acknowledged_by == "console:ops"
    reported(store, event(firing=False, started_at=None))
    page.until_sees("It has been resolved since")  # by itself
    assert violations(page) == []


def test_several_are_ticked_previewed_and_called_again(page: Page, up: Up) -> None:
    ids = unanswered(up, 3, tags=["ticked"])
    page.open("/console/jobs?tag=ticked")
    for each in ids[:2]:
        page.tick(f"input[value='{each}']")
    page.press("Retry…")
    page.until_sees("Retry: 2 of 2 jobs")
    page.type("Note", "twice")
    page.press("Dial again: 2 jobs")
    page.until_sees("Done")
    assert [job.outcome for job in up.ended(ids, 180)] == ["ANSWERED", "ANSWERED", "NO ANSWER"]


def test_one_tick_ticks_all_and_all_that_match_may_be_meant(page: Page, up: Up) -> None:
    ids = unanswered(up, 3, tags=["matching"])
    page.open("/console/jobs?tag=matching")
    page.tick("#tick-all")
    assert len(page.driver.find_elements(By.CSS_SELECTOR, "input[name=id]:checked")) == 3
    page.type("Act on", "all that match")
    page.press("Cancel…")
    page.until_sees("Cancel: 0 of 3 jobs")
    assert page.sees("No job would change.")
    assert page.sees("3: it has ended")
    assert {job.state for job in up.ended(ids, 1)} == {"failed"}


def test_a_pause_holds_and_a_resume_lets_go(page: Page, up: Up) -> None:
    page.press("Stop new calls…")
    page.press("Pause")
    assert not up.dispatcher.store.holds.all()  # the browser asks for which, and why
    page.tick("input[value=all]")
    page.type("Note", "storm of alerts")
    page.press("Pause")
    page.until_sees("Calls are held: paused by console:ops: storm of alerts")
    (id_,) = up.enqueue([number("0001")])
    page.until_sees("1 waiting")  # by itself
    assert up.dispatcher.job(id_).state in {"queued", "held"}
    page.press("Resume")
    page.until_sees("Resumed: waiting jobs are dialled in their order.")
    assert up.ended([id_], 180)[0].outcome == "ANSWERED"
    page.until_sees("All is well")


def test_what_happens_shows_by_itself(page: Page, up: Up) -> None:
    page.open()
    page.until_sees("All is well")
    store = up.dispatcher.store
    store.holds.pause(Pausing(), actor="cli:eve", note="maintenance")
    try:
        page.until_sees("Calls are held: paused by cli:eve: maintenance")
        assert page.driver.title.startswith("Calls are held")
    finally:
        store.holds.resume(Pausing(), actor="cli:eve")
    page.until_sees("All is well")


def test_a_lost_connection_is_said_and_a_found_one_too(page: Page) -> None:
    page.open()
    gone = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", gone | {"offline": True})
    page.until_sees("No connection. This page shows the state at")
    page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", gone | {"offline": False})
    page.until(lambda: not page.sees("No connection"), "a connection again")
    assert all("ERR_INTERNET_DISCONNECTED" in each for each in page.leave())


def test_all_of_it_goes_by_keyboard_alone(browser: Page, up: Up) -> None:
    (id_,) = unanswered(up)
    page = browser
    page.leave()
    page.forget()
    page.open()
    page.until(lambda: page.focused() == "API key", "the field has the focus")
    page.keys(key(up), Keys.ENTER)
    page.until_sees("Log out")
    page.tab_to("Skip to main content", 1)
    page.tab_to("Search")
    page.keys(id_, Keys.ENTER)
    page.until_sees("It has failed: no answer")
    page.tab_to("Retry…")
    page.keys(Keys.ENTER)
    page.until_sees("Retry: 1 of 1 job")
    page.tab_to("Note")
    page.keys("by keyboard")
    page.tab_to("Dial again", 1)
    page.keys(Keys.ENTER)
    page.until_sees("Retry: report")
    assert up.ended([id_], 180)[0].outcome == "ANSWERED"


def test_the_forms_of_an_action_are_for_everybody(page: Page, up: Up) -> None:
    page.size(*PHONE)
    (id_,) = unanswered(up)
    page.open(f"/console/jobs/{id_}")
    page.press("Retry…")
    page.until_sees("Retry: 1 of 1 job")
    assert page.width() <= PHONE[0]
    assert violations(page) == []
    page.type("Note", "to see the report")
    page.press("Dial again")
    page.until_sees("Retry: report")
    assert page.width() <= PHONE[0]
    assert violations(page) == []
    page.forget()
    page.open()
    page.until_sees("API key")
    assert violations(page) == []


def test_a_jobs_tasks_are_found_in_flower(page: Page, up: Up) -> None:
    (id_,) = up.enqueue([number("0001")])
    up.ended([id_], 180)
    page.open(f"/console/jobs/{id_}")
    link = page.driver.find_element(By.LINK_TEXT, "In Flower").get_attribute("href")
    assert link
    page.driver.get(link)
    page.until(
        lambda: id_ in page.text() and "dispatcher.dial" in page.text(), "the task in Flower"
    )
    page.leave()  # Flower's own complaints


def test_what_others_wrote_does_nothing_in_a_browser(page: Page, up: Up) -> None:
    hostile = "<img src=x onerror=document.title='got'><script>document.title='got'</script>"
    (id_,) = up.enqueue([number("0002")], say=hostile, tags=["<b>zoo"], max_attempts=1)
    up.ended([id_], 180)
    for path in (f"/console/jobs/{id_}", "/console/jobs?tag=%3Cb%3Ezoo", "/console"):
        page.open(path)
        assert not page.driver.title.startswith("got")
    page.open(f"/console/jobs/{id_}")
    assert page.sees(hostile)


def test_who_may_look_is_shown_nothing_more(browser: Page, up: Up) -> None:
    who = number("0001")
    (id_,) = up.enqueue([who])
    browser.forget()
    browser.log_in(key(up, Scope.READ))
    browser.open(f"/console/jobs/{id_}")
    browser.until_sees(f"{who[:5]}****{who[-4:]}")
    html = browser.driver.page_source
    assert who not in html
    assert SAY not in html


def test_a_revoked_key_throws_out_whoever_looks(page: Page, up: Up) -> None:
    keys = up.dispatcher.store.api_keys
    page.open()
    for each in keys.all():
        keys.revoke(each.id)
    page.until_sees("You are logged out.")  # by itself
    page.press("Log in again")
    page.until_sees("API key")


def test_the_provider_is_looked_at_when_asked(page: Page, up: Up) -> None:
    up.sandbox.credits(4321)
    page.press("Check the balance now")
    page.until_sees("The balance will be checked within a few seconds.")
    page.until_sees("4,321 credits")
    up.sandbox.credits(1_000_000)
    page.press("Check the balance now")
    eventually(lambda: page.sees("1,000,000 credits"), "the balance")


def test_the_stack_says_where_its_console_is(up: Up) -> None:
    answer = requests.get(up.announced["gateway_url"] + "/console", timeout=10)
    assert "Log in to the console" in answer.text
    assert f"{up.announced['gateway_url']}/console" in up.log
