"""A large bulk request comes through nginx, set up as the documentation advises or as at first."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests

from dispatcher.store import Store
from support.api_client import NDJSON, SAY, Client, answered, as_line
from support.gateway_process import ROOT, Gateway
from support.nginx import PROGRAM, Nginx

MANY = 40_000
"""Lines: more of them, and of answers, than all sockets on the way hold."""
HTTP = (ROOT / "docs/reference/http.md").read_text()
ADVISED = re.search(r"location /v1/ \{.*?\n    \}", HTTP, re.DOTALL)
BUFFERS = ("proxy_request_buffering off", "proxy_buffering off")

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no nginx on this machine: install it")


def location(gateway: Gateway, *, buffered: bool) -> str:
    """Return what the documentation advises, for this gateway; `buffered`: as nginx does it unless
    told.
    """
    assert ADVISED
    lines = ADVISED[0].replace("127.0.0.1:8080", f"127.0.0.1:{gateway.port}").splitlines()
    kept = [line for line in lines if not (buffered and line.strip().startswith(BUFFERS))]
    assert len(lines) - len(kept) == (len(BUFFERS) if buffered else 0)
    return "\n".join(kept)


@pytest.mark.parametrize("buffered", [False, True], ids=["as advised", "as it is at first"])
@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "in chunks"])
def test_all_lines_come_through_and_all_answers_come_back(
    gateway: Gateway,
    billing: Client,
    store: Store,
    tmp_path: Path,
    *,
    buffered: bool,
    chunked: bool,
) -> None:
    body = as_line({**SAY, "key": "a"}) + (b"x" * 200 + b"\n") * (MANY - 1)
    headers = {"Authorization": f"Bearer {billing.text}", **NDJSON}
    with Nginx(tmp_path, location(gateway, buffered=buffered)) as nginx:
        answer = requests.post(
            f"{nginx.url}/v1/jobs/bulk",
            data=iter([body]) if chunked else body,
            headers=headers,
            timeout=60,
        )
    found, summary = answered(answer.content)
    assert [each["line"] for each in found] == list(range(1, MANY + 1))
    assert summary == {
        "lines": MANY,
        "accepted": 1,
        "new": 1,
        "refused": MANY - 1,
        "complete": True,
    }
