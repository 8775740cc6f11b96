"""Each page in a real browser: at three widths, light and dark, with what people really write."""

from __future__ import annotations

from contextlib import ExitStack, closing
from decimal import Decimal
from functools import partial
from pathlib import Path

from dispatcher.model.call import CallReport
from dispatcher.model.outcome import Outcome
from dispatcher.model.states import State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.holds import PauseScope
from support.console_browser import Page
from support.console_client import key
from support.console_pages import MOST_BYTES, faults, size_of, violations
from support.gateway_process import Gateway
from support.polling import eventually
from support.redis_inside import key_of, redis_of
from support.seen_alerts import called, event, reported, unreached
from support.store_jobs import claim, enqueue, failed, in_progress
from workers.devstack.embedded_server import EmbeddedServer
from workers.gateway.console.live import OF_ONE

LONG = "a-tag-that-is-as-long-as-tags-may-well-become-in-the-course-of-a-few-years-of-use"
HEBREW = "דחוף-מאוד-מחלקה-שלוש"
ARABIC = "القرص ممتلئ على الخادم"


def said_aloud(page: Page) -> list[str]:
    """Return the ids of what a screen reader is told when it changes, and finds on the page."""
    return list(
        page.driver.execute_script(
            "return [...document.querySelectorAll('[role=status]')]"
            ".filter((each) => each.checkVisibility()).map((each) => each.id)"
        )
    )


def many_attempts(store: Store, many: int) -> str:
    """Return a job that nobody answered so many times, and then somebody did."""
    id_ = enqueue(store, max_attempts=many, tags=["stubborn"])
    for number in range(1, many):
        attempt = claim(store, id_).attempt
        assert attempt == number
        again = Decision(State.SCHEDULED, "no_answer", "nobody answered", delay=0)
        store.calls.settle(id_, attempt, again)
        store.queue.pump()
    report = CallReport(Outcome.ANSWERED, "ANSWERED", duration=12, cost=Decimal(3))
    answered = Decision(State.COMPLETED, "answered", "ANSWERED", report=report)
    store.calls.settle(id_, claim(store, id_).attempt, answered)
    return id_


def full(store: Store) -> list[str]:
    """Fill the store with what is awkward to show; return the address of each kind of page."""
    stubborn = many_attempts(store, 50)
    for n in range(50):
        tags = [f"{LONG}-{n % 3}", HEBREW, "campaign:spring", *(f"tag-{k}" for k in range(6))]
        enqueue(store, recipient=f"+81801111{n:04d}", tags=tags)
    gone = failed(store, tags=[LONG], say=ARABIC, key=f"key-{LONG}", meta={"ward": ARABIC})
    in_progress(store, "call-7", tags=[HEBREW], recipient="+818011110077")
    alert, lost = (reported(store, event(n, summary=f"{ARABIC} {LONG} {n}"))[0] for n in "ab")
    called(store, alert)
    unreached(store, lost)
    store.holds.pause(PauseScope(tag="zoo"), actor="cli:eve", note=f"{HEBREW} {LONG}")
    return [
        "/console",
        "/console?span=day",
        "/console/jobs",
        "/console/jobs?state=failed&reason=no_answer&tag=zoo",
        "/console/jobs?since=nonsense",
        f"/console/jobs/{gone}",
        f"/console/jobs/{stubborn}",
        "/console/alerts",
        f"/console/alerts/{alert}",
        "/console/campaigns",
        "/console/campaigns/spring",
        "/console/actions",
        "/console/audit",
        "/console/time-zone",
        "/console/find?q=nothing",
        "/console/nowhere",
    ]


def test_every_page_is_for_everybody_on_every_screen(page: Page, store: Store) -> None:
    """Nothing sticks out, no word is broken, and axe finds nothing."""
    assert faults(page, full(store)) == []
    page.leave()  # it complains of what is not there, and of the search that makes no sense


def test_every_page_is_small(page: Page, store: Store, operator: object) -> None:
    for path in full(store):
        assert size_of(page, path) <= MOST_BYTES, path
    page.leave()


def test_what_was_typed_is_kept_through_a_log_in(page: Page, store: Store) -> None:
    page.open()
    page.press("Stop new calls…")
    page.tick("input[value=all]")
    page.type("Note", "storm of alerts")
    for name in redis_of(store).keys(key_of(store, "session", "*")):
        redis_of(store).delete(name)
    page.until_sees("You are logged out. What you typed here is kept.")
    page.press("Pause")
    page.until_sees("API key")
    assert not store.holds.all()
    page.type("API key", key(store))
    page.press("Log in")
    page.until_sees("It is filled in again: check it, and send it.")
    store.holds.pause(PauseScope(tag="zoo"), actor="cli:eve", note="meanwhile")
    page.until_sees("paused by cli:eve: meanwhile")  # the page is fresh, and says it still
    assert page.sees("It is filled in again: check it, and send it.")
    page.press("Pause")
    page.until_sees("Calls are held: paused by console:ops: storm of alerts")


