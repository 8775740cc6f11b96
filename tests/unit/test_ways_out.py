"""Whatever leaves a process without passing the API: no telephone number in any writing."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from celery.concurrency.thread import TaskPool
from celery.utils.imports import symbol_by_name
from kombu import Connection
from kombu.utils.uuid import uuid

import workers.queue.call_task
import workers.queue.tasks
from config import logs
from dispatcher.client.dispatcher import Dispatcher
from dispatcher.model.request import JobRequest
from dispatcher.model.states import State
from dispatcher.security_log import NAME
from support.hidden_numbers import WRITINGS, tells
from support.log_set_up import put_back
from workers.engine.turn import Turn
from workers.queue.redaction import MaskedRequest, RedactedRequest, hide_what_others_tell
from workers.queue.task_events import TaskEvents


@pytest.mark.parametrize("written", WRITINGS)
def test_what_must_not_show_would_be_found(written: str) -> None:
    assert tells(f"… {written} …")
    assert tells(repr(written))
    assert tells(json.dumps(written))


# -- logs ----------------------------------------------------------------------------------


@pytest.fixture
def as_a_process() -> Iterator[None]:
    """Logging as our processes set it up, and everything as it was afterwards."""
    hooks = (sys.excepthook, threading.excepthook)
    with put_back(), put_back(NAME):
        yield
    sys.excepthook, threading.excepthook = hooks
    logging.captureWarnings(capture=False)


def test_no_log_at_debug_tells_what_a_message_says(
    as_a_process: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Celery's pool would print each message whole before it runs it."""
    logs.set_up("DEBUG")
    pool = TaskPool(limit=1)
    pool.start()
    pool.apply_async(lambda *_: None, args=(b'{"say": "Your results are in", "code": "276983"}',))
    pool.stop()
    logging.getLogger("dispatcher").debug("and this is told")
    told = capsys.readouterr().err
    assert "276983" not in told
    assert "results" not in told
    assert "and this is told" in told


@pytest.mark.parametrize("written", WRITINGS)
def test_no_line_of_a_log_tells_a_number(
    written: str, as_a_process: None, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up()
    log = logging.getLogger("celery.app.trace")
    log.error("Task dispatcher.call[%s] raised: args=%r kwargs=%r", uuid(), [written], written)
    try:
        int(f"no number: {written}")
    except ValueError as error:
        log.exception("failed")
        sys.excepthook(type(error), error, error.__traceback__)

    def fail() -> None:
        raise KeyError(written)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    told = capsys.readouterr().err
    assert told.count("ValueError") >= 2
    assert "KeyError" in told
    assert not tells(told)


# -- Celery's events, results and Flower ------------------------------------------------------


class Eventer:
    """Keeps what is sent."""

    enabled = True

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send(self, kind: str, **fields: Any) -> None:
        self.sent.append({"type": kind, **fields})


def app() -> Celery:
    made = Celery("test", set_as_current=False, broker="memory://", backend="cache+memory://")
    made.conf.task_store_eager_result = True
    workers.queue.tasks.register(made, lambda: None, TaskEvents())  # type: ignore[arg-type,return-value]
    workers.queue.tasks.register_webhooks(made, lambda: None)  # type: ignore[arg-type,return-value]
    workers.queue.call_task.register(made, out_of_order)
    return made


def out_of_order() -> Dispatcher:
    raise RuntimeError("no place for " + WRITINGS[1])


def test_every_task_of_ours_tells_events_masked() -> None:
    """A new task whose request is another one is seen here."""
    made = app()
    ours = [task for name, task in made.tasks.items() if name.startswith("dispatcher.")]
    assert len(ours) >= 12
    assert [t.name for t in ours if not issubclass(symbol_by_name(t.Request), MaskedRequest)] == []


@pytest.mark.parametrize("written", WRITINGS)
@pytest.mark.parametrize("kind", [MaskedRequest, RedactedRequest])
def test_no_event_of_a_task_tells_a_number(kind: type[MaskedRequest], written: str) -> None:
    made, eventer = app(), Eventer()
    with Connection("memory://") as connection, connection.SimpleQueue("told") as queue:
        made.tasks["dispatcher.call"].apply_async(
            kwargs={"recipient": written}, connection=connection, queue="told"
        )
        message = queue.get(timeout=5)
        request = kind(message, app=made, eventer=eventer, task=made.tasks["dispatcher.call"])
        request.send_event("task-failed", exception=repr(ValueError(written)), traceback=written)
        request.send_event("task-succeeded", result=repr({"why": written}), runtime=0.25)
    failed, succeeded = eventer.sent
    assert not tells(json.dumps(eventer.sent))
    assert "ValueError" in failed["exception"]
    assert (succeeded["uuid"], succeeded["runtime"]) == (request.id, 0.25)


@pytest.mark.parametrize("written", WRITINGS)
def test_no_turn_tells_a_number(written: str) -> None:
    events, eventer = TaskEvents(), Eventer()
    events.eventer = eventer
    for state, reason in ((State.SCHEDULED, ""), (State.FAILED, "call_failed")):
        events.begin("dispatcher.dial", "abc")(Turn("abc", state, reason, f"busy: {written}"))
    assert len(eventer.sent) == 6
    assert not tells(json.dumps(eventer.sent))


@pytest.mark.parametrize("written", WRITINGS)
def test_flower_keeps_no_number_that_others_tell(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flower.events import EventsState  # noqa: PLC0415

    monkeypatch.setattr(EventsState, "event", EventsState.event)
    hide_what_others_tell()
    state, id_ = EventsState(), uuid()
    common = {"uuid": id_, "hostname": "celery@a", "timestamp": 1.0, "local_received": 1.0}
    common |= {"clock": 1, "utcoffset": 0, "pid": 1}
    received = {"name": "theirs", "args": repr((written,)), "kwargs": repr({"to": written})}
    state.event({**common, "type": "task-received", **received})
    failed = {"exception": f"ValueError({written!r})", "traceback": f"ValueError: {written}"}
    state.event({**common, "type": "task-failed", **failed})
    task = state.tasks[id_]
    assert "ValueError" in task.exception
    assert not tells(json.dumps([task.args, task.kwargs, task.exception, task.traceback]))


class Unasked:
    """In place of a dispatcher that is not asked, since the request is refused before."""

    submit = None
    request = staticmethod(JobRequest.of)


@pytest.mark.parametrize("fields", [{"recipient": each} for each in WRITINGS[1:]])
def test_no_result_of_a_call_task_tells_a_number(fields: dict[str, str]) -> None:
    """Neither where the request is refused nor where we fail; its sender's backend keeps both."""
    refusing = Celery("test", set_as_current=False, backend="cache+memory://")
    refusing.conf.task_store_eager_result = True
    workers.queue.call_task.register(refusing, lambda: Unasked)  # type: ignore[arg-type,return-value]
    for made, why in ((refusing, "CallRefused"), (app(), "CallFailed")):
        result = made.tasks["dispatcher.call"].apply(kwargs=fields)
        assert type(result.result).__name__ == why
        kept = json.dumps(made.backend.get_task_meta(result.id), default=repr)
        assert why in kept
        assert not tells(kept + str(result.traceback) + repr(result.result))
