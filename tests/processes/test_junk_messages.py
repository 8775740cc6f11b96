"""What is no message of Celery's ends no worker: it would meet it again at its next start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from celery import Celery
from kombu import Connection

from support.call_task_process import call_task
from support.e2e_stack import CALL_QUEUE
from support.polling import WITHIN
from support.redis_servers import RedisProcess

HEADERS = {"lang": "py", "task": "dispatcher.call", "id": "abc", "argsrepr": "", "kwargsrepr": ""}
CALL = {"recipient": "+818012340001", "say": "Hi", "at": "1h"}
JUNK: dict[str, tuple[str, dict[str, Any]]] = {
    "no JSON": ("{{{", HEADERS),
    "no headers": (json.dumps([[], CALL, {}]), {}),
    "a number": ("5", HEADERS),
    "nothing": ("null", HEADERS),
    "half": ("[[]]", HEADERS),
    "arguments that are a list": (json.dumps([[], ["a"], {}]), HEADERS),
    "an id that is a list": (json.dumps([[], CALL, {}]), HEADERS | {"id": ["a"]}),
    "a time that is none": (json.dumps([[], CALL, {}]), HEADERS | {"eta": "soon"}),
    "brackets": ("[" * 20_000 + "]" * 20_000, HEADERS),
}


def test_the_call_task_drops_them_and_goes_on(tmp_path: Path) -> None:
    with RedisProcess(tmp_path / "redis") as redis, call_task(tmp_path, redis.url) as log:
        app = Celery(broker=redis.url, backend=redis.url, set_as_current=False)
        with Connection(redis.url) as connection:
            channel = connection.default_channel
            for body, headers in JUNK.values():
                message = channel.prepare_message(
                    body, content_type="application/json", content_encoding="utf-8", headers=headers
                )
                channel.basic_publish(message, exchange="", routing_key=CALL_QUEUE)
        job = app.send_task("dispatcher.call", kwargs=CALL, queue=CALL_QUEUE).get(WITHIN)
        app.close()
        said = log.read_text()
    assert len(job) == len("kz3vmdwqgtlzpvhw")
    assert "a message was dropped: no task here accepts it\n" in said
    assert f"Celery cannot read it (TypeError), in the queue '{CALL_QUEUE}'" in said
    assert "8012340001" not in said
