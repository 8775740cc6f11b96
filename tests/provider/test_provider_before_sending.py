"""Between connecting and sending: what is measured or decided there is about the request."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dispatcher.provider import NeverReached
from dispatcher.provider.transport import before_sending
from dispatcher.provider.xoxzo.client import VoiceClient
from support.ports import free_port
from support.provider_wire import Wire, placed


def say(client: VoiceClient) -> str:
    return client.say(caller="+815012345678", recipient="+818012340001", message="x", lang="en")


def test_it_is_done_once_connected_and_before_anything_is_sent(
    serve: Callable[..., Wire], client_for: Callable[..., VoiceClient]
) -> None:
    wire = serve(placed("one"), placed("two"))
    client = client_for(wire.url)
    seen: list[int] = []
    with before_sending(lambda: seen.append(len(wire.seen))):
        assert [say(client), say(client)] == ["one", "two"]  # a new connection, and a kept one
    assert seen == [0, 1]


def test_what_it_raises_is_raised_and_nothing_is_sent(
    serve: Callable[..., Wire], client_for: Callable[..., VoiceClient]
) -> None:
    wire = serve(placed("one"))
    client = client_for(wire.url)

    def refuse() -> None:
        raise NeverReached("not now")

    with before_sending(refuse), pytest.raises(NeverReached, match="not now"):
        say(client)
    assert wire.seen == []
    assert say(client) == "one"


def test_where_nobody_is_reached_it_is_not_done(client_for: Callable[..., VoiceClient]) -> None:
    done: list[bool] = []
    with before_sending(lambda: done.append(True)), pytest.raises(NeverReached):
        say(client_for(f"http://127.0.0.1:{free_port()}"))
    assert done == []
