"""The real commands as real processes, in folders and environments of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, Self, TypeVar

import requests

from dispatcher import Dispatcher
from dispatcher.model.job import Job
from dispatcher.sandbox import SandboxOptions
from support.forked import VOICE_DISPATCHER, Forked, run
from support.polling import eventually
from support.redis_inside import redis_of
from support.started import Started

ROOT = Path(__file__).resolve().parents[2]
CALLER = "+815011119999"
TOKEN = "t0kenOfTheAccount"
FLOWER_AUTH = ("user", "w0rdForFlower")
FLOWER_API = {
    "DISPATCHER_FLOWER_AUTH": ":".join(FLOWER_AUTH),
    "DISPATCHER_FLOWER_API": "true",
}
"""For stacks whose Flower is asked by a program."""
WEBHOOK_SECRET = "whsec_c2VjcmV0LW9mLTI0LWJ5dGVzLWF0LWxlYXN0"
QUICK = {
    "DISPATCHER_WEBHOOK_SECRET": WEBHOOK_SECRET,
    "DISPATCHER_WEBHOOK_ALLOW_PRIVATE": "127.0.0.0/8",
    "DISPATCHER_WEBHOOK_ALLOW_PRIVATE_JOBS": "127.0.0.0/8",
    "DISPATCHER_CALLER": CALLER,
    "DISPATCHER_CHECK_FIRST": "0.5s",
    "DISPATCHER_RATE_LIMIT": "100",
    "DISPATCHER_RECIPIENT_GAP": "0",
    "DISPATCHER_RECIPIENT_PER_DAY": "none",
    "DISPATCHER_RECIPIENT_ONE_AT_A_TIME": "false",
    "DISPATCHER_CHECK_LONGEST": "1s",
    "DISPATCHER_BACKOFF_FIRST": "0.3s",
    "DISPATCHER_EVIDENCE_WINDOW": "2s",
}
"""Waits that are minutes in earnest, cut short."""
STARTS_WITHIN = 240.0  # seconds; several stacks start at once, on a slow machine
STOPS_WITHIN = 60.0

T = TypeVar("T")
_serial = count(5000)
NUMBERS: list[str] = []
"""Every number that was called so far."""
SAY = "The wombats are loose."
CALL_QUEUE = "vd.call"
"""Where other services send `dispatcher.call`."""


def number(behaviour: str) -> str:
    """Return a number that no other test calls; the sandbox goes by its last four digits."""
    made = f"+8180{next(_serial):04d}{behaviour}"
    NUMBERS.append(made)
    return made


def numbers(behaviour: str, many: int) -> list[str]:
    return [number(behaviour) for _ in range(many)]


def environment(home: Path, **variables: str) -> dict[str, str]:
    """Return PATH and the given variables; HOME marks every process that comes of it."""
    path = os.environ.get("PATH", os.defpath)
    return {"PATH": path, "HOME": str(home), "LC_ALL": "C.UTF-8", **variables}


def processes_of(home: Path) -> dict[int, str]:
    """Return the command lines of all processes whose environment has this HOME."""
    mark = b"HOME=" + os.fsencode(home)
    found = {}
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdecimal() and mark in (folder / "environ").read_bytes().split(b"\0"):
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found[int(folder.name)] = line.strip()
        except OSError:
            continue  # it has ended, or is another user's
    return found


class Sandbox:
    """The control endpoints of a running sandbox."""

    def __init__(self, url: str) -> None:
        self.url = url

    def books(self) -> Counter[str]:
        """How often each number was called, by the provider's own books."""
        return Counter(call["recipient"] for call in self.calls())

    def calls(self) -> list[dict[str, Any]]:
        """Return every call that was placed, with what became of its callback."""
        found: list[dict[str, Any]] = self._get("calls")
        return found

    def credits(self, balance: float) -> None:
        self._post("credits", {"credits": balance})

    def top_up(self, credits_: float) -> None:
        self._post("credits", {"add": credits_})

    def stats(self) -> Any:
        return self._get("stats")

    def placed(self) -> int:
        return int(self.stats()["calls"]["placed"])

    def answered(self, status: int) -> int:
        """How many requests were answered so."""
        return int(self.stats()["requests"]["by_status"].get(str(status), 0))

    def options(self, **changes: Any) -> None:
        self._post("options", changes)

    def _get(self, what: str) -> Any:
        answer = requests.get(f"{self.url}/_sandbox/{what}", timeout=180)
        answer.raise_for_status()
        return answer.json()

    def _post(self, what: str, body: dict[str, Any]) -> None:
        requests.post(f"{self.url}/_sandbox/{what}", json=body, timeout=180).raise_for_status()


