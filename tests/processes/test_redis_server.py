"""Which Redis servers a machine has, and whose data they can read."""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path

import pytest
import redis

from workers.devstack import embedded_server, redis_server
from workers.devstack.embedded_server import EmbeddedServer, UnreadableData
from workers.devstack.redis_server import (
    NoRedisServer,
    find_server,
    find_servers,
    has_wheel,
    server_version,
)

DATA = Path(__file__).with_name("data")
"""What real servers wrote: a hash, a list and a sorted set, a rewrite, and one key more."""


def fake_server(folder: Path, name: str, banner: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{banner} sha=00000000:0 malloc=libc bits=64'\n")
    path.chmod(0o755)
    return path


def ask(server: EmbeddedServer, *command: str) -> object:
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        return client.execute_command(*command)


def wheel_server() -> Path:
    found = redis_server._server_of_the_wheel()
    return found or pytest.skip("the extra `embedded` is not installed")


@pytest.mark.parametrize(
    ("name", "banner"),
    [("redis-server", "Redis server v=7.0.15"), ("valkey-server", "Valkey server v=8.0.1")],
)
def test_an_installed_server_is_preferred(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, banner: str
) -> None:
    path = fake_server(tmp_path, name, banner)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_server() == path


def test_the_wheels_server_stands_in_for_one_that_is_too_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = wheel_server()
    fake_server(tmp_path, "redis-server", "Redis server v=6.2.14")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_servers() == [wheel]
    assert server_version(wheel)


@pytest.mark.parametrize(
    ("fits", "says"),
    [(True, "or the extra voice-dispatcher[embedded], or"), (False, "[embedded] has none for ")],
)
def test_without_any_server_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fits: bool, says: str
) -> None:
    old = fake_server(tmp_path, "redis-server", "Redis server v=5.0.7")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(redis_server, "_server_of_the_wheel", lambda: None)
    monkeypatch.setattr(redis_server, "has_wheel", lambda: fits)
    with pytest.raises(NoRedisServer) as caught:
        find_server()
    assert f"{old} is older" in str(caught.value)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("system", "machine", "libc", "has_one"),
    [
        ("linux", "x86_64", ("glibc", "2.36"), True),
        ("linux", "aarch64", ("glibc", "2.28"), True),
        ("linux", "x86_64", ("glibc", "2.17"), False),
        ("linux", "x86_64", ("", ""), False),  # musl, as on Alpine
        ("linux", "armv7l", ("glibc", "2.36"), False),
        ("darwin", "arm64", ("", ""), True),
        ("darwin", "x86_64", ("", ""), True),
        ("win32", "AMD64", ("", ""), False),
    ],
)
def test_the_wheel_is_for_some_machines(
    monkeypatch: pytest.MonkeyPatch,
    system: str,
    machine: str,
    libc: tuple[str, str],
    has_one: bool,
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(platform, "libc_ver", lambda: libc)
    assert has_wheel() == has_one


def written_by(server: str, folder: Path) -> Path:
    """Return a folder with what a real server of that version wrote, rewritten once."""
    return Path(shutil.copytree(DATA / server, folder))


def older_server() -> Path:
    """A server of this machine that does not know the files of Valkey 9."""
    older = [path for path in find_servers() if version_of(path) < ("Valkey", (9, 0))]
    return older[0] if older else pytest.skip("there is no server of another format here")


def version_of(server: Path) -> tuple[str, tuple[int, int]]:
    version = server_version(server)
    assert version
    return version.product, version.release


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("server", find_servers(), ids=lambda path: path.name)
def test_what_redis_6_2_wrote_is_taken_over(tmp_path: Path, server: Path) -> None:
    folder = written_by("redis-6.2", tmp_path / "data")
    with EmbeddedServer(folder, server=server) as running:
        assert ask(running, "HGET", "job", "state") == "queued"
        assert ask(running, "GET", "after") == "the rewrite"
        running.restart()
        assert ask(running, "LRANGE", "timeline", "0", "-1") == ["a", "b"]


def test_data_that_the_server_cannot_read_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    """Valkey does not know what Redis 7.4 and later write; it would call it damaged."""
    folder = written_by("redis-8.0", tmp_path / "data")
    before = contents(folder / "appendonlydir")
    with pytest.raises(
        UnreadableData,
        match=r"was written by Redis 8\.0\.6, and Valkey \S+ \(.*\) cannot read it.*unharmed",
    ):
        EmbeddedServer(folder, server=wheel_server()).start()
    assert contents(folder / "appendonlydir") == before


def test_an_older_server_says_who_wrote_the_data(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path, server=wheel_server()) as newer:
        ask(newer, "SET", "job", "1")
    with pytest.raises(UnreadableData, match=r"was written by Valkey 9\S*, and .* cannot read it"):
        EmbeddedServer(tmp_path, server=older_server()).start()


def test_a_server_installed_later_does_not_part_the_data_from_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wheel's server wrote the folder, then an older one came onto PATH."""
    wheel, older = wheel_server(), older_server()
    with EmbeddedServer(tmp_path, server=wheel) as server:
        ask(server, "SET", "job", "1")
    monkeypatch.setattr(embedded_server, "find_servers", lambda: [older, wheel])
    with EmbeddedServer(tmp_path) as server:
        assert ask(server, "GET", "job") == "1"
        server.restart()
        assert ask(server, "GET", "job") == "1"
