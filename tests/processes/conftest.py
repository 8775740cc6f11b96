"""A provider that is there, for tests in which other things are not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dispatcher.provider import Provider, Timeouts
from dispatcher.provider.registry import registration
from dispatcher.sandbox import SandboxOptions, running
from support.sandbox_client import Client


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Client]:
    with running(SandboxOptions()) as url, (client := Client(url)).session:
        yield client


@pytest.fixture
def provider(sandbox: Client) -> Iterator[Provider]:
    known = registration()
    told = {
        "XOXZO_API_HOST": sandbox.url,
        "XOXZO_API_SID": "sandbox",
        "XOXZO_API_AUTH_TOKEN": "sandbox",
    }
    made = known.connect(known.settings.read(told), Timeouts(), 1)
    yield made
    made.close()