class OwnSandbox(Sandbox):
    """A sandbox in a process of its own, so that its books outlive an `up`."""

    def __init__(self, *arguments: str, token: str = "") -> None:
        self.token = token or SandboxOptions().token
        argv = [sys.executable, "-m", "dispatcher.sandbox", "--credits=1000000", *arguments]
        self._process = Forked(
            [*argv, f"--token={self.token}"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        super().__init__(self._process.stdout.readline().split()[-1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            self._process.terminate()

    @property
    def account(self) -> dict[str, str]:
        """The environment of those who call through it."""
        return {
            "XOXZO_API_HOST": self.url,
            "XOXZO_API_SID": SandboxOptions().sid,
            "XOXZO_API_AUTH_TOKEN": self.token,
        }


class Up(Started):
    """`voice-dispatcher up` in a folder. Use it in a `with` block: nothing may be left after it.

    Its processes are forked, except where their `start` is a part of what is tested: Popen then.
    """

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        start: type[subprocess.Popen[Any]] = Forked,
        **variables: str,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.arguments, self._popen = folder, arguments, start
        self.environment = environment(folder, **variables)
        self.log_file = folder / "log"

    def __exit__(self, *_: object) -> None:
        if self._process:
            self.stop()
        self._forget()

    def start(self) -> None:
        with self.log_file.open("ab") as log:
            self._process = self._popen(
                [VOICE_DISPATCHER, "up", *self.arguments],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_until_up(self) -> None:
        eventually(
            lambda: self.announcement.exists() or self.exit_code is not None,
            f"up in {self.folder}",
            STARTS_WITHIN,
        )
        assert self.exit_code is None, self.log
        if self.announced["sandbox_url"]:
            self.sandbox.credits(1_000_000)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send the signal and return the exit code; whatever comes of it, no process is left."""
        process, self._process = self._process, None
        assert process
        process.send_signal(number)
        try:
            code = process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait()
            raise AssertionError(f"up did not end within {STOPS_WITHIN:g} s:\n{self.log}") from None
        finally:
            self._forget()
        self.assert_nothing_left()
        return code

    def assert_nothing_left(self) -> None:
        eventually(lambda: not processes_of(self.folder), "no process is left", STOPS_WITHIN)

    def cli(self, *argv: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command as in a second terminal, in the folder of this `up`."""
        return run(
            [VOICE_DISPATCHER, *argv],
            cwd=self.folder,
            env=environment(self.folder),
            timeout=timeout,
        )

    def json(self, *argv: str) -> Any:
        """Return what a command prints with --json; its exit code must be 0."""
        done = self.cli(*argv, "--json")
        assert done.returncode == 0, f"{argv}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    @property
    def exit_code(self) -> int | None:
        return self._process.poll() if self._process else None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def pid_of(self, role: str) -> int:
        """Return the process of a role (dial, call-task, beat) as soon as there is one."""
        word = f" workers.run {role}"
        return eventually(
            lambda: next((p for p, line in processes_of(self.folder).items() if word in line), 0),
            f"a process of {role}",
            STARTS_WITHIN,
        )

    @property
    def announcement(self) -> Path:
        return self.folder / ".voice-dispatcher" / "up.json"

    @property
    def announced(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.announcement.read_text())
        return found

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    @property
    def redis_url(self) -> str:
        return str(self.announced["redis_url"])

    @cached_property
    def dispatcher(self) -> Dispatcher:
        return Dispatcher.from_url(
            self.redis_url,
            broker_url=self.announced["broker_url"],
            namespace=self.announced["namespace"],
        )

    @cached_property
    def sandbox(self) -> Sandbox:
        return Sandbox(self.announced["sandbox_url"])

    def enqueue(self, recipients: Iterable[str], **options: Any) -> list[str]:
        """Enqueue a call to each; return the jobs' ids."""
        fields = {"say": SAY, **options}
        rows = ({"recipient": each, **fields} for each in recipients)
        bulk = self.dispatcher.call_many(rows).collect()
        assert not bulk.refused
        return [handle.id for handle in bulk.jobs]

    def ended(self, ids: list[str], within: float) -> list[Job]:
        """Return the jobs when all have ended."""

        def open_ones() -> list[Job | None]:
            return [
                job
                for job in self.dispatcher.store.jobs.get_many(ids)
                if not job or not job.terminal
            ]

        try:
            eventually(lambda: not open_ones(), "all jobs have ended", within)
        except AssertionError as error:
            raise AssertionError(f"{error}: {open_ones()[:3]}\n{self.log[-5000:]}") from None
        return [self.dispatcher.job(id_) for id_ in ids]

    def _forget(self) -> None:
        """Close connections to what has gone."""
        for name in ("dispatcher", "sandbox"):
            gone = self.__dict__.pop(name, None)
            if isinstance(gone, Dispatcher):
                redis_of(gone.store).close()


@dataclass(frozen=True)
class Stage:
    """A stack with Flower, its sandbox, and the ways to both."""

    up: Up
    sandbox: Sandbox
    flower: requests.Session
