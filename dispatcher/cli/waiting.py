"""`--wait`: waits until a job has ended, and says meanwhile why it has not."""

from __future__ import annotations

import time

import typer

from dispatcher.cli.moments import stamp
from dispatcher.cli.status import Status
from dispatcher.client.briefly import briefly
from dispatcher.client.dispatcher import JobHandle, NotFinished
from dispatcher.model.job import Job
from dispatcher.store.errors import StoreUnavailable
from dispatcher.values.masking import mask_text

LOOK_EVERY = 1.0
"""Seconds between looks at why it has not ended; the end itself is told at once."""
INTERRUPTED = 130


def ended(handle: JobHandle, timeout: float | None) -> Job:
    """Return the job when it has ended, or as it is after so many seconds: then that is said.

    Raises Exit where somebody pressed Ctrl-C, UnknownJob, StoreUnavailable.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        typer.echo(f"job {handle.id}: waiting until it has ended", err=True)
        with Status() as status:
            return _ended(handle, deadline, Reasons(status))
    except NotFinished as error:
        typer.echo(f"error: {mask_text(str(error))}", err=True)
        return error.job
    except KeyboardInterrupt:
        typer.echo(f"job {handle.id} {_at_last(handle)}", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _at_last(handle: JobHandle) -> str:
    """Return how a job goes on that nobody waits for any more, in words."""
    try:
        state = briefly(handle.refresh).state
    except StoreUnavailable as error:
        return f"continues as soon as Redis is back: {error}"
    except TimeoutError:
        return "continues as soon as Redis answers again"
    return f"is {state}; it continues"


class Reasons:
    """Says why a job has not ended: in one line that changes with it, or else in a line for each
    change of its state.
    """

    def __init__(self, status: Status) -> None:
        self._status = status
        self._told: tuple[str, ...] = ()

    def tell(self, words: str, *state: str) -> None:
        """Say it; without a terminal only if the state is another than was told last."""
        if self._status.moves:
            self._status.show(words)
        elif state != self._told:
            typer.echo(f"{stamp(time.time() * 1000)}  {words}", err=True)
        self._told = state


def _ended(handle: JobHandle, deadline: float | None, reasons: Reasons) -> Job:
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        try:
            return handle.wait(LOOK_EVERY if left is None else min(left, LOOK_EVERY))
        except NotFinished as error:
            if left is not None and left <= LOOK_EVERY:
                raise
            words = f"{error.state}: {mask_text(error.because)}"
            reasons.tell(words, error.state, error.hold_reason or "")
        except StoreUnavailable as error:
            if left is not None and left <= LOOK_EVERY:
                raise
            reasons.tell(f"waiting for Redis: {error}", "away")
            time.sleep(LOOK_EVERY)
