"""Campaigns, alerts, people on call, the do-not-call list and the logs in a real browser."""

from __future__ import annotations

from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.do_not_call import whom
from dispatcher.store import Store
from support import console_books as books
from support.console_browser import Page
from support.console_client import key
from support.console_pages import MOST_BYTES, faults, size_of
from support.redis_inside import key_of, redis_of
from support.store_jobs import enqueue


def full(store: Store) -> list[str]:
    """Fill the store with what is awkward to show; return the address of each kind of page."""
    for name in ("spring", "paused", books.LONG, books.HEBREW):
        books.campaign(store, name)
    for n in range(50):
        enqueue(store, tags=(f"campaign:{books.LONG}-{n}",))
    books.on_call(store)
    ringing, *_ = books.alerts(store)
    waiting = store.bulk.preview(BulkActionKind.CANCEL, (enqueue(store),))
    store.bulk.create(waiting)
    action = books.logs(store)
    return [
        "/console/campaigns",
        "/console/campaigns?name=nothing",
        "/console/campaigns/spring",
        "/console/campaigns/paused",
        "/console/alerts",
        "/console/alerts?all=1",
        f"/console/alerts/{ringing}",
        "/console/on-call",
        "/console/on-call/chains/database",
        "/console/on-call/rotas/week",
        "/console/do-not-call",
        "/console/actions",
        f"/console/actions/{action}",
        f"/console/actions/{waiting.id}",
        "/console/audit",
        "/console/audit?since=nonsense",
        "/console/security-log",
    ]


def test_every_list_is_for_everybody_on_every_screen(page: Page, store: Store) -> None:
    """Nothing sticks out, no word is broken, axe finds nothing, and no page is large."""
    paths = full(store)
    assert faults(page, paths) == []
    assert {path: size for path in paths if (size := size_of(page, path)) > MOST_BYTES} == {}


def test_somebody_has_an_alert_by_one_button_and_others_see_it(page: Page, store: Store) -> None:
    rings, lost, _ = books.alerts(store)
    page.open("/console/alerts")
    page.until_sees("ann: waits")
    page.press("I have it")  # the first is the worst
    page.until_sees("console:ops")
    assert store.alerts.get(lost).acknowledged_by == "console:ops"
    store.alerts.acknowledge(rings, by="cli:bob", how="cli")  # type: ignore[arg-type]
    page.until_sees("Nothing needs anybody")  # by itself
    page.until_sees("cli:bob")  # the two lists are read one after the other


def test_a_campaign_moves_by_itself_and_is_paused(page: Page, store: Store) -> None:
    books.campaign(store, "spring", left=3)
    page.open("/console/campaigns/spring")
    page.until_sees("50.0%")
    page.driver.find_element("css selector", "input[name=note]").send_keys("wrong text")
    enqueue(store, tags=("campaign:spring",))
    page.until_sees("13 jobs.")
    page.press("Pause this campaign")
    page.until_sees("paused by console:ops: wrong text")
    page.press("Resume this campaign")
    page.until(lambda: not page.sees("This campaign is paused"), "resumed")
    page.press("Cancel the rest…")
    page.until_sees("Cancel: 4 of 4 jobs")


def test_an_action_is_followed_and_stopped_by_whoever_comes_first(page: Page, store: Store) -> None:
    ids = [enqueue(store) for _ in range(60)]
    found = store.bulk.preview(BulkActionKind.CANCEL, tuple(ids))
    store.bulk.create(found)
    store.bulk.begin(found.id, actor="cli:eve", note="too many")
    page.open("/console/actions")
    page.until_sees("0 of 60")
    page.press("Cancel: 60 jobs")
    page.until_sees("Running")
    store.bulk.stop(found.id, actor="cli:bob")
    page.until_sees("Stopped")  # by itself
    assert not page.sees("Stop: what was done stays done")


def test_a_log_in_that_is_over_keeps_a_number_that_was_typed(page: Page, store: Store) -> None:
    page.open("/console/do-not-call")
    page.driver.find_element("id", "new").send_keys(books.NUMBER)
    for name in redis_of(store).keys(key_of(store, "session", "*")):
        redis_of(store).delete(name)
    page.press("Do not call this number")
    page.until_sees("API key")
    assert not store.do_not_call.size()
    assert books.NUMBER not in page.driver.current_url
    page.type("API key", key(store))
    page.press("Log in")
    page.until_sees("It is filled in again: check it, and send it.")
    page.press("Do not call this number")
    page.until_sees("The number is on the list now.")
    assert store.do_not_call.check(whom(books.NUMBER))
