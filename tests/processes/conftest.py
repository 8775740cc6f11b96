"""A provider that is there where other things are not, and a word by which processes are found."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from dispatcher.provider import Provider, Timeouts
from dispatcher.provider.registry import registration
from dispatcher.sandbox import SandboxOptions, running
from support.child_processes import processes
from support.polling import eventually
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


@pytest.fixture
def token() -> Iterator[str]:
    """A word that stands in the command line of every process of a test; none may be left."""
    word = f"token-{uuid.uuid4().hex}"
    yield word
    assert eventually(lambda: not processes(word)), processes(word)
