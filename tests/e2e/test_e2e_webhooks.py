"""`up` tells the producer: a call that was answered, and Flower shows how it was told."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from standardwebhooks import Webhook

from support.e2e_stack import SAY, WEBHOOK_SECRET, Stage, number
from support.polling import eventually
from support.webhook_receiver import job_secret


def test_a_job_tells_its_receiver_how_it_ended(stage: Stage) -> None:
    got: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as receiver:
        threading.Thread(target=receiver.serve_forever, args=(0.05,), daemon=True).start()
        url = f"http://127.0.0.1:{receiver.server_port}/told"
        job = stage.up.dispatcher.call(number("0001"), say=SAY, webhook=url)
        eventually(lambda: got, "the receiver is told")
        receiver.shutdown()
    headers, body = got[0]
    told = Webhook(job_secret(url, WEBHOOK_SECRET)).verify(body, headers)
    assert told["type"] == "job.completed"
    assert (told["data"]["id"], told["data"]["outcome"]) == (job.id, "ANSWERED")
    assert SAY not in body.decode()
    eventually(lambda: _task(stage, job.id) == "SUCCESS", "Flower shows how it was told")


def _task(stage: Stage, id_: str) -> str | None:
    """Return the state of the delivery's task in Flower."""
    tasks = stage.flower.get(f"{stage.up.announced['flower_url']}/api/tasks", timeout=180).json()
    return next(
        (
            str(task["state"])
            for task in tasks.values()
            if task["name"] == "dispatcher.deliver_webhook" and id_ in task["args"]
        ),
        None,
    )
