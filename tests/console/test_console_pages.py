"""What the pages show, to whom, and what they never let through."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dispatcher.model.states import State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.holds import PauseScope
from support.console_client import MASKED, RECIPIENT, Person, Reader, key
from support.gateway_process import Gateway
from support.store_jobs import claim, enqueue, failed, in_progress
from workers.devstack.embedded_server import EmbeddedServer

PATHS = [
    "/console",
    "/console/login",
    "/console/jobs",
    "/console/jobs?state=failed",
    "/console/jobs/nothere",
    "/console/actions",
    "/console/actions/nothere",
    "/console/audit",
    "/console/alerts",
    "/console/alerts/nothere",
    "/console/campaigns",
    "/console/campaigns/nothere",
    "/console/time-zone",
    "/console/find?q=nothere",
    "/console/nowhere",
    "/console/static/nothere",
]
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"


def failed_with(store: Store, why: str, **fields: object) -> str:
    id_ = enqueue(store, **fields)
    decision = Decision(State.FAILED, "invalid_request", why, "invalid_request")
    store.calls.settle(id_, claim(store, id_).attempt, decision)
    return id_


def test_campaigns_are_listed_and_shown(reader: Person, store: Store) -> None:
    failed(store, tags=["campaign:spring/1"], meta={"ward": f"3 of {RECIPIENT}"})
    id_ = enqueue(store, tags=["campaign:spring/1"], meta={"ward": f"3 of {RECIPIENT}"})
    enqueue(store, tags=[f"campaign:to {RECIPIENT}"])
    listed = reader.get("/console/campaigns").text
    assert 'href="/console/campaigns/spring/1"' in listed
    assert f"to {MASKED}" in listed
    assert RECIPIENT not in listed
    page = reader.page("/console/campaigns/spring/1").text
    assert "2 jobs" in page
    assert "1 invalid request" in page
    assert f"3 of {MASKED}" in reader.page(f"/console/jobs/{id_}").text
    assert reader.get("/console/campaigns/winter").status_code == 404


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_forbids_all_that_is_not_ours(operator: Person, path: str) -> None:
    answer = operator.get(path)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
    for part in ("frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
        assert part in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", PATHS)
def test_no_page_has_a_script_or_a_style_in_it(operator: Person, path: str) -> None:
    html = operator.get(path).text
    assert not re.search(r"<script(?! src)|<style|\sstyle=|\son[a-z]+=|javascript:", html)


def test_our_files_may_be_kept_and_their_addresses_change_with_them(operator: Person) -> None:
    html = operator.get("/console").text
    assets = set(re.findall(r'"(/console/static/[^"]+)"', html))
    assert len(assets) == 3
    for asset in assets:
        answer = operator.get(asset)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert re.search(r"\?v=[0-9a-f]{12}$", asset)


@pytest.mark.parametrize(
    "name", ["../pages.py", "..%2Fpages.py", "%2e%2e/pages.py", "console.css/x"]
)
def test_no_other_file_is_served(operator: Person, name: str) -> None:
    assert operator.get(f"/console/static/{name}").status_code == 404


def test_nothing_that_others_wrote_becomes_markup(operator: Person, store: Store) -> None:
    tag = "<b>'&\"x"
    id_ = failed_with(store, HOSTILE, say=HOSTILE, tags=[tag], key=HOSTILE)
    store.holds.pause(PauseScope(), actor="console:ops", note=HOSTILE)
    for path in ("/console", "/console/jobs", f"/console/jobs/{id_}", "/console/audit"):
        html = operator.get(path).text
        for raw in ("<script>alert", "<img src=x", "<b>"):
            assert raw not in html, path
    page = operator.page(f"/console/jobs/{id_}")
    assert page.text.count(HOSTILE) == 5  # said, key, why, attempt, timeline: as text
    assert tag in page.text


@pytest.mark.parametrize(
    "query",
    [
        "state=<script>alert(1)</script>",
        "recipient=<script>alert(1)</script>",
        "since=<script>alert(1)</script>",
        "until=2026-01-01",
        "cursor=<script>alert(1)</script>",
        "since=99999999d",
        "state=queued&state=nonsense",
    ],
)
def test_a_search_that_makes_no_sense_says_so(operator: Person, query: str) -> None:
    answer = operator.get(f"/console/jobs?{query}")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize("query", ["a=%ff", "&".join(f"f{n}=1" for n in range(2001)), "tag=%00"])
def test_a_query_that_cannot_be_read_is_no_failure_of_ours(operator: Person, query: str) -> None:
    assert operator.get(f"/console/jobs?{query}").status_code in {200, 400}


def test_a_form_of_another_kind_is_refused(operator: Person) -> None:
    answer = operator.session.post(
        f"{operator.url}/console/pause", json={"scope": "all"}, timeout=9
    )
    assert answer.status_code == 415
    answer = operator.post("/console/pause", b"\xff=\xff", headers={"content-type": FORM})
    assert answer.status_code == 400
    assert operator.post("/console/pause", {"note": "x" * 300_000}).status_code == 413


FORM = "application/x-www-form-urlencoded"


def test_who_may_look_sees_no_number_whole_and_no_text(
    reader: Person, operator: Person, store: Store
) -> None:
    tag, named = f"call-{RECIPIENT}", f"to {RECIPIENT}"
    id_ = failed_with(store, f"no such number {RECIPIENT}", say="Disk full", tags=[tag], key=named)
    store.holds.pause(PauseScope(), actor="console:ops", note=f"{RECIPIENT} complains")
    for path in ("/console", "/console/jobs", f"/console/jobs/{id_}", "/console/audit"):
        html = reader.get(path).text
        assert RECIPIENT not in html
        assert RECIPIENT[1:] not in html
        assert "Disk full" not in html
    assert MASKED in reader.get(f"/console/jobs/{id_}").text
    whole = operator.get(f"/console/jobs/{id_}").text
    assert RECIPIENT in whole
    assert "Disk full" in whole


def test_a_list_shows_no_number_whole_to_anybody(operator: Person, store: Store) -> None:
    enqueue(store)
    html = operator.get("/console/jobs").text
    assert RECIPIENT not in html
    assert MASKED in html


@pytest.mark.parametrize("recipient", [RECIPIENT, RECIPIENT[1:], "34567"])
def test_who_sees_masked_numbers_cannot_find_out_the_rest_by_searching(
    reader: Person, operator: Person, store: Store, recipient: str
) -> None:
    enqueue(store)
    assert reader.get("/console/jobs", params={"recipient": recipient}).status_code == 422
    assert operator.get("/console/jobs", params={"recipient": recipient}).status_code == 200
    assert MASKED in reader.get("/console/jobs?recipient=4567").text


def test_who_sees_masked_numbers_cannot_search_by_one_in_a_tag(
    reader: Person, operator: Person, store: Store
) -> None:
    enqueue(store, tags=[f"customer:{RECIPIENT}", "db1"])
    query = {"tag": f"customer:{RECIPIENT}"}
    assert reader.get("/console/jobs", params=query).status_code == 422
    assert MASKED in operator.get("/console/jobs", params=query).text
    assert MASKED in reader.get("/console/jobs?tag=db1").text


def test_jobs_are_filtered_by_all_that_is_known_of_them(operator: Person, store: Store) -> None:
    one = failed(store, tags=["zoo"], recipient="+818011110001")
    two = store.jobs.enqueue(_request(), actor="billing").id
    cases = {
        "state=failed": {one},
        "state=failed&state=queued": {one, two},
        "reason=invalid_request": {one},
        "tag=zoo": {one},
        "recipient=0001": {one},
        "producer=billing": {two},
        "since=1h": {one, two},
        "until=1h": set(),
        "state=completed": set(),
    }
    for query, ids in cases.items():
        page = operator.page(f"/console/jobs?{query}")
        assert {link[14:] for link in page.links if link.startswith("/console/jobs/")} == ids


def _request() -> object:
    from support.store_jobs import request  # noqa: PLC0415 - as the others are named

    return request(recipient="+818011110002")


def test_pages_lead_on_and_miss_and_double_nothing(operator: Person, store: Store) -> None:
    ids = [enqueue(store, recipient=f"+81801111{n:04d}") for n in range(120)]
    path, seen = "/console/jobs?state=queued", []
    while path:
        page = operator.page(path)
        seen += [link[14:] for link in page.links if link.startswith("/console/jobs/")]
        path = next((link for link in page.links if "cursor=" in link), "")
    assert seen == ids[::-1] or sorted(seen) == sorted(ids)


def test_a_jobs_page_tells_its_whole_story(operator: Person, store: Store) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    traced = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    id_ = in_progress(store, "call-5", tags=["zoo"], expires="1h", **traced)
    page = operator.page(f"/console/jobs/{id_}")
    for words in ("in progress", "The call is under way", "call-5", "queued", "dialing", "zoo"):
        assert words in page.text
    assert f"Trace id {trace}" in page.text
    assert "Trace id" not in operator.page(f"/console/jobs/{enqueue(store)}").text
    (flower,) = (link for link in page.links if link.startswith("http"))
    assert flower == f"http://flower.example:5555/tasks?name=dispatcher.%20{id_}"


def test_a_long_timeline_begins_with_its_latest_changes(operator: Person, store: Store) -> None:
    """What was before that is folded away, in its order and with its numbers."""
    html = operator.get(f"/console/jobs/{retried(store, 10)}").text
    assert re.findall(r'<ol class="timeline" start="(\d+)">', html) == ["1", "11"]
    assert "Show earlier changes" in html
    assert "Show earlier" not in operator.get(f"/console/jobs/{enqueue(store)}").text


def retried(store: Store, times: int) -> str:
    """Return a job with three changes, and three more for each time that it was retried."""
    id_ = failed(store)
    for _ in range(times - 1):
        store.jobs.retry(id_, actor="test")
        decision = Decision(State.FAILED, "invalid_request", "no", "invalid_request")
        store.calls.settle(id_, claim(store, id_).attempt, decision)
    return id_


def test_a_job_that_is_not_there_is_a_page_that_says_so(operator: Person) -> None:
    answer = operator.get("/console/jobs/nothere")
    assert answer.status_code == 404
    assert "there is no job &#39;nothere&#39;" in answer.text


def test_what_one_types_is_marked_as_code(operator: Person) -> None:
    page = operator.get("/console/on-call").text
    assert "<code>voice-dispatcher chains publish FILE</code>" in page


def test_where_redis_is_away_a_page_says_so(tmp_path: Path) -> None:
    with (
        EmbeddedServer(tmp_path / "redis", appendfsync="no") as away,
        Gateway(tmp_path, away.url) as running,
        Person(running.url) as person,
    ):
        person.log_in(key(Store.from_url(away.url)))
        away.kill()
        answer = person.get("/console")
    assert answer.status_code == 503
    said = Reader(answer.text).text
    assert "Redis does not do what it is asked: Redis cannot be reached" in said
    assert "Nobody is called until it is over: start it, or correct" in said


def test_why_a_job_has_not_rung_stands_on_its_page(operator: Person, store: Store) -> None:
    id_ = enqueue(store)
    assert "It is in line: it is next" in operator.page(f"/console/jobs/{id_}").text
    store.holds.pause(PauseScope(), actor="console:ops", note="storm")
    assert (
        "calls are held: paused by console:ops: storm" in operator.page(f"/console/jobs/{id_}").text
    )


def test_who_may_look_finds_no_button_that_acts_on_any_page(reader: Person, store: Store) -> None:
    id_ = failed(store, tags=["campaign:spring"])
    store.holds.pause(PauseScope(), actor="cli:eve", note="storm")
    looking = {"/console/find", "/console/logout", "/console/jobs", "/console/time-zone"}
    for path in ("/console", "/console/jobs", f"/console/jobs/{id_}", "/console/time-zone"):
        forms = {form.action for form in reader.page(path).forms}
        assert forms <= looking, path


def test_only_what_is_wrong_is_said_aloud(operator: Person, store: Store) -> None:
    id_ = failed(store)
    for path, said in (("/console", "live-said"), (f"/console/jobs/{id_}", "live-state")):
        html = operator.get(path).text
        assert "aria-live" not in html
        assert re.findall(r'<[^>]*role="(?:status|alert)"[^>]*>', html) == [
            '<div id="trouble" role="alert" hidden>',
            f'<div id="{said}" data-live role="status">',
        ]
