"""One stack that the cheap tests share, and side by side, those that have to wait for long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from support.e2e_stack import FLOWER_AUTH, QUICK, TOKEN, OwnSandbox, Stage, Up


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The sandbox is a process of its own, so that `up` may be stopped and started."""
    folder = tmp_path_factory.mktemp("stage")
    with OwnSandbox("--ring=0.3", "--slow=2", token=TOKEN) as sandbox, requests.Session() as flower:
        settings = {**QUICK, **sandbox.account, "DISPATCHER_FLOWER_AUTH": ":".join(FLOWER_AUTH)}
        flower.auth = FLOWER_AUTH
        with Up(folder, "--no-sandbox", **settings) as up:
            yield Stage(up, sandbox, flower)


Scenario = Callable[[Path], Any]
_SIDE_BY_SIDE = 3  # they mostly wait; more would be late for want of processor


@pytest.fixture(scope="session", autouse=True)
def _playing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Scenario, Future[Any]]]:
    """Scenarios take most of their time waiting: those of all chosen tests run side by side.

    They start with the first test, and their own tests come last. Each has a folder of its own.
    """
    marks = [item.get_closest_marker("played") for item in request.session.items]
    chosen = list(dict.fromkeys(mark.kwargs["by"] for mark in marks if mark))
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        yield {
            scenario: pool.submit(scenario, tmp_path_factory.mktemp(scenario.__name__))
            for scenario in chosen
        }
        pool.shutdown(cancel_futures=True)


@pytest.fixture
def outcome(request: pytest.FixtureRequest, _playing: dict[Scenario, Future[Any]]) -> Any:
    """What the scenario came to that the test is marked with: its answer, or its exception."""
    mark = request.node.get_closest_marker("played")
    return _playing[mark.kwargs["by"]].result()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "played(by): what that function came to is this test's `outcome`"
    )
