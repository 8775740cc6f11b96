"""The alarm of a process: looks whether people can be called, mails what changes, and pings.

Beat and the gateway each have one, so that either tells of the other's end.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections import deque
from collections.abc import Callable

from dispatcher.errors import DispatcherError
from dispatcher.model.process import Role
from dispatcher.store import Store
from dispatcher.store.stoppage import NEWS_LEASE, StoppageNews
from dispatcher.values.steady_clock import since_boot
from workers.alarm import words
from workers.alarm.mail import Mailer
from workers.alarm.pings import Pings
from workers.alarm.problem_log import ProblemLog
from workers.engine.calls_watch import CallsWatch

log = logging.getLogger(__name__)

LOOK_EVERY = 5.0
"""Seconds between two looks, and between two tries to send a mail."""
LOG_EVERY = 15.0
"""Seconds between two looks whose problems are logged."""
PING_EVERY = 60.0
"""Seconds between two pings, of all processes together."""


class Alarm:
    """`mailer` is None where nobody is to get mails."""

    def __init__(
        self,
        store: Store,
        role: Role,
        grace: float,
        mailer: Mailer | None,
        pings: Pings,
        *,
        steady: Callable[[], float] = since_boot,
    ) -> None:
        self._store, self._mailer, self._pings = store, mailer, pings
        self._told_by = f"{role.words} of voice-dispatcher on {socket.gethostname()}"
        self._own: deque[StoppageNews] = deque(maxlen=2)
        self.watch = CallsWatch(store, grace, self._own.append, steady)
        self.problems = ProblemLog(store)
        self._steady = steady
        self._pinged: dict[bool, float] = {}
        self._mail_again = 0.0
        self._failed: dict[str, str] = {}

    @property
    def ways(self) -> tuple[str, ...]:
        """By which it tells people, besides events and webhooks."""
        mail, ping = self._mailer is not None, self._pings.alive is not None
        return tuple(way for way, there in (("mail", mail), ("ping", ping)) if there)

    def start(self) -> None:
        """Begin, in threads that end with the process: a slow mail server delays no look."""
        often = (self.watch, self.mail, self.ping)
        for work, every in (*((each, LOOK_EVERY) for each in often), (self.problems, LOG_EVERY)):
            name = f"alarm-{getattr(work, '__name__', type(work).__name__)}"
            threading.Thread(target=_run, args=(work, every), name=name, daemon=True).start()

    def mail(self) -> bool:
        """Send what is to be told; return whether something was."""
        if self._mailer is None:
            return False
        if self._own:
            return self._mail_own(self._mailer)
        news = self._store.stoppage.take_news()
        if news is None or not self._mailed(self._mailer, news):
            return False  # its lease ends, and somebody tries again
        self._store.stoppage.news_told(news)
        return True

    def _mail_own(self, mailer: Mailer) -> bool:
        """Send what this process alone tells; after a failure again in a while, as for the rest: a
        password that is tried every few seconds locks its user out.
        """
        if self._steady() < self._mail_again:
            return False
        if not self._mailed(mailer, self._own[0]):
            self._mail_again = self._steady() + NEWS_LEASE
            return False
        self._own.popleft()
        return True

    def _mailed(self, mailer: Mailer, news: StoppageNews) -> bool:
        return self._done("mail", lambda: mailer(*words.mail(news, self._told_by)))

    def ping(self) -> bool:
        """Ping if it is time and nobody else has; return whether one arrived."""
        possible = self.watch.possible()
        url = self._pings.alive if possible else self._pings.failing
        if url is None or not self._may_ping(possible=possible):
            return False
        return self._done("ping", lambda: self._pings.send(possible=possible))

    def _may_ping(self, *, possible: bool) -> bool:
        """Whether it is time, and ours. Where Redis is away, each process pings as often: none
        knows of the others.
        """
        now, before = self._steady(), self._pinged.get(possible)
        if before is not None and now - before < PING_EVERY:
            return False
        try:
            ours = self._store.stoppage.take_ping(PING_EVERY, possible=possible)
        except DispatcherError:
            ours = True
        if ours:
            self._pinged[possible] = now
        return ours

    def _done(self, what: str, do: Callable[[], object]) -> bool:
        """Do it; log what goes wrong, once, and that it goes well again."""
        try:
            do()
        except DispatcherError as error:
            if self._failed.get(what) != str(error):
                log.error("%s", error)  # noqa: TRY400 - a sentence for people, no fault of the code
            self._failed[what] = str(error)
            return False
        if self._failed.pop(what, ""):
            log.warning("the %s arrives again", what)
        return True


def _run(work: Callable[[], object], every: float) -> None:
    ended = threading.Event()
    while not ended.wait(every):
        try:
            work()
        except DispatcherError as error:
            log.debug("%s", error)  # told of by the look
        except Exception:
            log.exception("the alarm failed; it goes on")
