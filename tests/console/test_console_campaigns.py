"""Campaigns in the console: found by name, drawn, paused, called again, and taken as a file."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

from dispatcher.model.campaign import Calls
from dispatcher.model.filters import Filter
from dispatcher.store import Store
from support.console_books import campaign
from support.console_client import RECIPIENT, Person, Reader
from support.store_jobs import enqueue
from workers.gateway.console.campaign_figures import HEIGHT, hours_of_day

SPRING = "/console/campaigns/spring"


def test_a_campaign_is_found_by_a_part_of_its_name(reader: Person, store: Store) -> None:
    assert "No campaigns yet" in reader.page("/console/campaigns").text
    for n in range(60):
        enqueue(store, tags=(f"campaign:Visit-{n:02}",))
    enqueue(store, tags=("campaign:autumn",))
    first = reader.page("/console/campaigns")
    (older,) = (each for each in first.links if "cursor" in each)
    assert "Visit-00" in reader.page(older).text
    found = reader.page("/console/campaigns?name=AUT")
    assert "/console/campaigns/autumn" in found.links
    assert "Visit-59" not in found.text
    assert "No campaign has this in its name" in reader.page("/console/campaigns?name=x9").text


def test_a_campaign_is_told_in_figures_and_in_words(reader: Person, store: Store) -> None:
    campaign(store, "spring", reached=6, missed=2, left=3)
    shown = reader.page(SPRING).text
    assert "8 jobs a minute ended in the last 10 minutes" not in shown  # with the cancelled, 9 did
    assert "9 jobs a minute ended in the last 10 minutes." in shown
    assert "Accepted 12 100.0% Dialled once or more 8 66.7% Answered 6 50.0%" in shown
    assert "Waiting 3 25.0%" in shown
    assert "Not answered 2 16.7%" in shown
    assert "75.0% of those who were dialled" in shown
    assert "Attempt Calls Answered 1 8 6 75%" in shown
    for job in store.search.find(Filter(tag="campaign:spring")):
        if not job.terminal:
            store.jobs.cancel(job.id, actor="cli:eve")
    assert "All 12 jobs have ended" in reader.page(SPRING).text


def test_hours_are_those_of_the_readers_zone_and_days_are_added_up() -> None:
    nine = datetime(2026, 11, 2, 9, tzinfo=UTC)
    by_hour = {
        nine: Calls(10, 4),
        nine + timedelta(days=3): Calls(10, 6),
        nine.replace(hour=23): Calls(5, 5),
    }
    hours = hours_of_day(by_hour, ZoneInfo("Asia/Tokyo"))
    assert [each.hour for each in hours] == list(range(24))
    assert (hours[18].calls, hours[8].calls) == (Calls(20, 10), Calls(5, 5))
    assert (hours[18].dialled, hours[18].answered) == (HEIGHT, HEIGHT / 2)
    assert (hours[18].share, hours[0].share) == (0.5, None)
    assert {each.dialled for each in hours_of_day({}, ZoneInfo("UTC"))} == {0}


def test_a_campaign_is_paused_and_resumed_where_it_is_shown(operator: Person, store: Store) -> None:
    campaign(store, "spring")
    shown = Reader(operator.send(operator.page(SPRING), "/pause", note="wrong text").text)
    assert "This campaign is paused. paused by console:ops: wrong text" in shown.text
    assert [hold.name for hold in store.holds.all()] == ["paused:tag:campaign:spring"]
    after = Reader(operator.send(shown, "/resume").text)
    assert "This campaign is paused" not in after.text
    assert "Campaign spring" in after.text
    assert not store.holds.all()


def test_a_pause_of_all_calls_is_said_too(reader: Person, store: Store) -> None:
    campaign(store, "spring")
    store.holds.start("credit", "the credit is used up")
    assert "No calls are made at all now: the credit is used up" in reader.page(SPRING).text


def test_those_not_reached_are_called_again_and_the_rest_is_cancelled(
    operator: Person, store: Store
) -> None:
    campaign(store, "spring", missed=2, left=3)
    campaign(store, "other", missed=5, left=7)
    page = operator.page(SPRING)
    retry, cancel = (form for form in page.forms if form.action.endswith("/actions/preview"))
    for form, what, words in (
        (retry, "retry", "Retry: 2 of 2 jobs"),
        (cancel, "cancel", "Cancel: 3 of 3 jobs"),
    ):
        answer = operator.post(form.action, [*form.fields, ("what", what)])
        assert words in Reader(answer.text).text


def test_who_only_looks_sees_no_buttons(reader: Person, store: Store) -> None:
    campaign(store, "spring")
    assert [form.action for form in reader.page(SPRING).forms if form.method == "post"] == [
        "/console/logout"
    ]
    fields = {"csrf": reader.token, "scope": "tag", "tag": "campaign:spring", "note": "x"}
    assert reader.post("/console/pause", fields).status_code == 403


def test_a_campaign_goes_to_a_file_with_numbers_by_right(
    operator: Person, reader: Person, store: Store
) -> None:
    key = "=HYPERLINK(1)"
    for n in range(250):  # more than are written together
        enqueue(store, recipient=RECIPIENT, tags=("campaign:spring",), key=f"{key}{n}")
    enqueue(store, tags=("campaign:other",))
    path = "/console/campaign.csv?name=spring"
    masked = reader.get(path + "&numbers=whole")
    assert masked.headers["Content-Disposition"].startswith('attachment; filename="campaign-')
    assert masked.headers["Content-Type"].startswith("text/csv")
    assert RECIPIENT not in masked.text
    whole = operator.get(path + "&numbers=whole").content.decode("utf-8-sig")
    rows = list(csv.DictReader(StringIO(whole)))
    assert len(rows) == 250
    assert {row["recipient"] for row in rows} == {f"'{RECIPIENT}"}
    assert {row["key"][:14] for row in rows} == {f"'{key}"}  # no spreadsheet takes it for a formula
    assert [(each.actor, each.action, each.facts) for each in store.audit.read()] == [
        ("console:watcher", "export", {"unmasked": False}),
        ("console:ops", "export", {"unmasked": True}),
    ]


def test_a_file_is_for_who_is_logged_in_and_asks_from_here(
    stranger: Person, operator: Person, store: Store
) -> None:
    enqueue(store, tags=("campaign:spring",))
    path = "/console/campaign.csv?name=spring"
    assert "API key" in stranger.get(path).text
    elsewhere = operator.get(path, headers={"Sec-Fetch-Site": "cross-site"})
    assert elsewhere.status_code == 403
    assert operator.get("/console/campaign.csv?name=nothere").status_code == 404
    assert not list(store.audit.read())
