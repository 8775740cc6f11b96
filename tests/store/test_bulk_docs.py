"""The Python of docs/how-to/actions.md retries what it selects."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from dispatcher.client.dispatcher import Dispatcher
from dispatcher.client.messages import Messenger
from dispatcher.model.request import JobRequest
from dispatcher.model.states import State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.values import Claim
from support.claims import claim_one
from workers.devstack.embedded_server import EmbeddedServer

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/actions.md"
NO_ANSWER = Decision(State.FAILED, "no_answer", "it rang in vain", "no_answer")


def failed(store: Store) -> str:
    request = {"recipient": "+818011234567", "say": "Hi", "tags": ["campaign:spring"]}
    id_ = store.jobs.enqueue(JobRequest.of(request)).id
    claimed = claim_one(store, id_, token=id_, lease=30)
    assert isinstance(claimed, Claim)
    store.calls.settle(id_, claimed.attempt, NO_ANSWER)
    return id_


def test_the_documented_python_begins_a_bulk_action(
    store: Store, server: EmbeddedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    id_ = failed(store)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {"d": Dispatcher(store, Messenger.to_broker(server.url), actor="ops")}
    exec(compile(example, str(PAGE), "exec"), names)
    assert capsys.readouterr().out.startswith("1 ")
    begun = store.bulk.get(names["preview"].id)
    assert (begun.state, begun.actor, begun.note) == ("running", "api:ops", "line repaired")
    assert store.bulk.drive(begun.id, sleep=lambda _: None)
    assert store.jobs.get(id_).state is State.QUEUED
