"""The embedded server: a real Redis, its folder, its port and its end."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from support.polling import eventually
from workers.devstack import embedded_server
from workers.devstack.embedded_server import EmbeddedServer, EmbeddedServerError, PortInUse


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path / "redis") as running:
        yield running


def ask(server: EmbeddedServer, *command: str) -> object:
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        return client.execute_command(*command)


def gone(pid: int) -> bool:
    """Also true of one that ended and that nobody has collected."""
    listing = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return not listing.stdout or listing.stdout.startswith("Z")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_data_survives_a_stop_and_a_start_under_the_same_url(server: EmbeddedServer) -> None:
    url = server.url
    ask(server, "SET", "job", "1")
    server.restart()
    assert server.url == url
    assert ask(server, "GET", "job") == "1"


def test_data_survives_a_crash_of_the_server(server: EmbeddedServer) -> None:
    ask(server, "SET", "job", "1")
    server.kill()
    server.start()
    assert ask(server, "GET", "job") == "1"


def test_another_object_on_the_folder_has_the_same_url(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path) as first:
        url = first.url
    with EmbeddedServer(tmp_path) as second:
        assert second.url == url


def test_the_last_port_is_given_up_when_another_process_has_taken_it(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path) as first:
        last = first.port
    with socket.create_server(("127.0.0.1", last or 0)), EmbeddedServer(tmp_path) as second:
        assert second.port != last
        assert ask(second, "PING")


def test_it_keeps_every_write_and_evicts_nothing(server: EmbeddedServer) -> None:
    wanted = {"appendonly": "yes", "maxmemory-policy": "noeviction", "save": ""}
    for name, value in wanted.items():
        assert ask(server, "CONFIG", "GET", name) in ([name, value], {name: value})


def test_appendfsync_can_be_chosen(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path, appendfsync="always") as server:
        assert "always" in str(ask(server, "CONFIG", "GET", "appendfsync"))


def test_nobody_gets_in_without_the_password(server: EmbeddedServer) -> None:
    with (
        redis.Redis(port=server.port or 0, retry=Retry(NoBackoff(), 0)) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def test_the_password_is_the_owners_alone(server: EmbeddedServer) -> None:
    password = (server.folder / "password").read_text()
    assert len(password) >= 32
    assert mode(server.folder) == 0o700
    assert mode(server.folder / "password") == mode(server.folder / "redis.conf") == 0o600
    assert password not in repr(server)
    assert server.process
    assert password not in str(server.process.args)


def test_an_open_folder_is_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "redis"
    folder.mkdir(mode=0o755)
    with EmbeddedServer(folder):
        assert mode(folder) == 0o700


def test_a_folder_name_with_spaces_quotes_and_accents_works(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / 'a "b\\ é') as server:
        assert ask(server, "PING")
        assert (server.folder / "redis.log").exists()


def test_a_second_server_on_the_folder_is_refused_with_the_pid_of_the_first(
    server: EmbeddedServer,
) -> None:
    assert server.process
    with pytest.raises(EmbeddedServerError, match=rf"in use .*pid {server.process.pid}"):
        EmbeddedServer(server.folder).start()
    assert ask(server, "PING"), "the first one must not suffer"


def test_a_server_whose_owner_is_gone_still_holds_its_folder(server: EmbeddedServer) -> None:
    """Two servers on one append-only file would ruin it."""
    os.close(server._lock or 0)
    server._lock = None
    with pytest.raises(EmbeddedServerError, match="in use"):
        EmbeddedServer(server.folder).start()


def test_starting_a_running_server_is_refused(server: EmbeddedServer) -> None:
    with pytest.raises(EmbeddedServerError, match="runs already"):
        server.start()


def test_a_chosen_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"port {port} .*choose another"):
            EmbeddedServer(tmp_path, port=port).start()


def test_a_lost_race_for_a_free_port_is_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The port is taken between the look and the server's bind."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        stolen = taken.getsockname()[1]
        offers = iter([stolen, *(embedded_server._free_port() for _ in range(9))])
        monkeypatch.setattr(embedded_server, "_free_port", lambda: next(offers))
        monkeypatch.setattr(embedded_server, "_is_free", lambda _port: True)
        with EmbeddedServer(tmp_path) as server:
            assert server.port != stolen
            assert ask(server, "PING")


def test_a_server_that_refuses_its_settings_is_reported_in_its_words(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path, appendfsync="sometimes")
    with pytest.raises(
        EmbeddedServerError, match=r"ended at its start[\s\S]*appendfsync sometimes"
    ):
        server.start()
    assert server.process is None


def test_a_server_that_cannot_read_its_data_is_reported_with_its_log(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path) as server:
        ask(server, "SET", "job", "1")
    for data in [*tmp_path.glob("*.aof"), *tmp_path.glob("appendonlydir/*.incr.aof")]:
        data.write_bytes(b"this is no log" + data.read_bytes())
    with pytest.raises(EmbeddedServerError, match=r"ended at its start[\s\S]*Bad file format"):
        EmbeddedServer(tmp_path).start()


def test_start_returns_when_the_data_is_loaded(tmp_path: Path) -> None:
    class SlowToLoad(EmbeddedServer):
        def _configuration(self, port: int) -> str:
            return super()._configuration(port) + "key-load-delay 100\n"

    with EmbeddedServer(tmp_path) as server, redis.Redis.from_url(server.url) as client:
        client.mset({f"job:{number}": 1 for number in range(10)})
        for number in range(2000):
            client.set("last", number)
    with SlowToLoad(tmp_path) as server:
        assert ask(server, "GET", "last") == "1999"


def test_a_start_that_is_interrupted_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = EmbeddedServer(tmp_path)
    seen: list[int] = []

    def interrupt(_client: object) -> bool:
        seen.append(server.process.pid if server.process else 0)
        raise KeyboardInterrupt

    monkeypatch.setattr(embedded_server, "_answers", interrupt)
    with pytest.raises(KeyboardInterrupt):
        server.start()
    assert gone(seen[0])
    monkeypatch.undo()
    with server:
        assert ask(server, "PING")


def test_a_server_that_died_is_revived_in_place(server: EmbeddedServer) -> None:
    url = server.url
    ask(server, "SET", "job", "1")
    assert not server.revive()
    assert server.process
    os.kill(server.process.pid, signal.SIGKILL)
    assert eventually(server.revive)
    assert server.url == url
    assert ask(server, "GET", "job") == "1"


def test_a_stopped_server_is_not_revived(server: EmbeddedServer) -> None:
    server.stop()
    assert not server.revive()


OWNER = """
import sys, time
from pathlib import Path
from workers.devstack.embedded_server import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]))
server.start()
print(server.process.pid, flush=True)
time.sleep(60)
"""


def test_the_server_goes_with_an_owner_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OWNER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as owner:
        assert owner.stdout
        pid = int(owner.stdout.readline())
        assert not gone(pid)
        owner.kill()
    assert eventually(lambda: gone(pid))
    with EmbeddedServer(tmp_path) as server:
        assert ask(server, "PING")


def test_several_start_at_once(tmp_path: Path) -> None:
    """As the workers of a parallel test run do, each a process of its own."""
    command = [sys.executable, "-c", OWNER]
    with ExitStack() as stack:
        owners = [
            stack.enter_context(
                subprocess.Popen([*command, str(tmp_path / str(n))], stdout=subprocess.PIPE)
            )
            for n in range(6)
        ]
        try:
            pids = {int(owner.stdout.readline()) for owner in owners if owner.stdout}
            ports = {(tmp_path / str(n) / "port").read_text() for n in range(6)}
        finally:
            for owner in owners:
                owner.kill()
    assert len(pids) == len(ports) == 6


def test_a_url_before_the_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="no URL yet"):
        _ = EmbeddedServer(tmp_path).url
