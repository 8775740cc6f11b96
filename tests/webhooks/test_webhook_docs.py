"""The receiver in docs/how-to/webhooks.md receives."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dispatcher.store import Store
from dispatcher.store.webhooks import Webhooks
from dispatcher.values.webhook_secrets import WebhookSecrets, secret_from_key
from support.webhook_jobs import deliver, ended, run, targets
from support.webhook_receiver import account_secret

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/webhooks.md"
OTHERS = WebhookSecrets((secret_from_key("not his key"),))


def test_the_documented_receiver_takes_what_is_signed_and_refuses_the_rest(
    store: Store,
    webhooks: Webhooks,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    targets(store)
    id_ = ended(store)
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        url = f"http://127.0.0.1:{server.server_port}/told"
        monkeypatch.setenv("WEBHOOK_SECRET", account_secret(url))
        names: dict[str, Any] = {"__name__": "example"}
        exec(compile(example, str(PAGE), "exec"), names)
        server.RequestHandlerClass = names["Receiver"]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        (verdict,) = run(webhooks, deliver(webhooks, url))
        assert verdict.what == "done"
        ((event, told),) = names["seen"].items()
        assert event.startswith(f"msg_{id_}")
        assert (told["type"], told["data"]["id"]) == ("job.cancelled", id_)
        ended(store)
        (verdict,) = run(webhooks, deliver(webhooks, url, secrets=OTHERS))
        assert verdict.error == "it answered 400"
        server.shutdown()
    assert len(names["seen"]) == 1
