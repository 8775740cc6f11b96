"""The sandbox as a process of its own."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from dispatcher.cli.sandbox import app
from dispatcher.sandbox import CannotListen, SandboxOptions, create_app, running
from dispatcher.sandbox.__main__ import main
from support.sandbox_client import Client

COMMAND = [sys.executable, "-m", "dispatcher.sandbox"]


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [*COMMAND, *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as started:
        try:
            yield started
        finally:
            started.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_listens_in_one_line_and_stops_cleanly(number: signal.Signals) -> None:
    flags = "--rate 6000/min --credits 80 --ring 0 --latency 0.01 --seed 4 --sid me --token secret"
    with process("--port", "0", *flags.split()) as sandbox:
        assert sandbox.stdout is not None
        line = sandbox.stdout.readline()
        said = re.fullmatch(r"Provider sandbox listening on (http://127\.0\.0\.1:\d+)\n", line)
        assert said, line
        client = Client(said[1], ("me", "secret"))
        with client.session:
            assert client.callid() == "8b2821e9-6b44-4546-b85f-33c9868424f0"
            assert client.balance() == 70.0
            # Slow answers and callbacks under way do not keep it from stopping.
            client.callid(callbackurl="http://127.0.0.1:9/x")
        sandbox.send_signal(number)
        out, err = sandbox.communicate(timeout=30)
        assert (sandbox.returncode, out, err) == (0, "", "")


def test_a_port_in_use_is_one_clear_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with process("--port", str(port)) as sandbox:
            out, err = sandbox.communicate(timeout=30)
    assert (sandbox.returncode, out) == (1, "")
    assert err == (
        f"the sandbox cannot listen on 127.0.0.1:{port} (Address already in use):"
        " choose another address or port; port 0 takes any free one\n"
    )


@pytest.mark.parametrize("port", [70_000, -1])
def test_an_impossible_port_is_a_clear_sentence_too(port: int) -> None:
    with (
        pytest.raises(CannotListen, match=f"127.0.0.1:{port} .*choose another"),
        running(port=port),
    ):
        pytest.fail("it listens on a port that does not exist")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--ring", "-1"], "ring"),
        (["--rate", "x"], "argument --rate: rate is 'x': it must be"),
        (["--rate", "60/week"], "such as 60/min"),
        (["--rate", "0"], "rate is 0.0: it must be"),
        (["--what"], "--what"),
        (["--dial-in-number", "080"], "dial_in_numbers"),
    ],
)
def test_wrong_usage_is_exit_2_and_names_the_option(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert word in capsys.readouterr().err.splitlines()[-1]


def test_the_command_has_the_options_and_defaults_of_the_module(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    of_module = capsys.readouterr().out.partition("options:")[2]
    ran = CliRunner().invoke(app, ["--help"])
    assert (ran.exit_code, ran.stderr) == (0, "")
    assert ran.stdout.partition("options:")[2] == of_module
    assert "--credits-page" in of_module


def test_two_applications_share_nothing() -> None:
    first, second = SandboxOptions(seed=1), SandboxOptions(seed=1)
    assert create_app(first) is not create_app(second)
    with running(first) as one, running(second) as two:
        clients = Client(one), Client(two)
        with clients[0].session, clients[1].session:
            assert clients[0].callid() == clients[1].callid()
            assert len(clients[0].calls()) == 1


def test_the_token_is_not_in_the_options_repr() -> None:
    assert "hush" not in repr(SandboxOptions(token="hush"))
