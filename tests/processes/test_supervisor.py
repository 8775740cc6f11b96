"""The supervisor, with real processes: starts, restarts, ends in order, and leaves nothing."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from support.child_processes import PYTHON, SLEEPS, STUBBORN, TELLS
from support.polling import eventually
from workers.devstack import prefixed_log, supervisor
from workers.devstack.supervisor import Service, Supervisor, SupervisorError, restart_delay

PARENT = """
import subprocess, sys, time
child = subprocess.Popen(["sleep", "60"])
print("child", child.pid)
{then}
"""


class Clock:
    """Time that passes only when a test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


def runs(pid: int) -> bool:
    listing = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return bool(listing.stdout) and not listing.stdout.startswith("Z")


def python(name: str, code: str, *arguments: str, **options: object) -> Service:
    return Service(name, [*PYTHON, code, *arguments], **options)  # type: ignore[arg-type]


def ends(name: str, code: int, words: str = "") -> Service:
    return Service(name, ["sh", "-c", f"echo '{words}' >&2; exit {code}"])


def has_last(log: io.StringIO, line: str) -> bool:
    return log.getvalue().endswith(line)


def poll_until(running: Supervisor, condition: Callable[[], bool]) -> None:
    def look() -> bool:
        running.poll()
        return condition()

    assert eventually(look)


