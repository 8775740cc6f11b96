"""The main job once, on real parts: every way a call can go, each with the end it should have."""

from __future__ import annotations

import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TextIO

import requests
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from dispatcher.cli.job_output import STYLES, state_words
from dispatcher.client.dispatcher import Dispatcher
from dispatcher.errors import DispatcherError
from dispatcher.model.job import Job
from dispatcher.model.states import OnUncertain, Reason, State
from dispatcher.values.masking import mask_number
from workers.devstack.stack import Plan, Stack

ENDS_WITHIN = 60.0  # seconds for all jobs of a round; it takes about ten
PROMPT = {
    "DISPATCHER_CHECK_FIRST": "5",  # the callbacks are here before
    "DISPATCHER_CHECK_LONGEST": "1",
    "DISPATCHER_BACKOFF_FIRST": "0.5",
    "DISPATCHER_EVIDENCE_WINDOW": "3",
    "DISPATCHER_CREDIT_FLOOR": "50",
    "DISPATCHER_LOG_LEVEL": "INFO",
}
"""Waits that are minutes in earnest, cut short so that nobody has to sit through them."""
ENOUGH, TOO_LITTLE = 1000, 40

_serial = count(2300)


def number(behaviour: str) -> str:
    """Return a new number that the sandbox treats by its last four digits."""
    return f"+8180{next(_serial):04d}{behaviour}"


@dataclass
class Scene:
    """One way a call can go: what is asked for, and how it has to end.

    `calls` is how many calls the provider's own books must hold for the number.
    """

    title: str
    recipient: str
    end: State | None
    reason: str | None = None
    calls: int = 1
    options: dict[str, Any] = field(default_factory=dict)
    job: Job | None = None
    refusal: str = ""
    placed: int = 0

    @property
    def over(self) -> bool:
        """Whether nothing more happens to it."""
        return bool(self.refusal) or (self.job is not None and self.job.terminal)

    @property
    def fine(self) -> bool:
        """Whether it ended as it had to."""
        if self.end is None:
            return bool(self.refusal)
        if self.job is None:
            return False
        found = (self.job.state, self.job.reason, self.placed)
        return found == (self.end, self.reason, self.calls)


def first_round() -> list[Scene]:
    """Return the scenes that need nothing but the sandbox's numbers."""
    lost, unknown = State.FAILED, Reason.OUTCOME_UNKNOWN
    hold = {"on_uncertain": OnUncertain.HOLD}
    play = {"play": "http://example.com/hello.mp3", "at": 1}
    redial = {"redial": 2, "redial_after": 1}
    return [
        Scene("answered", number("0001"), State.COMPLETED, options={"priority": "urgent"}),
        Scene(
            "no answer, then redialled", number("0005"), State.COMPLETED, calls=2, options=redial
        ),
        Scene("nobody answers", number("0002"), State.FAILED, Reason.NO_ANSWER),
        Scene("the call fails", number("0003"), State.FAILED, Reason.CALL_FAILED),
        Scene("country not allowed", number("0012"), State.FAILED, Reason.NOT_ALLOWED, calls=0),
        Scene("throttled by the provider", number("0006"), State.COMPLETED),
        Scene("provider's answer lost", number("0009"), State.COMPLETED, options=hold),
        Scene("provider fails but calls", number("0008"), State.COMPLETED, options=hold),
        Scene("provider fails, calls nobody", number("0007"), lost, unknown, calls=0, options=hold),
        Scene("recording, a second later", number("0001"), State.COMPLETED, options=play),
        Scene("invalid number", "+8108023000001", None, calls=0),
    ]


def second_round() -> list[Scene]:
    """Return the scenes that meet an account without credit, which is topped up later."""
    return [
        Scene(f"no credit, then topped up ({n} of 3)", number("0001"), State.COMPLETED)
        for n in (1, 2, 3)
    ]


