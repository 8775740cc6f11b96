"""Who gets into the console, how long, and what a form must bring along."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dispatcher.model.api_key import Scope
from dispatcher.store import Store
from support.console_client import Person, Reader, key
from support.gateway_process import Gateway
from support.redis_inside import key_of, redis_of
from workers.devstack.embedded_server import EmbeddedServer

PAGES = [
    "/console",
    "/console/jobs",
    "/console/jobs/abc",
    "/console/actions",
    "/console/audit",
    "/console/campaigns",
    "/console/time-zone",
    "/console/find?q=x",
]
FORMS = {
    "/console/actions/preview": {"what": "retry", "which": "all"},
    "/console/actions": {"action": "abc", "note": "x"},
    "/console/actions/abc/stop": {},
    "/console/actions/abc/pause": {},
    "/console/pause": {"scope": "all", "note": "x"},
    "/console/resume": {"hold": "paused"},
    "/console/balance-check": {},
}
"""Forms that change something, with fields that are right otherwise."""
OTHERS = [
    "/console/alerts/abc/acknowledge",
    "/console/alerts/abc/cancel",
    "/console/do-not-call",
    "/console/do-not-call/look-up",
    "/console/do-not-call/remove",
    "/console/jobs/abc/do-not-call",
    "/console/on-call/rotas/week/swap",
    "/console/on-call/rotas/week/end-swap",
]
"""All further forms that who may only look may not send."""


@pytest.mark.parametrize("path", PAGES)
def test_nobody_sees_a_page_without_logging_in(stranger: Person, path: str) -> None:
    answer = stranger.get(path, allow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/console/login?next=%2Fconsole")


@pytest.mark.parametrize("path", FORMS)
def test_nobody_acts_without_logging_in(stranger: Person, store: Store, path: str) -> None:
    answer = stranger.post(path, FORMS[path] | {"csrf": "x"}, allow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/login")
    assert store.holds.all() == []


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("token", ["", "0" * 32, "é"])
def test_a_form_without_the_sessions_token_is_refused(
    operator: Person, store: Store, path: str, token: str
) -> None:
    answer = operator.post(path, FORMS[path] | {"csrf": token})
    assert answer.status_code == 403
    assert "does not come from a page of your session" in answer.text
    assert store.holds.all() == []


def test_a_token_of_another_session_is_refused(operator: Person, store: Store) -> None:
    with Person(operator.url) as other:
        other.log_in(key(store))
        token = other.token
    assert (
        operator.post("/console/pause", FORMS["/console/pause"] | {"csrf": token}).status_code
        == 403
    )
    assert store.holds.all() == []


@pytest.mark.parametrize("path", FORMS)
def test_another_sites_page_cannot_send_a_form(operator: Person, store: Store, path: str) -> None:
    fields = FORMS[path] | {"csrf": operator.token}
    answer = operator.post(path, fields, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert store.holds.all() == []


@pytest.mark.parametrize("path", FORMS)
def test_who_may_look_may_not_act(reader: Person, store: Store, path: str) -> None:
    answer = reader.post(path, FORMS[path] | {"csrf": reader.token})
    assert answer.status_code == 403
    assert "may see jobs but not change them" in answer.text
    assert store.holds.all() == []


@pytest.mark.parametrize("path", OTHERS)
def test_every_other_form_is_guarded_as_well(
    stranger: Person, reader: Person, operator: Person, path: str
) -> None:
    assert stranger.post(path, {"csrf": "x"}, allow_redirects=False).status_code == 303
    assert reader.post(path, {"csrf": reader.token}).status_code == 403
    assert operator.post(path, {"csrf": "x"}).status_code == 403
    fields, elsewhere = {"csrf": operator.token}, {"Sec-Fetch-Site": "cross-site"}
    assert operator.post(path, fields, headers=elsewhere).status_code == 403


def test_who_may_look_sees_no_buttons_that_act(reader: Person, operator: Person) -> None:
    watching = {form.action for form in reader.page("/console").forms}
    assert watching == {"/console/find", "/console/logout"}
    assert {form.action for form in operator.page("/console").forms} > watching


def test_a_key_that_may_only_enqueue_stays_out(stranger: Person, store: Store) -> None:
    answer = stranger.log_in(key(store, Scope.ENQUEUE))
    assert answer.status_code == 403
    assert "needs the scope read or operate" in answer.text
    assert not [name for name in redis_of(store).keys("*") if b"session" in name]


def test_a_session_that_was_planted_lets_nobody_in(operator: Person, store: Store) -> None:
    """Whoever logs in has a session that nobody knew before, not one that is there already."""
    text = key(store)
    planted = {name: "x" * 43 for name in operator.session.cookies.get_dict() if "form" not in name}
    assert planted
    with Person(operator.url) as victim, Person(operator.url) as thief:
        victim.session.cookies.update(planted)
        victim.log_in(text)
        mine = [each.value for each in victim.session.cookies if each.name in planted]
        assert len({*mine, "x" * 43}) > 1
        thief.session.cookies.update(planted)
        answer = thief.get("/console", allow_redirects=False)
        assert answer.status_code == 303


def test_a_log_in_form_of_another_browser_is_refused(stranger: Person, store: Store) -> None:
    """Else another's page could log somebody in as another, and watch what they do there."""
    stranger.get("/console/login")
    for token in ("", "x" * 22):
        fields = {"key": key(store), "csrf": token, "next": ""}
        answer = stranger.post("/console/login", fields, allow_redirects=False)
        assert answer.status_code == 403
        assert "Try again" in answer.text
    assert not [name for name in redis_of(store).keys("*") if b"session" in name]


