"""Settings from files of credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.credentials import UnreadableCredential, take


def test_a_file_is_a_variable(tmp_path: Path) -> None:
    (tmp_path / "XOXZO_API_AUTH_TOKEN").write_text("t0ken\n")
    (tmp_path / "worker_DISPATCHER_SECRET_KEY").write_text("new,old")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    take(environ)
    assert environ["XOXZO_API_AUTH_TOKEN"] == "t0ken"
    assert environ["DISPATCHER_SECRET_KEY"] == "new,old"


def test_the_environment_is_not_overruled_unless_it_is_empty(tmp_path: Path) -> None:
    for name in ("DISPATCHER_CALLER", "DISPATCHER_LANG"):
        (tmp_path / name).write_text("file")
    environ = {
        "CREDENTIALS_DIRECTORY": str(tmp_path),
        "DISPATCHER_CALLER": "said",
        "DISPATCHER_LANG": "",
    }
    take(environ)
    assert (environ["DISPATCHER_CALLER"], environ["DISPATCHER_LANG"]) == ("said", "file")


@pytest.mark.parametrize("name", ["tls.key", "..data", "README", "a b"])
def test_what_is_not_named_as_a_variable_is_left(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    take(environ)
    assert environ.keys() <= {"CREDENTIALS_DIRECTORY", "README"}


def test_without_a_folder_nothing_changes() -> None:
    environ = {"PATH": "/bin"}
    take(environ)
    assert environ == {"PATH": "/bin"}


def test_what_cannot_be_read_is_named_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "DISPATCHER_SECRET_KEY").write_bytes(b"\xff\xfe s3cret")
    with pytest.raises(UnreadableCredential, match="DISPATCHER_SECRET_KEY") as raised:
        take({"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert "s3cret" not in str(raised.value)
    with pytest.raises(UnreadableCredential, match="No such file"):
        take({"CREDENTIALS_DIRECTORY": str(tmp_path / "none")})
