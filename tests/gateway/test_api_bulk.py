"""`POST /v1/jobs/bulk`: streamed in and out, each line on its own, safe to repeat."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dispatcher.model.api_key import Scope
from dispatcher.store import Store
from support.api_client import NDJSON, NUMBER, SAY, Client, answered, as_line, client
from support.gateway_process import Gateway, everything, problem
from support.polling import eventually
from support.redis_inside import key_of, redis_of
from workers.devstack.embedded_server import EmbeddedServer


def lines(many: int, start: int = 0) -> list[dict[str, Any]]:
    return [{**SAY, "key": f"row-{n}"} for n in range(start, start + many)]


def jobs(store: Store) -> int:
    return sum(1 for _ in redis_of(store).scan_iter(key_of(store, "job", "*"), count=1000))


def test_each_line_is_accepted_or_refused_on_its_own(billing: Client, store: Store) -> None:
    sent = [
        {**SAY, "key": "a"},
        b"",
        {**SAY, "recipient": "0120", "key": "b"},
        b"   \r",
        b"{oops",
        {**SAY, "key": "c"},
        {**SAY, "say": "Other", "key": "a"},
        {**SAY, "key": "c"},
        b"[]",
    ]
    found, summary = billing.bulk(sent)
    assert [each["line"] for each in found] == [1, 3, 5, 6, 7, 8, 9]
    assert [each.get("new") for each in found] == [True, None, None, True, None, False, None]
    assert [each.get("status") for each in found] == [None, 422, 400, None, 409, None, 400]
    assert found[1]["errors"][0]["field"] == "recipient"
    assert all(each["detail"] and each["remedy"] for each in found if "status" in each)
    assert summary == {"lines": 7, "accepted": 3, "new": 2, "refused": 4, "complete": True}
    assert store.jobs.get(found[0]["id"]).producer == "billing"
    assert jobs(store) == 2


def test_nothing_comes_of_nothing(billing: Client) -> None:
    found, summary = billing.bulk([])
    assert (found, summary["lines"], summary["complete"]) == ([], 0, True)


def test_the_last_line_needs_no_end_and_the_first_may_have_a_mark(
    billing: Client,
) -> None:
    body = b"\xef\xbb\xbf" + as_line(lines(1)[0]) + as_line(lines(1, 1)[0]).strip()
    answer = billing.ask("POST", "/v1/jobs/bulk", data=body, headers=NDJSON)
    assert answered(answer.content)[1]["new"] == 2


# -- keys of lines -------------------------------------------------------------------------


def test_a_line_without_a_key_is_refused_since_a_repeat_would_call_twice(billing: Client) -> None:
    found, _ = billing.bulk([SAY])
    assert (found[0]["status"], found[0]["errors"][0]["field"]) == (422, "key")
    assert "Idempotency-Key" in found[0]["errors"][0]["detail"]


def test_a_key_of_all_makes_keys_of_the_lines(billing: Client, store: Store) -> None:
    sent = [SAY, b"", SAY, {**SAY, "key": "own"}]
    first, _ = billing.bulk(sent, {"Idempotency-Key": "import-7"})
    again, summary = billing.bulk(sent, {"Idempotency-Key": "import-7"})
    assert [each["new"] for each in first] == [True] * 3
    assert [each["id"] for each in again] == [each["id"] for each in first]
    assert summary["new"] == 0
    assert [store.jobs.get(each["id"]).key for each in first] == ["import-7:1", "import-7:3", "own"]


# -- streaming -----------------------------------------------------------------------------


def head(key: str, length: int | None = None) -> bytes:
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return (
        "POST /v1/jobs/bulk HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
        f"Authorization: Bearer {key}\r\n{size}\r\n\r\n"
    ).encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def until(wire: socket.socket, end: bytes) -> bytes:
    """Return what comes until something stands in it."""
    told = b""
    while end not in told:
        piece = wire.recv(65536)
        assert piece, told
        told += piece
    return told


def test_answers_come_while_lines_still_go(billing: Client, store: Store) -> None:
    with billing.gateway.wire() as wire:
        wire.sendall(head(billing.text))
        for number, line in enumerate(lines(3), 1):
            wire.sendall(chunk(as_line(line)))
            until(wire, b'"line":%d' % number)
        assert jobs(store) == 3
        wire.sendall(chunk(b""))
        until(wire, b'"complete":true')


@pytest.mark.parametrize("how", ["Content-Length: {}", "X-Forwarded-For: 192.0.2.1", "Via: 1.1 x"])
def test_the_answer_begins_after_the_lines_where_a_proxy_may_stand_between(
    billing: Client, store: Store, how: str
) -> None:
    """nginx sends nothing more on as soon as an answer begins. The lines are taken in meanwhile."""
    sent = [as_line(line) for line in lines(3)]
    announced = how.startswith("Content-Length")
    first = how.format(len(b"".join(sent)))
    said = head(billing.text, 0 if announced else None)
    said = said.replace(b"Content-Length: 0", b"X: y").replace(b"\r\n\r\n", b"")
    with billing.gateway.wire() as wire:
        wire.sendall(said + f"\r\n{first}\r\n\r\n".encode())
        wire.sendall(sent[0] if announced else chunk(sent[0]))
        eventually(lambda: jobs(store) == 1, "the first line is taken in")
        wire.settimeout(0.2)
        with pytest.raises(TimeoutError):
            wire.recv(1)
        wire.settimeout(30)
        for line in sent[1:]:
            wire.sendall(line if announced else chunk(line))
        wire.sendall(b"" if announced else chunk(b""))
        assert until(wire, b'"complete":true').startswith(b"HTTP/1.1 200 ")


def test_who_sends_all_before_reading_anything_is_not_kept_waiting(
    billing: Client, store: Store
) -> None:
    """The answers are larger than what sockets hold: both sides would wait for each other."""
    body = (b"x" * 200 + b"\n") * 40_000
    with billing.gateway.wire() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        wire.sendall(head(billing.text, len(body)))
        wire.sendall(body)
        told = everything(wire)
    assert len(told) > 6_000_000
    assert b'"refused":40000' in told
    assert jobs(store) == 0


def test_what_a_cut_connection_left_is_completed_by_sending_it_again(
    billing: Client, store: Store
) -> None:
    sent = lines(2000)
    body = b"".join(map(as_line, sent))
    cut = len(body) // 2
    with billing.gateway.wire() as wire:
        wire.sendall(head(billing.text, len(body)) + body[:cut])
        eventually(lambda: jobs(store) >= 500, "it is being taken in")
    whole = body[:cut].count(b"\n")
    eventually(lambda: jobs(store) >= whole, "all that came whole is taken in")
    assert jobs(store) == whole  # all that came whole, and not what the cut left of a line
    found, summary = billing.bulk(sent)
    assert (len(found), summary["accepted"]) == (2000, 2000)
    assert summary["new"] == 2000 - whole
    assert jobs(store) == 2000


def test_curl_waits_for_100_continue_and_gets_it(billing: Client) -> None:
    request = head(billing.text, 10).replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
    with billing.gateway.wire() as wire:
        wire.sendall(request)
        assert until(wire, b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        wire.sendall(b"{}\n{}\n{}\n\n")
        until(wire, b'"complete":true')


def test_a_generator_may_feed_it(billing: Client, store: Store) -> None:
    def feed() -> Iterator[bytes]:
        for line in lines(1500):
            yield as_line(line)

    answer = billing.ask("POST", "/v1/jobs/bulk", data=feed(), headers=NDJSON)
    assert answered(answer.content)[1]["new"] == 1500
    assert jobs(store) == 1500


# -- what is wrong -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b'{"recipient": "\xff"}', 400),
        (b'{"say": "a", "say": "b"}', 400),
        (b'{"redial": NaN}', 400),
        (b'{"redial_after": 1e999}', 400),
        (b'{"redial": ' + b"9" * 5000 + b"}", 400),
        (b'{"say": "\\ud800"}', 400),
        (b"[" * 30_000, 400),
        (b'{"say": "' + b"x" * 70_000 + b'"}', 413),
        (b'"' + NUMBER.encode() + b'"', 400),
        (b"\x00", 400),
        (b'{"recipient": "' + NUMBER.encode() + b'x", "say": "a", "key": "k"}', 422),
    ],
)
def test_a_bad_line_stops_none_of_the_others(
    billing: Client, store: Store, line: bytes, status: int
) -> None:
    found, summary = billing.bulk([*lines(1), line, *lines(1, 1)])
    assert [each.get("status") for each in found] == [None, status, None]
    assert (summary["new"], summary["complete"]) == (2, True)
    assert NUMBER not in json.dumps(found)
    assert jobs(store) == 2


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
def test_what_is_not_declared_as_lines_is_refused_at_once(billing: Client, kind: str) -> None:
    answer = billing.ask("POST", "/v1/jobs/bulk", data=b"{}", headers={"Content-Type": kind})
    assert "application/x-ndjson" in problem(answer, 415)["remedy"]


def test_a_line_without_end_is_cut_and_not_kept(billing: Client) -> None:
    body = b"x" * 5_000_000 + b"\n" + as_line(lines(1)[0])
    answer = billing.ask("POST", "/v1/jobs/bulk", data=body, headers=NDJSON)
    found, summary = answered(answer.content)
    assert [each.get("status") for each in found] == [413, None]
    assert summary["new"] == 1


# -- rates ---------------------------------------------------------------------------------


def test_lines_count_against_the_rate_and_a_repeat_goes_on(gateway: Gateway, store: Store) -> None:
    slow = client(gateway, store, "slow", Scope.ENQUEUE, quota="5/day")
    found, summary = slow.bulk([*lines(3), b"{oops", *lines(5, 3)])
    assert [each.get("status") for each in found] == [None] * 3 + [400] + [None] * 2 + [429] * 3
    assert "try again in" in found[-1]["remedy"]
    assert summary["new"] == 5
    again, summary = slow.bulk(lines(8))
    assert [each.get("new") for each in again[:5]] == [None] * 5  # nothing is free yet
    assert summary["accepted"] == 0


def test_what_stood_already_costs_nothing_of_the_rate(gateway: Gateway, store: Store) -> None:
    rest = client(gateway, store, "slow", Scope.ENQUEUE, quota="6/day")
    rest.bulk(lines(5))
    _, summary = rest.bulk(lines(8))
    assert (summary["accepted"], summary["new"]) == (6, 1)


def test_no_more_than_a_few_at_once_and_no_client_keeps_the_others_out(
    gateway: Gateway, store: Store, billing: Client
) -> None:
    others = [client(gateway, store, name, Scope.ENQUEUE) for name in ("alerts", "late")]
    wires = []
    for one in (billing, others[0]):
        for _ in range(4):
            wires.append(one.gateway.wire())
            wires[-1].sendall(head(one.text) + chunk(as_line(lines(1)[0])))
            until(wires[-1], b'"line":1')
        answer = one.ask("POST", "/v1/jobs/bulk", data=b"", headers=NDJSON)
        assert "DISPATCHER_BULK_REQUESTS_PER_CLIENT allows 4" in problem(answer, 429)["detail"]
        assert int(answer.headers["Retry-After"]) > 0
    late = others[1].ask("POST", "/v1/jobs/bulk", data=b"", headers=NDJSON)
    assert "DISPATCHER_BULK_REQUESTS allows 8" in problem(late, 503)["detail"]
    for wire in wires:
        wire.close()
    eventually(
        lambda: billing.ask("POST", "/v1/jobs/bulk", data=b"", headers=NDJSON).ok, "there is room"
    )


def test_a_key_that_is_revoked_meanwhile_takes_in_no_more(billing: Client, store: Store) -> None:
    with billing.gateway.wire() as wire:
        wire.sendall(head(billing.text) + chunk(as_line(lines(1)[0])))
        until(wire, b'"line":1')
        assert store.api_keys.revoke(billing.key.id)
        wire.sendall(chunk(as_line(lines(1, 1)[0])))
        told = until(wire, b'"summary"')
    assert b'"accepted":1,"new":1,"refused":0,"complete":false' in told
    assert b'"status":401' in told
    assert jobs(store) == 1


# -- when things go away -------------------------------------------------------------------


def test_that_redis_went_away_ends_the_answer_with_a_problem(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    with (
        EmbeddedServer(tmp_path / "redis", appendfsync="no") as away,
        Gateway(tmp_path, away.url, DISPATCHER_BROKER_URL=server.url) as gateway,
    ):
        one = client(gateway, Store.from_url(away.url), "x", Scope.ENQUEUE)
        with gateway.wire() as wire:
            wire.sendall(head(one.text) + chunk(as_line(lines(1)[0])))
            until(wire, b'"line":1')
            away.kill()
            wire.sendall(chunk(as_line(lines(1, 1)[0])))
            told = until(wire, b'"summary"')
        assert b'"lines":1,"accepted":1,"new":1,"refused":0,"complete":false' in told
        assert b'"status":503' in told
        assert "503" in str(problem(one.post("/v1/jobs", SAY), 503))
        assert "Traceback" not in gateway.log
