"""The do-not-call list and campaigns: the same names for code that waits and for asyncio."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from dispatcher import AsyncDispatcher, AsyncJobHandle, Dispatcher, InvalidJob, JobHandle
from dispatcher.client.async_do_not_call import AsyncDoNotCalls
from dispatcher.client.do_not_call import DoNotCalls

NUMBER = "+818012340001"


def test_who_is_on_the_list_is_not_called(d: Any) -> None:
    d.dnc.add(NUMBER, reason="asked by mail")
    with pytest.raises(InvalidJob, match="do-not-call"):
        d.call(NUMBER, say="Hello")
    (entry,) = d.dnc.check(NUMBER)
    assert entry.reason == "asked by mail"
    assert [each.number for each in d.dnc.list()] == [NUMBER]
    assert d.dnc.remove(NUMBER) == 1
    assert d.call(NUMBER, say="Hello").new


def test_a_campaign_tells_what_became_of_it(d: Any) -> None:
    for place in range(3):
        d.call(NUMBER, say="Hello", key=str(place), tags=["campaign:spring"])
    d.find(key="0").cancel()
    found = d.campaign("spring").to_dict()
    assert (found["jobs"], found["cancelled"]) == (3, 1)


def test_numbers_may_be_written_as_in_a_region(d: Any) -> None:
    assert d.call("080-1234-0001", say="Hello", region="JP").refresh().numbers == (NUMBER,)
    (result,) = d.call_many([{"recipient": "080-1234-0001", "say": "Hello", "region": "JP"}])
    assert result.refresh().numbers == (NUMBER,)


BLOCKING_ALONE = {
    "store", "messenger",  # what it is made of
    "submit_packed", "submit_all", "accept_all", "write", "handle",  # for what we build on it
    "request",
}  # fmt: skip


@pytest.mark.parametrize(
    ("blocking", "awaited"),
    [(Dispatcher, AsyncDispatcher), (JobHandle, AsyncJobHandle), (DoNotCalls, AsyncDoNotCalls)],
)
def test_asyncio_has_the_same_names_with_the_same_arguments(blocking: type, awaited: type) -> None:
    for name, method in vars(blocking).items():
        if name.startswith("_") or name in BLOCKING_ALONE or not inspect.isfunction(method):
            continue
        wanted = list(inspect.signature(method).parameters)
        found = list(inspect.signature(getattr(awaited, name)).parameters)
        assert found == [each for each in wanted if each != "message"], name
