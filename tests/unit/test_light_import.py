"""Importing the package is light: what a producer does not use is not loaded."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dispatcher

HEAVY = {"celery", "kombu", "requests", "urllib3", "redis", "aiohttp", "rich", "typer"}
PROVIDER = "dispatcher.provider.xoxzo"


def loaded(code: str) -> set[str]:
    """Return the modules that a fresh process has after some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def heavy(modules: set[str]) -> set[str]:
    return {name for name in modules if name in HEAVY or name.startswith(PROVIDER)}


def test_the_package_alone_loads_nothing_else_of_ours() -> None:
    found = loaded("import dispatcher")
    assert {name for name in found if name.startswith("dispatcher.")} == set()
    assert heavy(found) == set()


def test_no_name_of_it_loads_celery_redis_requests_or_the_provider() -> None:
    found = loaded("from dispatcher import *\nDispatcher, JobRequest, StoreUnavailable")
    assert heavy(found) == set()
    assert "dispatcher.client.dispatcher" in found


def test_only_who_uses_asyncio_loads_it() -> None:
    assert "asyncio" not in loaded("from dispatcher import Dispatcher")
    found = loaded("from dispatcher import AsyncDispatcher")
    assert "asyncio" in found
    assert heavy(found) == set()


def test_connecting_loads_redis_and_still_no_celery_requests_or_provider() -> None:
    """redis-py's own package imports its asyncio part: nothing of ours asks for that."""
    found = loaded("from dispatcher import Dispatcher\nDispatcher.from_url('redis://localhost')")
    assert heavy(found) == {"redis"}


def test_checking_a_request_loads_no_client() -> None:
    """The provider's rules at most: they are pure."""
    request = "{'recipient': '+818012340001', 'say': 'x'}"
    found = loaded(f"from dispatcher import JobRequest\nJobRequest.of({request})")
    assert found & HEAVY == set()


def test_setting_a_sandbox_up_loads_no_server() -> None:
    found = loaded("from dispatcher.sandbox import SandboxOptions\nSandboxOptions()")
    assert found & HEAVY == set()


def test_a_caller_that_is_no_short_number_loads_no_countrys_short_numbers() -> None:
    """There are 240, and every process reads the caller of its settings."""
    found = loaded("from dispatcher.values.numbers import caller\ncaller('+815011119999')")
    assert not {name for name in found if name.startswith("phonenumbers.shortdata.region_")}


def test_every_name_is_there_and_is_the_one_of_its_module() -> None:
    for name in set(dispatcher.__all__) - {"__version__"}:
        found = getattr(dispatcher, name)
        assert getattr(sys.modules[found.__module__], name) is found


def test_names_show_before_they_are_used() -> None:
    found = loaded("import dispatcher\nprint(*dir(dispatcher))")
    assert set(dispatcher.__all__) <= found


def test_type_checkers_are_told_the_same_places() -> None:
    """Each name is written down for the interpreter and for type checkers."""
    (block,) = (
        node
        for node in ast.parse(Path(dispatcher.__file__).read_text()).body
        if isinstance(node, ast.If)
    )
    told = {
        node.module: tuple(alias.name for alias in node.names)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
    }
    assert told == dispatcher._MODULES
    assert {name for names in told.values() for name in names} | {"__version__"} == set(
        dispatcher.__all__
    )


def test_a_name_that_does_not_exist_is_told_as_python_does() -> None:
    with pytest.raises(AttributeError, match=r"module 'dispatcher' has no attribute 'Dispacher'"):
        _ = dispatcher.Dispacher  # type: ignore[attr-defined]
    with pytest.raises(ImportError, match="cannot import name 'Dispacher'"):
        from dispatcher import Dispacher  # type: ignore[attr-defined]  # noqa: F401, PLC0415
