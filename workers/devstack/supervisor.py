"""Several processes in the foreground: one log, new ones for those that die, an end in order."""

from __future__ import annotations

import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import groupby
from types import FrameType
from typing import Any, Self, TextIO, TypeVar

from dispatcher.errors import DispatcherError
from dispatcher.values.durations import spoken
from workers.devstack.child import Child, Service, how_ended
from workers.devstack.prefixed_log import PrefixedLog

__all__ = ["Service", "StopRequested", "Supervisor", "SupervisorError", "restart_delay"]

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
STEADY = 30.0  # seconds: who ran that long did not fail to start
REFUSAL_CODES = frozenset({2, 126, 127})  # wrong usage or settings; not executable; not found
MOST_REFUSALS = 5
_TICK = 0.05  # seconds between two looks at the children
_ONE_PRESS = 0.5  # seconds: launchers repeat the terminal's Ctrl-C; a person is slower
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

T = TypeVar("T")


class SupervisorError(DispatcherError):
    """The processes cannot run together; the message holds the failed one's own last words."""


class StopRequested(DispatcherError):
    """A signal asked for the end while something was being waited for."""


def restart_delay(quick_ends: int) -> float:
    """Return the seconds until the next start after so many quick ends before this one."""
    return min(FIRST_DELAY * 2.0 ** min(quick_ends, 16), LONGEST_DELAY)


