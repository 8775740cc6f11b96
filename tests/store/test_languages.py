"""The language of a text: the account's where a request names none, and what is not spoken."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.invalid_job import LanguageRefused
from dispatcher.model.request import JobRequest
from dispatcher.model.states import State
from dispatcher.provider import InvalidRequest
from dispatcher.store import Store, packing
from support.clock import Clock
from support.store_jobs import claim, enqueue, refused, request

DAY = 86_400
REFUSED = InvalidRequest("no", fields={"tts_lang": ["not a valid choice"]}, language=True)


def lang_of(store: Store, **fields: Any) -> str | None:
    return store.jobs.get(enqueue(store, **fields)).lang


def refuse(store: Store, lang: str) -> None:
    """Have the provider refuse a job because of its language."""
    id_ = enqueue(store, lang=lang)
    claimed = claim(store, id_)
    decision = refused(REFUSED, claimed.job)
    assert decision.refused_language == lang
    assert store.calls.settle(id_, claimed.attempt, decision) is State.FAILED


def test_a_text_is_said_in_the_accounts_language_unless_told(store: Store) -> None:
    assert (lang_of(store), store.languages.default()) == ("en", "en")
    store.limiter.publish(AccountConfig(lang="ja"))
    assert (lang_of(store), store.languages.default()) == ("ja", "ja")
    assert lang_of(store, lang="de") == "de"
    assert lang_of(store, say=None, code="276983") == "ja"
    assert lang_of(store, say=None, play="http://example.com/a.mp3") is None
    conference = store.jobs.enqueue(
        JobRequest.of({"participants": ["+818011234567", "+818023450001"]})
    )
    assert store.jobs.get(conference.id).lang is None


def test_a_request_that_came_before_the_setting_is_the_same_one(store: Store) -> None:
    asked = request(key="a")
    first = store.jobs.enqueue(asked)
    store.limiter.publish(AccountConfig(lang="ja"))
    again = store.jobs.enqueue(asked)
    assert (again.id, again.new) == (first.id, False)
    assert store.jobs.get(first.id).lang == "en"


def test_a_language_that_was_refused_is_refused_when_a_job_is_enqueued(store: Store) -> None:
    assert store.languages.refused() == {}
    refuse(store, "cy")
    assert list(store.languages.refused()) == ["cy"]
    with pytest.raises(LanguageRefused, match="refused to speak 'cy'") as caught:
        enqueue(store, lang="cy")
    assert caught.value.problems[0][0] == "lang"
    assert lang_of(store, lang="ja") == "ja"
    assert lang_of(store, say=None, play="http://example.com/a.mp3") is None


def test_a_preview_says_so_too_and_a_job_that_is_there_is_found(store: Store) -> None:
    there = packing.packed(request(lang="cy", key="a"))
    store.jobs.enqueue_packed([there])
    refuse(store, "cy")
    rows = [there, *(packing.packed(request(lang=lang)) for lang in ("cy", None, "ja"))]
    assert store.jobs.find_existing(rows) == ["same", "language:cy", "new", "new"]
    store.limiter.publish(AccountConfig(lang="cy"))
    assert store.jobs.find_existing(rows) == ["same", "language:cy", "language:cy", "new"]
    assert store.jobs.enqueue_packed(rows[1:]) == ["language:cy", "language:cy", "new"]


def test_a_refusal_is_forgotten_after_a_week(store: Store, clock: Clock) -> None:
    refuse(store, "cy")
    clock.forward(7 * DAY - 1)
    with pytest.raises(LanguageRefused):
        enqueue(store, lang="cy")
    clock.forward(1)
    assert lang_of(store, lang="cy") == "cy"
    assert store.languages.refused() == {}


def test_a_person_has_it_forgotten_with_an_entry_in_the_audit_log(store: Store) -> None:
    for lang in ("cy", "gd", "eu"):
        refuse(store, lang)
    assert store.languages.forget(["gd", "fr"], actor="ann", note="they speak it now") == ["gd"]
    entry = store.audit.latest(1)[0][0]
    assert (entry.actor, entry.action, entry.target) == ("ann", "languages.forget", "gd")
    assert store.languages.forget(actor="ann") == ["cy", "eu"]
    assert store.languages.forget(actor="ann") == []
    assert lang_of(store, lang="gd") == "gd"


def test_other_faults_of_a_request_are_no_matter_of_the_language(store: Store) -> None:
    id_ = enqueue(store, lang="cy")
    claimed = claim(store, id_)
    other = InvalidRequest("no", fields={"recipient": ["no"]})
    store.calls.settle(id_, claimed.attempt, refused(other, claimed.job))
    assert store.languages.refused() == {}
