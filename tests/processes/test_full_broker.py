"""A message that the call task takes off a full Redis is in no place there, and is done all the
same.
"""

from __future__ import annotations

from pathlib import Path

from celery import Celery

from support.call_task_process import call_task
from support.e2e_stack import CALL_QUEUE
from support.polling import WITHIN, eventually
from support.redis_servers import RedisProcess
from support.refusals import STANDING

PEOPLE = [f"+81801234000{number}" for number in range(3)]


def test_the_call_task_loses_no_message_of_a_full_redis(tmp_path: Path) -> None:
    with (
        RedisProcess(tmp_path / "redis") as process,
        process.client() as redis,
        call_task(tmp_path, process.url) as log,
    ):
        app = Celery(broker=process.url, backend=process.url, set_as_current=False)
        calls = [
            app.send_task("dispatcher.call", kwargs={"recipient": each, "say": "Hi"}, queue="aside")
            for each in PEOPLE
        ]
        with STANDING["OOM"](process):
            redis.rename("aside", CALL_QUEUE)  # takes no memory: messages that lay there before
            eventually(
                lambda: "waiting for Redis" in log.read_text(), "one is fetched", 15, log.read_text
            )
            assert redis.llen(CALL_QUEUE) == len(PEOPLE) - 1, "no more than it can note"
        jobs = [call.get(WITHIN) for call in calls]
        eventually(lambda: not redis.hlen("vd.unacked"), "all are acknowledged")
        app.close()
    assert len(set(jobs)) == len(PEOPLE)
    assert "8012340001" not in log.read_text()
