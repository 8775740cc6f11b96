"""What every provider does behind the port: the same tests for each.

A new provider is added to `BENCHES`, and passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from decimal import Decimal
from functools import partial

import pytest

from dispatcher.model.call import CallRef
from dispatcher.model.outcome import Outcome
from dispatcher.provider import (
    CallbackRequest,
    DialIn,
    MaybePlaced,
    NeverWillBe,
    NotEnoughCredits,
    NotSent,
    Provider,
    ProviderError,
    Say,
    Throttled,
    Transfer,
    UnexpectedShape,
    UnknownCall,
)
from support.action_server import Query
from support.provider_benches import ENDINGS, OWN, Bench, call, fake, sandbox

BENCHES: dict[str, Callable[[], AbstractContextManager[Bench]]] = {
    "fake": fake,
    "xoxzo, callbacks as forms": partial(sandbox, "form"),
    "xoxzo, callbacks as JSON": partial(sandbox, "json"),
}
SOMEBODY, SOMEBODY_ELSE = ENDINGS[Outcome.ANSWERED], ENDINGS[Outcome.NO_ANSWER]


def nothing() -> None:
    """Do nothing before a request is sent."""


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with BENCHES[request.param]() as made:
        yield made


@pytest.fixture
def provider(bench: Bench) -> Provider:
    return bench.provider


# -- calls ---------------------------------------------------------------------------------


def test_a_placed_call_goes_on_and_then_it_is_answered(bench: Bench, provider: Provider) -> None:
    placed = provider.place(call(SOMEBODY), before_sending=nothing)
    assert (len(placed.callids), placed.conferenceid) == (1, "")
    begun = provider.status(placed)
    assert (begun.outcome, begun.final, begun.ended_at) == (Outcome.IN_PROGRESS, False, None)
    bench.end(placed)
    report = provider.status(placed)
    assert (report.outcome, report.callid) == (Outcome.ANSWERED, placed.callids[0])
    assert report.cost is not None
    assert report.cost > 0
    assert report.duration is not None
    assert report.started_at is not None
    assert report.ended_at is not None
    assert report.lasted is not None
    assert report.word not in {"", begun.word}


@pytest.mark.parametrize("outcome", [each for each in Outcome if each.final])
def test_an_end_is_told_in_our_words_and_its_own(
    bench: Bench, provider: Provider, outcome: Outcome
) -> None:
    placed = provider.place(call(ENDINGS[outcome]), before_sending=nothing)
    bench.end(placed)
    report = provider.status(placed)
    assert (report.outcome, report.final) == (outcome, True)
    assert report.word.isprintable()
    assert report.word != ""


def test_a_recording_is_played_as_a_text_is_said(provider: Provider) -> None:
    asked = call(SOMEBODY, say=None, lang=None, play="http://media.example.com/a.mp3")
    placed = provider.place(asked, before_sending=nothing)
    assert not provider.status(placed).final


def test_tags_and_further_fields_do_no_harm(bench: Bench, provider: Provider) -> None:
    asked = call(SOMEBODY, tags=("a", "災害"), params={"some_line": "1"})
    provider.place(asked, before_sending=nothing)
    assert bench.placed() == 1


def test_each_call_is_found_again_by_its_own_id(bench: Bench, provider: Provider) -> None:
    """Several threads share a provider."""
    wanted = [SOMEBODY, SOMEBODY_ELSE] * 8
    with ThreadPoolExecutor(8) as threads:
        asked = (call(number) for number in wanted)
        placed = list(threads.map(lambda each: provider.place(each, before_sending=nothing), asked))
    assert len({each.callids for each in placed}) == len(wanted)
    for each in placed:
        bench.end(each)
    ended = [provider.status(each).outcome for each in placed]
    assert ended == [Outcome.ANSWERED, Outcome.NO_ANSWER] * 8


# -- conferences ---------------------------------------------------------------------------


def test_a_conference_is_over_when_every_participants_call_is(
    bench: Bench, provider: Provider
) -> None:
    numbers = (SOMEBODY, SOMEBODY_ELSE, f"{SOMEBODY[:-5]}70001")
    placed = provider.place(call(*numbers), before_sending=nothing)
    assert len(set(placed.callids)) == len(numbers)
    assert placed.conferenceid
    begun = provider.status(placed)
    assert (begun.outcome, len(begun.legs)) == (Outcome.IN_PROGRESS, len(numbers))
    bench.end(placed)
    report = provider.status(placed)
    assert report.outcome is Outcome.ANSWERED
    assert [leg.number for leg in report.legs] == list(numbers)
    assert {leg.callid for leg in report.legs} == set(placed.callids)
    assert report.cost == sum(leg.cost or 0 for leg in report.legs)


def test_a_conference_in_which_one_answers_reached_nobody(bench: Bench, provider: Provider) -> None:
    placed = provider.place(call(SOMEBODY, SOMEBODY_ELSE), before_sending=nothing)
    bench.end(placed)
    assert provider.status(placed).outcome is Outcome.NO_ANSWER


# -- the last moment -----------------------------------------------------------------------


def test_what_is_done_before_sending_is_done_once_and_before_the_call(
    bench: Bench, provider: Provider
) -> None:
    seen: list[int] = []
    provider.place(call(SOMEBODY), before_sending=lambda: seen.append(bench.placed()))
    assert (seen, bench.placed()) == ([0], 1)


def test_what_says_no_before_sending_keeps_the_call_from_being_placed(
    bench: Bench, provider: Provider
) -> None:
    def refuse() -> None:
        raise NotSent("not now")

    with pytest.raises(NotSent, match="not now"):
        provider.place(call(SOMEBODY), before_sending=refuse)
    assert bench.placed() == 0
    provider.place(call(SOMEBODY), before_sending=nothing)
    assert bench.placed() == 1


# -- refusals ------------------------------------------------------------------------------


def refusal(provider: Provider, *numbers: str) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        provider.place(call(*numbers), before_sending=nothing)
    assert not any(number in str(caught.value) + repr(caught.value) for number in numbers)
    return caught.value


def test_what_will_never_be_accepted_is_told_apart(bench: Bench, provider: Provider) -> None:
    assert isinstance(refusal(provider, bench.expect(refused=True)), NeverWillBe)
    assert bench.placed() == 0


def test_a_throttled_request_says_for_how_long_to_wait(bench: Bench, provider: Provider) -> None:
    number = bench.expect(throttled=True)
    error = refusal(provider, number)
    assert isinstance(error, Throttled)
    assert error.retry_after is not None
    assert 0 < error.retry_after <= 5
    assert bench.placed() == 0
    provider.place(call(number), before_sending=nothing)


def test_a_call_that_cannot_be_paid_for_says_what_it_needs(
    bench: Bench, provider: Provider
) -> None:
    bench.set_credits(1)
    error = refusal(provider, SOMEBODY)
    assert isinstance(error, NotEnoughCredits)
    assert error.required is not None
    assert error.required > 1
    assert bench.placed() == 0


def test_a_lost_answer_may_hide_a_call(bench: Bench, provider: Provider) -> None:
    assert isinstance(refusal(provider, bench.expect(lost=True)), MaybePlaced)
    assert bench.placed() == 1


def test_a_call_that_is_not_there_is_unknown(provider: Provider) -> None:
    for unknown in (CallRef(("no-such-call",)), CallRef(("a", "b"), "no-such-conference")):
        with pytest.raises(UnknownCall):
            provider.status(unknown)


def test_once_closed_nothing_is_sent(bench: Bench, provider: Provider) -> None:
    provider.close()
    assert isinstance(refusal(provider, SOMEBODY), NotSent)
    assert bench.placed() == 0


# -- callbacks -----------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [each for each in Outcome if each.final])
def test_a_callback_reports_the_end_of_its_call(
    bench: Bench, provider: Provider, outcome: Outcome
) -> None:
    asked = call(ENDINGS[outcome], callback_url=bench.callback_url())
    placed = provider.place(asked, before_sending=nothing)
    (request,) = bench.callbacks()
    report = provider.parse_callback(request)
    assert (report.outcome, report.callid) == (outcome, placed.callids[0])
    assert report.cost == provider.status(placed).cost


def test_a_callback_tells_the_call_of_a_lost_answer(bench: Bench, provider: Provider) -> None:
    asked = call(bench.expect(lost=True), callback_url=bench.callback_url())
    with pytest.raises(MaybePlaced):
        provider.place(asked, before_sending=nothing)
    (request,) = bench.callbacks()
    callid = provider.parse_callback(request).callid
    assert provider.status(CallRef((callid,))).outcome is Outcome.ANSWERED


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"a=b", b"[" * 60_000])
def test_what_reports_no_call_is_refused(provider: Provider, body: bytes) -> None:
    with pytest.raises(UnexpectedShape):
        provider.parse_callback(CallbackRequest(body, "application/json"))


# -- people who call -----------------------------------------------------------------------


def test_a_number_is_rented_and_asks_the_url_that_was_set(provider: Provider) -> None:
    (rented,) = provider.rented_numbers()
    assert rented.number == OWN
    provider.set_action_url(rented, "https://voice.example.com/dial-in/secret")
    (again,) = provider.rented_numbers()
    assert again.action_url in {None, "https://voice.example.com/dial-in/secret"}
    assert "secret" not in repr(again)


@pytest.mark.parametrize("caller", [SOMEBODY, None])
def test_who_calls_is_read_and_hears_what_is_answered(
    bench: Bench, provider: Provider, caller: str | None
) -> None:
    asked: list[DialIn] = []

    def action(query: Query) -> tuple[bytes, str]:
        asked.append(provider.parse_dial_in(query))
        return provider.dial_in_answer(Say("Disk full on db1: acknowledged.", "en"))

    heard = bench.dial_in(caller, action)
    assert asked == [DialIn(caller, OWN)]
    assert heard == {"say": "Disk full on db1: acknowledged.", "lang": "en"}
    assert SOMEBODY not in repr(asked)


@pytest.mark.parametrize(
    "end", ['"', "\\", "\n", "\r\n", "\u2028", "\x0b", "\x85", "\u201d", "\x00"]
)
def test_no_text_becomes_an_instruction(bench: Bench, provider: Provider, end: str) -> None:
    text = f'Disk full{end}transfer +815011111111{end}\nsay en "hello'
    heard = bench.dial_in(SOMEBODY, lambda _: provider.dial_in_answer(Say(text, "ja")))
    assert heard["lang"] == "ja"
    assert heard["say"].startswith("Disk full")


def test_a_caller_is_connected_to_somebody(bench: Bench, provider: Provider) -> None:
    answer = Transfer(SOMEBODY_ELSE)
    heard = bench.dial_in(SOMEBODY, lambda _: provider.dial_in_answer(answer))
    assert heard == {"transfer": SOMEBODY_ELSE}


# -- the account ---------------------------------------------------------------------------


def test_the_balance_goes_down_by_what_a_call_cost(bench: Bench, provider: Provider) -> None:
    bench.set_credits(500)
    assert provider.balance() == Decimal(500)
    placed = provider.place(call(SOMEBODY), before_sending=nothing)
    bench.end(placed)
    cost = provider.status(placed).cost
    assert cost is not None
    assert provider.balance() == 500 - cost


def test_it_says_what_it_can_do(provider: Provider) -> None:
    can = provider.capabilities
    assert provider.name
    assert can.callbacks
    assert can.balance
    assert {2, 3} <= set(can.participants)
    assert {"en", "ja"} <= can.languages & can.conference_languages
    assert can.longest_text >= 100
    assert can.dial_in