def test_a_wrong_key_stays_out_and_is_not_told_why(stranger: Person, store: Store) -> None:
    good = key(store)
    for wrong in (good[:-1] + "x", good[:-1] + ("0" if good[-1] != "0" else "1"), "vd_", "é" * 50):
        answer = stranger.log_in(wrong)
        assert answer.status_code == 403
        assert "missing or malformed, unknown, expired or revoked" in answer.text
        assert wrong not in answer.text


def test_after_ten_wrong_keys_others_wait_and_the_right_one_is_let_in(
    stranger: Person, store: Store
) -> None:
    for _ in range(10):
        assert stranger.log_in("vd_wrong").status_code == 403
    answer = stranger.log_in("vd_wrong")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert 0 < redis_of(store).ttl(key_of(store, "login_failures", "127.0.0.1")) <= 60
    assert stranger.log_in(key(store)).url == f"{stranger.url}/console"


def test_the_log_in_form_needs_its_own_cookie(stranger: Person, store: Store) -> None:
    page = Reader(stranger.get("/console").text)
    stranger.session.cookies.clear()
    assert stranger.send(page, "/login", key=key(store)).status_code == 403


def test_the_cookie_is_for_our_pages_alone(stranger: Person, store: Store) -> None:
    page = Reader(stranger.get("/console").text)
    fields = [*page.forms[0].fields, ("key", key(store))]
    answer = stranger.post("/console/login", fields, allow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/console" in cookie
    assert "secure" not in cookie
    by_proxy = {"X-Forwarded-Proto": "https"}
    answer = stranger.post("/console/login", fields, headers=by_proxy, allow_redirects=False)
    assert "secure" in answer.headers["set-cookie"].lower()


def test_the_secret_of_a_session_stands_nowhere(operator: Person, store: Store) -> None:
    (secret,) = (c.value for c in operator.session.cookies if not c.name.endswith("-form"))
    assert secret
    everything = list(redis_of(store).keys("*"))
    everything += [str(redis_of(store).hgetall(n)).encode() for n in everything if b"session" in n]
    assert secret.encode() not in b"".join(everything)


def test_revoking_the_key_ends_its_sessions(operator: Person, store: Store) -> None:
    assert operator.get("/console", allow_redirects=False).status_code == 200
    keys = store.api_keys
    keys.revoke(keys.all()[0].id)
    assert operator.get("/console", allow_redirects=False).status_code == 303
    assert not [name for name in redis_of(store).keys("*") if b"session" in name]


def test_logging_out_ends_the_session(operator: Person) -> None:
    kept = operator.session.cookies.copy()
    assert operator.send(operator.page("/console"), "/logout").url.endswith("/console/login")
    operator.session.cookies = kept
    assert operator.get("/console", allow_redirects=False).status_code == 303


def test_a_session_ends_idle_and_what_a_page_asks_by_itself_does_not_keep_it(
    operator: Person, store: Store
) -> None:
    (name,) = (name for name in redis_of(store).keys("*") if b"session" in name)
    redis_of(store).expire(name, 100)
    operator.get("/console", headers={"X-Console-Live": "1"})
    assert redis_of(store).ttl(name) <= 100
    operator.get("/console")
    assert redis_of(store).ttl(name) > 3000


def test_a_session_has_a_longest_life(server: EmbeddedServer, store: Store, tmp_path: Path) -> None:
    settings = {"DISPATCHER_CONSOLE_SESSION": "60s"}
    with Gateway(tmp_path, server.url, **settings) as short, Person(short.url) as person:
        person.log_in(key(store))
        (name,) = (name for name in redis_of(store).keys("*") if b"session" in name)
        redis_of(store).hset(name, "until", round(store.now()) + 5000)
        person.get("/console")
        assert redis_of(store).pttl(name) <= 5000
        redis_of(store).hset(name, "until", round(store.now()) - 1)
        assert person.get("/console", allow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    "goal",
    [
        "https://evil.example",
        "//evil.example",
        "/console/../../evil",
        "/console//evil.example",
        "/console\\evil",
        "/consolex",
        "/console/@evil.example",
        "javascript:alert(1)",
        "/console/jobs\r\nX: y",
    ],
)
def test_logging_in_leads_to_pages_of_ours_alone(stranger: Person, store: Store, goal: str) -> None:
    page = Reader(stranger.get("/console").text)
    fields = [*page.forms[0].fields, ("key", key(store)), ("next", goal)]
    answer = stranger.post("/console/login", fields, allow_redirects=False)
    assert answer.status_code == 303
    assert re.fullmatch(
        r"/console(/jobs.*|//evil.example|/../../evil)?", answer.headers["location"]
    )
    assert stranger.get("/console/login", params={"next": goal}).url.startswith(stranger.url)


def test_logging_in_leads_back_to_where_one_wanted_to_go(stranger: Person, store: Store) -> None:
    answer = stranger.log_in(key(store), "/console/jobs?state=failed&since=2h")
    assert answer.url == f"{stranger.url}/console/jobs?state=failed&since=2h"


def test_the_console_can_be_left_out(server: EmbeddedServer, tmp_path: Path) -> None:
    with Gateway(tmp_path, server.url, DISPATCHER_CONSOLE="false") as without:
        assert without.ask("GET", "/console").status_code == 404
        assert without.ask("GET", "/healthz").status_code == 200
