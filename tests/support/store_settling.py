"""Steps on a store beside its model: what comes back of claims, in time and late."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from dispatcher.model.call import CallReport
from dispatcher.policy import Decision, after_error, after_report
from dispatcher.provider import ProviderError
from dispatcher.store.calls import Answer
from dispatcher.store.values import Claim
from support.store_jobs import at, placed
from support.store_taking import Taking
from support.store_wishes import (
    ERRORS,
    FINAL,
    PICK,
    POLICY,
    REPORTS,
)

Decide = Callable[[Claim], Decision | None]
Word = str | ProviderError | CallReport
ANSWERS: st.SearchStrategy[Word] = st.sampled_from(["placed", *ERRORS, *REPORTS])
TOKENS = st.sampled_from([None, None, "", "another's"])
"""Whose claim it is an answer to: not said, its own, another's."""


class Settling(Taking):
    """Workers settle what the provider answers, by itself and many together."""

    @precondition(lambda self: self.claims)
    @rule(pick=PICK, twice=st.booleans())
    def place(self, pick: int, twice: bool) -> None:
        self.calls += 1
        self._settle(pick, lambda _: placed(f"call-{self.calls}"), twice)

    @precondition(lambda self: self.claims)
    @rule(pick=PICK, error=st.sampled_from(ERRORS), twice=st.booleans())
    def be_refused(self, pick: int, error: ProviderError, twice: bool) -> None:
        now = at(self.now)
        self._settle(
            pick, lambda claim: after_error(error, claim.job, POLICY, self.rng, now), twice
        )

    @precondition(lambda self: self.claims)
    @rule(pick=PICK, report=FINAL, twice=st.booleans())
    def be_reported(self, pick: int, report: CallReport, twice: bool) -> None:
        """By a callback: in time, late, before the worker's own answer, or after a rescue."""
        self._settle(pick, lambda claim: after_report(report, claim.job, POLICY), twice)

    @precondition(lambda self: self.claims)
    @rule(
        some=st.lists(st.tuples(PICK, ANSWERS, TOKENS), min_size=2, max_size=5),
        gone=st.sampled_from([None, None, 0, 1]),
        twice=st.booleans(),
    )
    def settle_many(
        self, some: list[tuple[int, Word, str | None]], gone: int | None, twice: bool
    ) -> None:
        """In one step: in time and late, of one claim more than once, of a job that is gone."""
        answers = [self._answer(*each) for each in some]
        if gone is not None:
            answers.insert(gone, Answer("nosuchjob", 1, placed("call-nobodys")))
        self._settle_many(answers)
        if twice:
            before = self.look()
            self._settle_many(answers)
            assert self.look() == before

    def _answer(self, pick: int, word: Word, whose: str | None) -> Answer:
        id_, claim = self._any_claim(pick)
        token = None if whose is None else whose or self.granted[id_][claim.attempt]
        return Answer(id_, claim.attempt, self._decide(word, claim), token=token)

    def _decide(self, word: Word, claim: Claim) -> Decision:
        if isinstance(word, ProviderError):
            return after_error(word, claim.job, POLICY, self.rng, at(self.now))
        if isinstance(word, CallReport):
            decision = after_report(word, claim.job, POLICY)
            assert decision is not None
            return decision
        self.calls += 1
        return placed(f"call-{self.calls}")

    def _settle_many(self, answers: list[Answer]) -> None:
        expected = [
            self.model.settle(each.id, each.attempt, each.decision, each.token or "")
            for each in answers
        ]
        assert self.store.calls.settle_many(answers) == expected

    def _settle(self, pick: int, decide: Decide, twice: bool) -> None:
        id_, claim = self._any_claim(pick)
        decision = decide(claim)
        assert decision is not None
        self._write(id_, claim.attempt, decision)
        if twice:
            before = self.look()
            self._write(id_, claim.attempt, decision)
            assert self.look() == before

    def _any_claim(self, pick: int) -> tuple[str, Claim]:
        """The newest come first: small picks are in time, large ones late."""
        return self.claims[-1 - pick % len(self.claims)]

    def _write(self, id_: str, attempt: int, decision: Decision) -> None:
        settled = self.model.settle(id_, attempt, decision)
        assert self.store.calls.settle(id_, attempt, decision) is settled.state