class Demo:
    """Runs the stack, plays the scenes, shows them, and says whether all went as it should.

    `ring` is in seconds. The processes' log goes to `log`, or nowhere.
    """

    def __init__(self, *, ring: float, workers: int, log: Path | None) -> None:
        self.ring, self.workers, self.log = ring, workers, log
        self.console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
        self.scenes: list[Scene] = []
        self._auth = ("demo", secrets.token_urlsafe(12))

    def run(self) -> bool:
        """Play it all once; True if every scene ended as it had to."""
        with tempfile.TemporaryDirectory(prefix="voice-dispatcher-demo-") as folder:
            log: TextIO = (self.log or Path(folder, "log")).open("w")
            with log, Stack(self._plan(), Path(folder), log=log) as stack:
                self._say(
                    "[bold]Stack is up:[/bold] Redis, sandbox, workers, beat, gateway, Flower"
                )
                self._say(f"gateway {stack.gateway_url}")
                self._say(f"Flower  {stack.flower_url}\nsandbox {stack.sandbox_url}")
                self._play(stack)
                return self._summary(stack)

    def _plan(self) -> Plan:
        flower = {"DISPATCHER_FLOWER_AUTH": ":".join(self._auth), "DISPATCHER_FLOWER_API": "true"}
        settings = {**PROMPT, **flower}
        arguments = (f"--ring={self.ring}", f"--credits={ENOUGH}", "--seed=1")
        return Plan(
            workers=self.workers, sandbox=True, sandbox_arguments=arguments, settings=settings
        )

    def _say(self, text: str) -> None:
        self.console.print(text)

    def _play(self, stack: Stack) -> None:
        dispatcher = stack.dispatcher("demo")
        with Live(self._table(), console=self.console, auto_refresh=False) as live:
            stack.supervisor.watch(lambda: self._look(dispatcher, live))
            self._round(
                stack, dispatcher, first_round(), lambda scenes: all(s.over for s in scenes)
            )
            sandbox = f"{stack.sandbox_url}/_sandbox/credits"
            requests.post(sandbox, json={"credits": TOO_LITTLE}, timeout=5).raise_for_status()
            poor = second_round()
            self._round(stack, dispatcher, poor, lambda scenes: all(_held(s) for s in scenes))
            requests.post(sandbox, json={"credits": ENOUGH}, timeout=5).raise_for_status()
            self._until(stack, lambda: all(s.over for s in poor))
            self._look(dispatcher, live)

    def _round(
        self,
        stack: Stack,
        dispatcher: Dispatcher,
        scenes: list[Scene],
        done: Callable[[list[Scene]], bool],
    ) -> None:
        self.scenes += scenes
        for scene in scenes:
            self._ask(dispatcher, scene)
        self._until(stack, lambda: done(scenes))

    def _ask(self, dispatcher: Dispatcher, scene: Scene) -> None:
        what: dict[str, Any] = {"tags": ["demo"], **scene.options}
        if "play" not in what:
            what["say"] = "This is the voice dispatcher's demo."
        try:
            handle = dispatcher.call(scene.recipient, **what)
            scene.job = handle.refresh()
        except DispatcherError as error:
            scene.refusal = str(error)

    def _until(self, stack: Stack, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + ENDS_WITHIN
        while not done() and time.monotonic() < deadline:
            stack.supervisor.tick()

    def _look(self, dispatcher: Dispatcher, live: Live) -> None:
        open_scenes = [scene for scene in self.scenes if scene.job and not scene.over]
        for scene in open_scenes:
            scene.job = dispatcher.job(scene.job.id) if scene.job else None
        live.update(self._table(), refresh=live.is_started and self.console.is_terminal)

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("what", "number", "state", "provider says", "attempts", "right"):
            table.add_column(column, no_wrap=True)
        for scene in self.scenes:
            table.add_row(*self._row(scene))
        return table

    def _row(self, scene: Scene) -> list[str | Text]:
        masked = mask_number(scene.recipient)
        if scene.job is None:
            return [
                scene.title,
                masked,
                Text("refused when enqueued", style="yellow"),
                "",
                "0",
                "yes",
            ]
        job = scene.job
        attempts = ", ".join(attempt.result or "…" for attempt in job.attempts)
        verdict = "" if not scene.over else "yes" if self._ended_right(scene) else "NO"
        return [
            scene.title,
            masked,
            Text(state_words(job), STYLES.get(job.state, "")),
            job.outcome or "",
            attempts,
            verdict,
        ]

    def _ended_right(self, scene: Scene) -> bool:
        return scene.job is not None and (scene.job.state, scene.job.reason) == (
            scene.end,
            scene.reason,
        )

    def _summary(self, stack: Stack) -> bool:
        self._read_books(stack)
        wrong = [scene for scene in self.scenes if not scene.fine]
        called_twice = sum(scene.placed > scene.calls for scene in self.scenes)
        right = len(self.scenes) - len(wrong)
        self._say(f"\n{right} of {len(self.scenes)} ended as expected")
        self._say(f"People called too often, as the provider counts: {called_twice}")
        self._say(self._flower(stack))
        for scene in self.scenes:
            if scene.refusal:
                self._say(f"refused when enqueued: {scene.refusal}")
        for scene in wrong:
            found = scene.job and (scene.job.state, scene.job.reason, scene.placed)
            self._say(
                f"[red]{scene.title}: {found}, not {(scene.end, scene.reason, scene.calls)}[/red]"
            )
        return not wrong

    def _read_books(self, stack: Stack) -> None:
        answer = requests.get(f"{stack.sandbox_url}/_sandbox/calls", timeout=5)
        answer.raise_for_status()
        called = Counter(call["recipient"] for call in answer.json())
        for scene in self.scenes:
            scene.placed = called[scene.recipient]

    def _flower(self, stack: Stack) -> str:
        answer = requests.get(f"{stack.flower_url}/api/tasks", auth=self._auth, timeout=10)
        answer.raise_for_status()
        seen = Counter((task["name"], task["state"]) for task in answer.json().values())
        dials = {state: n for (name, state), n in seen.items() if name == "dispatcher.dial"}
        words = ", ".join(f"{n} {state}" for state, n in sorted(dials.items()))
        return f"Flower saw {sum(dials.values())} dials: {words}"


def _held(scene: Scene) -> bool:
    return scene.job is not None and scene.job.hold_reason == Reason.CREDIT
