"""A worker whose event or answer meets a broker that is gone says so, once, while it waits."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from config.settings import Settings
from support.polling import eventually
from support.redis_servers import RedisProcess
from workers.queue.app import create_app, create_call_task, create_webhooks


@pytest.mark.parametrize("create", [create_app, create_webhooks, create_call_task])
def test_what_is_sent_again_for_ever_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, create: object
) -> None:
    with RedisProcess(tmp_path / "redis") as broker:
        app = create(Settings.load(redis_url=broker.url))  # type: ignore[operator]
        with app.connection_for_write() as connection:
            eventer = app.events.Dispatcher(connection)
            eventer.send("worker-heartbeat", retry=True)
            assert not caplog.records
            broker.kill()
            beat = threading.Thread(
                target=eventer.send, args=("worker-heartbeat",), kwargs={"retry": True}, daemon=True
            )
            beat.start()
            said = "the broker cannot be reached"
            eventually(lambda: said in caplog.text, "it is said")
            beat.join(2.5)  # two tries more
            assert beat.is_alive()
            (record,) = (each for each in caplog.records if each.levelno >= logging.WARNING)
            assert "Trying again until it answers" in record.getMessage()
            broker.start()
            beat.join(30)
            assert not beat.is_alive(), "it is sent when the broker is back"