def test_the_delay_doubles_up_to_half_a_minute() -> None:
    assert [restart_delay(ends) for ends in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert restart_delay(10_000) == 30


def test_lines_are_prefixed_aligned_and_without_colour_in_a_file(log: io.StringIO) -> None:
    with Supervisor([python("beat", SLEEPS), python("gateway", SLEEPS)], log=log) as running:
        running.start()
        running.wait_line("beat", "up", 180)
        running.wait_line("gateway", "up", 180)
    lines = log.getvalue().splitlines()
    assert "beat    | up" in lines
    assert "gateway | up" in lines
    assert "\x1b" not in log.getvalue()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_a_terminal_gets_colours_unless_no_color_is_set(
    monkeypatch: pytest.MonkeyPatch, no_color: str, coloured: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", no_color)
    terminal = Terminal()
    with Supervisor([python("beat", SLEEPS)], log=terminal) as running:
        running.start()
        running.wait_line("beat", "up", 180)
    assert ("\x1b[36mbeat" in terminal.getvalue()) == coloured


def test_strange_bytes_and_very_long_lines_pass(log: io.StringIO) -> None:
    code = (
        "import os, time; os.write(1, b'\\xff\\xfe odd\\n' + b'x' * 1_000_000 + b'\\nlast\\n');"
        " time.sleep(60)"
    )
    with Supervisor([python("odd", code)], log=log) as running:
        running.start()
        running.wait_line("odd", "^last$", 180)
    assert "�� odd" in log.getvalue()
    assert log.getvalue().count("x") == 1_000_000


def test_a_log_that_nobody_reads_does_not_stop_a_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(prefixed_log, "_PATIENCE", 0.05)
    read_on, done = threading.Event(), tmp_path / "done"

    class Paused(io.StringIO):
        def write(self, text: str, /) -> int:
            read_on.wait(20)
            return super().write(text)

    code = "import sys, time\nfor _ in range(20_000): print('x' * 50)\nopen(sys.argv[1], 'w')\n"
    log = Paused()
    with Supervisor([python("loud", code + "time.sleep(60)", str(done))], log=log) as running:
        running.start()
        assert eventually(done.exists)
        read_on.set()
        poll_until(running, lambda: "lines were left out" in log.getvalue())


def test_a_broken_log_does_not_stop_a_process(tmp_path: Path) -> None:
    class Broken(io.StringIO):
        def write(self, _text: str, /) -> int:
            raise BrokenPipeError

    with Supervisor([python("beat", SLEEPS)], log=Broken()) as running:
        running.start()
        running.wait_line("beat", "up", 180)
        assert running.alive() == ["beat"]


def test_a_process_that_ends_is_started_again_after_a_growing_delay(log: io.StringIO) -> None:
    clock = Clock()
    with Supervisor([ends("worker", 1)], log=log, clock=clock) as running:
        running.start()
        for delay in (0.5, 1, 2):
            poll_until(running, lambda: running.pid("worker") is None)
            clock.now += delay - 0.01
            running.poll()
            assert running.pid("worker") is None, "too early"
            clock.now += 0.01
            running.poll()
            assert running.pid("worker")
    assert "worker ended (exit code 1) after 0 ms; starting it again in 2 s" in log.getvalue()


def test_one_that_hangs_is_ended_and_started_again(log: io.StringIO) -> None:
    """Killed where it does not end in the time that it has."""
    clock, hanging = Clock(), {"why": ""}
    service = python("worker", STUBBORN, hung=lambda _: hanging["why"], stop_timeout=8)
    with Supervisor([service], log=log, clock=clock) as running:
        running.start()
        running.wait_line("worker", "up", 180)
        first = running.pid("worker")
        clock.now += 5
        running.poll()
        assert running.pid("worker") == first
        hanging["why"] = "has been silent for 1 min"
        running.poll()  # it was looked for a moment ago
        assert "silent" not in log.getvalue()
        clock.now += 5
        running.poll()
        assert eventually(lambda: "has been silent for 1 min: ending it" in log.getvalue())
        clock.now += 5
        running.poll()
        assert running.alive() == ["worker"], "too early"
        clock.now += 5
        running.poll()
        poll_until(running, lambda: running.pid("worker") is None)
        assert "did not end: killed" in log.getvalue()
        hanging["why"] = ""
        clock.now += 1
        running.poll()
        assert running.pid("worker") not in {None, first}


def test_the_delay_starts_over_after_half_a_minute_of_work(log: io.StringIO) -> None:
    clock = Clock()
    with Supervisor([python("worker", SLEEPS)], log=log, clock=clock) as running:
        running.start()
        for lived, delay in ((1, "0.5 s"), (1, "1 s"), (30, "0.5 s")):
            clock.now += lived
            os.kill(running.pid("worker") or 0, signal.SIGKILL)
            poll_until(running, lambda: running.pid("worker") is None)
            said = f"starting it again in {delay}\n"
            assert eventually(partial(has_last, log, said))
            clock.now += 1
            running.poll()
    assert "signal 9: Killed" in log.getvalue()


def test_one_that_keeps_refusing_its_settings_stops_all_with_its_last_words(
    log: io.StringIO,
) -> None:
    clock = Clock()
    services = [python("other", SLEEPS), ends("worker", 2, "DISPATCHER_RATE_LIMIT: 'x' is no rate")]
    with Supervisor(services, log=log, clock=clock) as running:

        def refuse() -> bool:
            clock.now += 1
            running.poll()
            return False

        running.start()
        with pytest.raises(SupervisorError, match=r"worker refuses.*DISPATCHER_RATE_LIMIT"):
            eventually(refuse)
    assert log.getvalue().count("starting it again") == 4
    assert running.alive() == []


def test_refusals_count_only_in_a_row(log: io.StringIO, tmp_path: Path) -> None:
    clock, turn = Clock(), tmp_path / "turn"
    code = f"if [ -e {turn} ]; then rm {turn}; exit 1; else touch {turn}; exit 2; fi"
    with Supervisor([Service("worker", ["sh", "-c", code])], log=log, clock=clock) as running:
        running.start()

        def often() -> bool:
            clock.now += 30 if running.pid("worker") is None else 0
            return log.getvalue().count("(exit code 2)") > 6

        poll_until(running, often)


def test_the_end_of_an_essential_service_ends_all(log: io.StringIO) -> None:
    one = Service("main", ["sh", "-c", "echo no disk; exit 1"], essential=True)
    with Supervisor([python("other", SLEEPS), one], log=log) as running:
        running.start()
        with pytest.raises(SupervisorError, match=r"main ended \(exit code 1\).*no disk"):
            running.run()
    assert running.alive() == []


def test_a_command_that_does_not_exist_is_named_and_the_others_are_stopped(
    log: io.StringIO, token: str
) -> None:
    running = Supervisor(
        [python("first", SLEEPS, token), Service("second", ["no-such-command"])], log=log
    )
    with pytest.raises(SupervisorError, match=r"second: there is no command 'no-such-command'"):
        running.start()


def test_two_services_of_one_name_are_refused(log: io.StringIO) -> None:
    refused = pytest.raises(SupervisorError, match="two services are called 'a'")
    with Supervisor([ends("a", 0)], log=log) as running, refused:
        running.add(ends("a", 0))


def test_services_are_stopped_one_by_one_the_last_one_first(
    log: io.StringIO, tmp_path: Path, token: str
) -> None:
    order = tmp_path / "order"
    services = [python(name, TELLS, name, str(order), token) for name in ("a", "b", "c")]
    with Supervisor(services, log=log) as running:
        running.start()
        for service in services:
            running.wait_line(service.name, "up", 180)
    assert order.read_text().split() == ["c", "b", "a"]
    assert log.getvalue().index("c stopped") < log.getvalue().index("stopping b (SIGTERM, 10 s)")


def test_services_of_one_role_are_stopped_side_by_side(
    log: io.StringIO, tmp_path: Path, token: str
) -> None:
    order = tmp_path / "order"
    services = [python(name, TELLS, name, str(order), token, role="workers") for name in ("a", "b")]
    with Supervisor(services, log=log) as running:
        running.start()
        running.wait_line("a", "up", 180)
        running.wait_line("b", "up", 180)
    text = log.getvalue()
    assert max(text.index("stopping a"), text.index("stopping b")) < text.index("b stopped")
    assert sorted(order.read_text().split()) == ["a", "b"]


def test_one_that_ignores_the_signal_is_killed_after_its_time(log: io.StringIO, token: str) -> None:
    with Supervisor([python("deaf", STUBBORN, token, stop_timeout=0.2)], log=log) as running:
        running.start()
        running.wait_line("deaf", "up", 180)
        began = time.monotonic()
        running.stop()
        assert 0.2 <= time.monotonic() - began < 30  # it would sleep for 60
    assert "deaf killed: it did not stop within 0.2 s" in log.getvalue()


def test_a_service_can_be_stopped_by_another_signal(log: io.StringIO, token: str) -> None:
    code = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGQUIT])
