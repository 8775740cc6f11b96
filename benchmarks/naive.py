"""What one would write first: a Celery task that posts. No record, no limiter, kept nothing."""

from __future__ import annotations

import os

import requests
from celery import Celery
from celery.signals import worker_ready

from workers.run import READY

app = Celery("naive", broker=os.environ.get("NAIVE_BROKER"), set_as_current=False)
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)


@worker_ready.connect
def say_ready(**_: object) -> None:
    """Say that messages are being taken, as the dispatcher's worker does."""
    print(READY, flush=True)


@app.task
def call(recipient: str, message: str) -> None:
    """Ask for a call."""
    requests.post(
        os.environ["NAIVE_PROVIDER"] + "/voice/simple/playbacks/",
        data={
            "caller": "+815012345678",
            "recipient": recipient,
            "tts_message": message,
            "tts_lang": "en",
        },
        auth=("sid", "token"),
        timeout=30,
    ).raise_for_status()
