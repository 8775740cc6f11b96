"""One job's turn: claim, ask the provider, write what became of it."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from dispatcher.job import Job
from dispatcher.policy import Decision, Policy, after_error, after_placing
from dispatcher.provider import ProviderError, VoiceClient
from dispatcher.request import Kind
from dispatcher.states import Reason, State
from dispatcher.store import Claim, Store
from workers.patience import persist


@dataclass(frozen=True, slots=True)
class Turn:
    """How a task left a job: its state (None: there is no such job), and why."""

    job_id: str
    state: State | None
    reason: str = ""
    why: str = ""


@dataclass(frozen=True)
class Dial:
    """Dials jobs. `lease` is in seconds and longer than any request may take."""

    store: Store
    provider: VoiceClient
    policy: Policy
    lease: float
    caller: str | None = None
    rng: random.Random = field(default_factory=random.Random)
    token: Callable[[], str] = lambda: uuid.uuid4().hex

    def __call__(self, job_id: str) -> Turn:
        """Dial a job, if it is its turn; a message that came twice or too late does nothing."""
        token = self.token()
        claim = persist(lambda: self.store.claim(job_id, token=token, lease=self.lease))
        if not isinstance(claim, Claim):
            return Turn(job_id, claim)
        decision = self._ask(claim.job)
        state = persist(lambda: self.store.settle(job_id, claim.attempt, decision))
        return Turn(job_id, state, decision.reason, decision.why)

    def _ask(self, job: Job) -> Decision:
        caller = job.caller or self.caller
        if caller is None:
            why = "no caller: give the job one, or set DISPATCHER_CALLER"
            return Decision(
                State.FAILED, Reason.INVALID_REQUEST, why, Reason.INVALID_REQUEST, spent=False
            )
        try:
            return after_placing(place(self.provider, job, caller), self.policy)
        except ProviderError as error:
            return after_error(error, job, self.policy, self.rng)


def place(provider: VoiceClient, job: Job, caller: str) -> dict[str, str]:
    """Ask the provider for a job's call; return the attempt's `callid`, and `conf` of a conference.

    Raises ProviderError, whose branch says whether a call may have been placed.
    """
    match job.kind:
        case Kind.CONFERENCE:
            made = provider.confer(caller=caller, participants=job.numbers, lang=job.lang)
            callids = ",".join(participant.callid for participant in made.participants)
            return {"callid": callids, "conf": made.conferenceid}
        case Kind.PLAYBACK:
            callid = provider.play(
                caller=caller, recipient=job.numbers[0], recording_url=job.play or "", tags=job.tags
            )
        case _:
            callid = provider.say(
                caller=caller,
                recipient=job.numbers[0],
                message=job.say or "",
                lang=job.lang or "",
                tags=job.tags,
            )
    return {"callid": callid}