print("up")
signal.sigwait([signal.SIGQUIT])
"""
    service = python("beat", code, token, stop_signal=signal.SIGQUIT)
    with Supervisor([service], log=log) as running:
        running.start()
        running.wait_line("beat", "up", 180)
    assert "beat stopped" in log.getvalue()


@pytest.mark.parametrize("then", ["time.sleep(60)", "sys.exit(1)"])
def test_what_a_process_started_goes_with_it(log: io.StringIO, then: str) -> None:
    with Supervisor([python("parent", PARENT.format(then=then))], log=log) as running:
        running.start()
        grandchild = int(running.wait_line("parent", r"child (\d+)", 180)[1])
        if "exit" in then:
            poll_until(running, lambda: "starting it again" in log.getvalue())
            assert eventually(lambda: not runs(grandchild)), "it would work beside the next one"
    assert eventually(lambda: not runs(grandchild))


def test_a_printed_line_can_be_waited_for_before_the_next_service_starts(
    log: io.StringIO,
) -> None:
    sandbox = python("sandbox", "print('listening on http://127.0.0.1:4711'); " + SLEEPS)
    with Supervisor([sandbox], log=log) as running:
        running.start()
        url = running.wait_line("sandbox", r"listening on (\S+)", 180)[1]
        running.add(python("worker", "import sys; print('for', sys.argv[1]); " + SLEEPS, url))
        assert running.wait_line("worker", "for (.*)", 180)[1] == "http://127.0.0.1:4711"


def test_a_line_that_does_not_come_is_an_error_with_the_last_one(log: io.StringIO) -> None:
    with Supervisor([python("sandbox", SLEEPS)], log=log) as running:
        running.start()
        running.wait_line("sandbox", "up", 180)
        with pytest.raises(SupervisorError, match="did not print 'listening'; its last line: up"):
            running.wait_line("sandbox", "listening", 0.1)


def test_every_line_is_handed_over_and_a_fault_there_does_no_harm(log: io.StringIO) -> None:
    seen: list[str] = []

    def hook(line: str) -> None:
        seen.append(line)
        raise RuntimeError("mine")

    service = python("beat", "print('one'); " + SLEEPS, on_line=hook)
    with Supervisor([service], log=log) as running:
        running.start()
        running.wait_line("beat", "up", 180)
    assert seen == ["one", "up"]
    assert "on_line failed: RuntimeError('mine')" in log.getvalue()


def test_ready_is_asked_until_it_says_so(log: io.StringIO) -> None:
    answers: list[bool | OSError] = [ConnectionRefusedError(), False, True]

    def ready() -> bool:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    with Supervisor([python("gateway", SLEEPS, ready=ready)], log=log) as running:
        running.start()
        running.wait_ready(10)
        assert answers == []


def test_who_does_not_get_ready_is_named(log: io.StringIO) -> None:
    never = python("gateway", SLEEPS, ready=lambda: False)
    with Supervisor([python("beat", SLEEPS), never], log=log) as running:
        running.start()
        with pytest.raises(SupervisorError, match="not ready: gateway"):
            running.wait_ready(0.2)


def test_a_chore_is_done_at_every_look(log: io.StringIO) -> None:
    looks: list[int] = []
    with Supervisor(log=log) as running:
        running.watch(lambda: looks.append(1))
        running.poll()
        running.poll()
    assert len(looks) == 2


def test_the_environment_is_given_whole(log: io.StringIO) -> None:
    code = "import os; print(sorted(n for n in os.environ if n in ('A', 'HOME'))); " + SLEEPS
    with Supervisor([python("beat", code, env={"A": "1"})], log=log) as running:
        running.start()
        running.wait_line("beat", r"^\['A'\]$", 180)


def test_secrets_in_commands_and_environments_stay_out_of_repr() -> None:
    service = Service("worker", ["run", "redis://:secret@h"], env={"TOKEN": "secret"})
    assert "secret" not in repr(service)


def test_the_first_signal_ends_run_and_gives_the_handlers_back(
    log: io.StringIO, token: str
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Supervisor([python("beat", SLEEPS, token)], log=log) as running:
        running.start()
        running.watch(lambda: os.kill(os.getpid(), signal.SIGTERM))
        running.run()
        assert running.stop_signal is signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_second_ctrl_c_kills_what_is_left_at_once(
    log: io.StringIO, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_ONE_PRESS", 0.0)

    def press_again() -> None:
        assert eventually(lambda: "stopping b" in log.getvalue())
        os.kill(os.getpid(), signal.SIGINT)

    person = threading.Thread(target=press_again)
    services = [python(name, STUBBORN, token, stop_timeout=60) for name in ("a", "b")]
    with Supervisor(services, log=log) as running:
        running.start()
        running.wait_line("a", "up", 180)
        running.wait_line("b", "up", 180)
        person.start()
        os.kill(os.getpid(), signal.SIGINT)
        running.run()
    person.join()
    assert "b killed after a second Ctrl-C" in log.getvalue()
    assert "a killed after a second Ctrl-C" in log.getvalue()


def test_a_ctrl_c_that_a_launcher_repeats_counts_once(log: io.StringIO, token: str) -> None:
    with Supervisor([python("beat", SLEEPS, token)], log=log) as running:
        running.start()
        running.wait_line("beat", "up", 180)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        running.run()
    assert "beat stopped" in log.getvalue()