class Supervisor:
    """Runs services until a signal, then stops them, the last one first.

    Use it in a `with` block, in the main thread: from there on Ctrl-C, SIGTERM and SIGHUP only
    ask for the end, `add` and the waits raise StopRequested, the block swallows it, and its end
    stops every process. A second Ctrl-C kills what is left at once. Should the supervisor itself
    be killed, the reaper stops its children.

    `clock` (seconds) times restarts, `pause` is the sleep between two looks. A stopped supervisor
    is not started again.
    """

    def __init__(
        self,
        services: Iterable[Service] = (),
        *,
        log: TextIO = sys.stderr,
        name: str = "up",
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self.stop_signal: signal.Signals | None = None
        self._log = PrefixedLog(log)
        self._log.add(name, "bold")
        self._clock, self._pause = clock, pause
        self._children: list[Child] = []
        self._chores: list[Callable[[], object]] = []
        self._handlers: dict[int, Any] = {}
        self._started = self._stopped = self._hurry = False
        self._asked_at = 0.0
        for service in services:
            self.add(service)

    def __enter__(self) -> Self:
        self._take_signals()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self.stop()
        return kind is StopRequested

    def say(self, line: str) -> None:
        """Write a line of the supervisor's own to the log."""
        self._log.write(self.name, line)

    def add(self, service: Service) -> None:
        """Append a service, and start it if the others are.

        Raises SupervisorError for a name that is taken or a command that does not exist.
        """
        if any(child.service.name == service.name for child in self._children):
            raise SupervisorError(f"two services are called {service.name!r}: rename one")
        self._log.add(service.name)
        child = Child(service, self._log)
        self._children.append(child)
        if self._started:
            self._start(child)

    def watch(self, chore: Callable[[], object]) -> None:
        """Call `chore` at every look at the children, to keep something else alive."""
        self._chores.append(chore)

    def start(self) -> None:
        """Start the services in their order; if that fails, none is left running."""
        self._take_signals()
        self._started = True
        try:
            for child in self._children:
                self._start(child)
        except BaseException:
            self.stop()
            raise

    def run(self) -> None:
        """Keep the services running until a signal asks for the end.

        Raises SupervisorError when an essential one ends, or one keeps refusing to start.
        """
        with suppress(StopRequested):
            while True:
                self.tick()

    def poll(self) -> None:
        """Look at every child once: start again those that have ended and waited enough."""
        for child in self._children:
            self._tend(child)
        for chore in self._chores:
            chore()

    def alive(self) -> list[str]:
        """Return the names of the services whose process runs now."""
        return [child.service.name for child in self._children if child.alive]

    def pid(self, name: str) -> int | None:
        """Return a service's process id, None while it waits for its next start."""
        return self._named(name).pid

    def wait_line(self, name: str, pattern: str, timeout: float) -> re.Match[str]:
        """Return the match in the first line a service prints, or has printed, that has one.

        Raises SupervisorError after `timeout` seconds, StopRequested on a signal.
        """
        child, wanted = self._named(name), re.compile(pattern)
        return self._until(
            lambda: child.find(wanted),
            timeout,
            lambda: f"{name} did not print {pattern!r}; its last line: {child.last_words()}",
        )

    def wait_ready(self, timeout: float) -> None:
        """Wait until every service is ready, or for those that cannot say, alive.

        Raises SupervisorError after `timeout` seconds, StopRequested on a signal.
        """
        self._until(lambda: not self._unready(), timeout, self._why_unready)

    def stop(self) -> None:
        """Stop the services, the last one first; nothing of them is left behind."""
        if self._stopped:
            return
        self._stopped = True
        if self.alive():
            self.say("stopping; press Ctrl-C again to kill what is left")
        try:
            for _, batch in groupby(reversed(self._children), key=_role):
                self._stop_together(list(batch))
        finally:
            for child in self._children:
                child.finish()
            self._give_signals_back()
            self._log.close()

    def _start(self, child: Child) -> None:
        self._heed()
        name, command = child.service.name, child.service.argv[0]
        if not shutil.which(command):
            raise SupervisorError(f"{name}: there is no command {command!r}; install it")
        self._launch(child)

    def _launch(self, child: Child) -> None:
        try:
            child.start(self._clock())
        except OSError as error:
            raise SupervisorError(f"{child.service.name} cannot be started: {error}") from error

    def _heed(self) -> None:
        if self.stop_signal:
            raise StopRequested(f"{self.stop_signal.name} received")

    def tick(self) -> None:
        """Look once, and rest a moment. Raises StopRequested on a signal, and as `run` does."""
        self._heed()
        self.poll()
        self._pause(_TICK)

    def _until(self, look: Callable[[], T | None], timeout: float, why: Callable[[], str]) -> T:
        deadline = time.monotonic() + timeout
        while not (found := look()):
            if time.monotonic() > deadline:
                raise SupervisorError(f"after {spoken(timeout)}: {why()}")
            self.tick()
        return found

    def _tend(self, child: Child) -> None:
        if child.restart_at is not None:
            if self._clock() >= child.restart_at:
                self._launch(child)
            return
        code = child.exit_code()
        if code is not None:
            child.finish()
            self._ended(child, code)
        elif said := child.end_if_hung(self._clock()):
            self.say(f"{child.service.name} {said}")

    def _ended(self, child: Child, code: int) -> None:
        """Decide what follows the end of a process."""
        ran = self._clock() - child.started_at
        what = f"{child.service.name} ended ({how_ended(code)}) after {spoken(ran)}"
        if child.service.essential:
            raise SupervisorError(f"{what}: {child.last_words()}")
        if ran >= STEADY:
            child.quick_ends = child.refusals = 0
        child.refusals = child.refusals + 1 if code in REFUSAL_CODES else 0
        if child.refusals >= MOST_REFUSALS:
            raise SupervisorError(f"{child.service.name} refuses to start: {child.last_words()}")
        delay = restart_delay(child.quick_ends)
        child.quick_ends += 1
        child.restart_at = self._clock() + delay
        self.say(f"{what}; starting it again in {delay:g} s")

    def _stop_together(self, batch: list[Child]) -> None:
        running = [child for child in batch if child.alive]
        for child in running:
            service = child.service
            self.say(
                f"stopping {service.name} ({service.stop_signal.name}, {service.stop_timeout:g} s)"
            )
            child.ask_to_stop()
        asked_at = time.monotonic()
        while running := [each for each in running if not self._over(each, asked_at)]:
            time.sleep(_TICK / 5)

    def _over(self, child: Child, asked_at: float) -> bool:
        """End a child that has stopped, or has used up its time; say which."""
        service = child.service
        if not child.alive:
            self.say(f"{service.name} stopped")
        elif self._hurry:
            self.say(f"{service.name} killed after a second Ctrl-C")
        elif time.monotonic() - asked_at >= service.stop_timeout:
            self.say(f"{service.name} killed: it did not stop within {service.stop_timeout:g} s")
        else:
            return False
        child.finish()
        return True

    def _unready(self) -> list[str]:
        return [child.service.name for child in self._children if not child.ready()]

    def _why_unready(self) -> str:
        return f"not ready: {', '.join(self._unready())}"

    def _named(self, name: str) -> Child:
        for child in self._children:
            if child.service.name == name:
                return child
        raise SupervisorError(f"no service is called {name!r}: add it first")

    def _take_signals(self) -> None:
        if self._handlers or threading.current_thread() is not threading.main_thread():
            return  # only the main thread may; elsewhere the owner calls stop()
        for number in _SIGNALS:
            # nohup stays nohup; but shells start background jobs with SIGINT ignored, and whoever
            # sends it to one of those by its id means it.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                self._handlers[number] = signal.signal(number, self._on_signal)

    def _give_signals_back(self) -> None:
        while self._handlers:
            signal.signal(*self._handlers.popitem())

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Only take a note: whatever runs now ends in order."""
        now = time.monotonic()
        if self.stop_signal is None:
            self.stop_signal, self._asked_at = signal.Signals(number), now
        elif number == signal.SIGINT and now - self._asked_at > _ONE_PRESS:
            self._hurry = True


def _role(child: Child) -> str:
    return child.service.role or child.service.name