def test_a_note_to_a_preview_is_kept_through_a_log_in(page: Page, store: Store) -> None:
    """A preview has no address of its own: they come back to the page of its action."""
    job = enqueue(store)
    page.open(f"/console/jobs/{job}")
    page.press("Cancel…")
    page.until_sees("Cancel: 1 of 1 job")
    page.type("Note", "they called us")
    for name in redis_of(store).keys(key_of(store, "session", "*")):
        redis_of(store).delete(name)
    page.press("Cancel: 1 job")
    page.until_sees("API key")
    assert not store.jobs.get(job).terminal
    page.type("API key", key(store))
    page.press("Log in")
    page.until_sees("It is filled in again: check it, and send it.")
    assert page.sees("Not started")
    page.press("Cancel: 1 job")
    page.until_sees("Done")
    assert "they called us" in str(store.jobs.get(job).timeline)


def test_two_people_act_at_once_and_each_sees_what_the_other_did(page: Page, store: Store) -> None:
    (id_,) = reported(store)
    page.open(f"/console/alerts/{id_}")
    page.until_sees("I have it")
    store.alerts.acknowledge(id_, by="console:ann", how="console")  # type: ignore[arg-type]
    page.until_sees("Console:ann has it since")  # by itself
    job = enqueue(store)
    page.open(f"/console/jobs/{job}")
    page.press("Cancel…")
    page.until_sees("Cancel: 1 of 1 job")
    store.jobs.cancel(job, actor="console:ann", note="first")
    page.type("Note", "second")
    page.press("Cancel: 1 job")
    page.until_sees("Skipped, because they changed after the preview")


def test_a_list_stays_fresh_in_place_and_says_that_it_has_changed(page: Page, store: Store) -> None:
    id_ = enqueue(store)
    page.open("/console/jobs")
    assert not page.sees("This list has changed.")
    store.jobs.cancel(id_, actor="test")
    page.until_sees("cancelled")  # by itself
    enqueue(store, recipient="+818011119999")
    page.until_sees("This list has changed.")
    page.press("Show it as it is now")
    page.until_sees("+8180****9999")
    assert not page.sees("This list has changed.")


def test_a_page_without_a_stream_asks_every_few_seconds(
    page: Page, store: Store, gateway: Gateway
) -> None:
    cookies = {each["name"]: each["value"] for each in page.driver.get_cookies()}
    follow = partial(
        gateway.ask,
        "GET",
        "/console/alerts",
        headers={"Accept": "text/event-stream"},
        cookies=cookies,
        stream=True,
    )
    page.leave()
    with ExitStack() as stack:
        for _ in range(OF_ONE.most):  # the page that was left may have a place for a moment
            eventually(lambda: stack.enter_context(closing(follow())).ok, "a place")
        page.open()
        page.until_sees("All jobs")
        store.holds.pause(PauseScope(), actor="cli:eve", note="storm")
        page.until_sees("paused by cli:eve: storm")
        complaints = page.leave()
    assert complaints
    assert all("429" in each or "event-stream" in each for each in complaints)


def test_a_browsers_own_zone_is_shown_until_another_one_is_chosen(
    browser: Page, store: Store
) -> None:
    id_ = enqueue(store)
    browser.forget()
    browser.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    try:
        browser.log_in(key(store))
        assert browser.sees("Times are in Asia/Tokyo (JST).")
        browser.open("/console/jobs?tag=zoo")
        browser.press("Change the time zone")
        browser.type("Show times in", "Europe/Lisbon")
        browser.press("Save")
        browser.until_sees("Times are in Europe/Lisbon (WE")  # WET in winter, WEST in summer
        assert browser.driver.current_url.endswith("/console/jobs?tag=zoo")
        browser.open(f"/console/jobs/{id_}")
        title = browser.driver.find_element("css selector", "time").get_attribute("title")
        assert title
        assert title.rpartition(" ")[2].startswith("WE")
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})


def test_where_redis_is_away_pages_say_so_and_come_back_by_themselves(
    browser: Page, tmp_path: Path
) -> None:
    with (
        EmbeddedServer(tmp_path / "redis", appendfsync="always") as redis,
        Gateway(tmp_path, redis.url) as gateway,
    ):
        store, page = Store.from_url(redis.url), Page(browser.driver, gateway.url)
        page.log_in(key(store))
        page.until_sees("No worker runs")
        title = page.driver.title
        redis.kill()
        page.until_sees("Redis does not do what it is asked: Redis cannot be reached")
        assert page.sees("Nobody is called until it is over: start it, or correct")
        assert page.sees("This page shows the state at")
        assert page.driver.find_element("id", "trouble").get_attribute("role") == "alert"
        assert page.driver.find_elements("css selector", "#trouble .banner.bad")
        assert page.driver.title.startswith("Not available now")
        assert "live-said" not in said_aloud(page)
        assert violations(page) == []
        first = page.driver.current_window_handle
        page.driver.switch_to.new_window("tab")
        page.open("/console/jobs")
        page.until_sees("What you asked for shows here by itself as soon as that is over.")
        redis.start()
        page.until_sees("No jobs yet")
        page.driver.close()
        page.driver.switch_to.window(first)
        page.until(lambda: not page.sees("This page shows the state at"), "a fresh page")
        assert page.driver.title == title
        assert "live-said" in said_aloud(page)
        store.close()
        page.leave()  # before its gateway ends
