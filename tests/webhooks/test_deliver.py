"""One webhook to a real receiver: signed, once more where it fails, and never a hold-up."""

from __future__ import annotations

import json
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from dispatcher.store import Store
from dispatcher.store.webhooks import Webhooks
from dispatcher.values.webhook_secrets import WebhookSecrets, secret_from_key
from support import webhook_receiver as acts
from support.clock import Clock
from support.hidden_numbers import WRITINGS, tells
from support.redis_inside import key_of, redis_of
from support.webhook_jobs import LOOPBACK, RECIPIENT, SAY, deliver, ended, enqueue, run, targets
from support.webhook_receiver import (
    SECRET,
    Delivery,
    Receiver,
    account_secret,
    job_secret,
    receiving,
)
from workers.webhooks.addresses import Addresses
from workers.webhooks.wire import Wire

OTHER = secret_from_key("another key of the dispatcher")


def once(webhooks: Webhooks, store: Store, receiver: Receiver, path: str = "/") -> str:
    """End a job whose receiver behaves as the path says, deliver, and return what was wrong."""
    ended(store, webhook=receiver.url + path)
    (verdict,) = run(webhooks, deliver(webhooks))
    assert verdict.what in {"done", "again", "dead"}
    return str(verdict.error)


# -- what is told -------------------------------------------------------------------------------


def test_a_receiver_that_knows_the_secret_reads_the_job(
    store: Store, webhooks: Webhooks, receiver: Receiver, clock: Clock
) -> None:
    targets(store)
    id_ = ended(store, key="alert-1", tags=["db1"])
    run(webhooks, deliver(webhooks, receiver.url))
    (got,) = receiver.got
    payload = got.verified(account_secret(receiver.url))
    assert set(payload) == {"type", "timestamp", "sequence", "data"}
    assert payload["type"] == "job.cancelled"
    assert payload["timestamp"] == "2023-11-14T22:13:20.000Z"
    assert payload["data"] == json.loads(json.dumps(store.jobs.get(id_).to_dict(mask=True)))
    assert payload["data"]["recipient"] == "+8180****4567"
    assert got.event.startswith(f"msg_{id_}-")
    assert got.headers["content-type"] == "application/json"
    assert webhooks.counts() == {"waiting": 0, "dead": 0}


def test_neither_number_nor_text_is_told_unless_whole(
    store: Store, webhooks: Webhooks, receiver: Receiver
) -> None:
    targets(store)
    ended(store)
    run(webhooks, deliver(webhooks, receiver.url))
    assert RECIPIENT[1:] not in receiver.got[0].body.decode()
    assert SAY not in receiver.got[0].body.decode()
    ended(store)
    run(webhooks, deliver(webhooks, receiver.url, whole=True))
    told = receiver.got[1].verified(account_secret(receiver.url))["data"]
    assert (told["recipient"], told["say"]) == (RECIPIENT, SAY)


@pytest.mark.parametrize("written", WRITINGS)
def test_no_event_of_the_account_tells_a_number_unless_whole(
    store: Store, webhooks: Webhooks, receiver: Receiver, written: str
) -> None:
    """They carry the tags and notes of people."""
    targets(store)
    for whole in (False, True):
        facts = json.dumps({"name": f"paused:tag:to {written}", "why": written, "at": 1})
        redis_of(store).xadd(key_of(store, "events"), {"kind": "hold.started", "facts": facts})
        run(webhooks, deliver(webhooks, receiver.url, whole=whole))
    masked, told = (got.body.decode() for got in receiver.got)
    assert not tells(masked)
    assert "paused:tag:to " in masked
    assert tells(told)


def test_an_event_of_the_account_is_told_with_its_facts(
    store: Store, webhooks: Webhooks, receiver: Receiver
) -> None:
    targets(store)
    redis_of(store).xadd(key_of(store, "events"), {"kind": "credit.low", "facts": '{"credits":60}'})
    run(webhooks, deliver(webhooks, receiver.url))
    told = receiver.got[0].verified(account_secret(receiver.url))
    assert (told["type"], told["data"]) == ("credit.low", {"credits": 60})


def test_while_secrets_rotate_receivers_with_either_can_verify(
    store: Store, webhooks: Webhooks, receiver: Receiver
) -> None:
    targets(store)
    ended(store)
    rotating = WebhookSecrets((OTHER, SECRET))
    run(webhooks, deliver(webhooks, receiver.url, secrets=rotating))
    (got,) = receiver.got
    new, old = rotating.of_account(receiver.url)
    assert (new, old) == (account_secret(receiver.url, OTHER), account_secret(receiver.url))
    assert got.verified(new) == got.verified(old)
    with pytest.raises(WebhookVerificationError):
        got.verified(account_secret(receiver.url, secret_from_key("a key that nobody set")))


def test_no_receiver_gets_what_verifies_at_another(
    store: Store, webhooks: Webhooks, receiver: Receiver
) -> None:
    """A job's own receiver least of all: whoever may enqueue chooses it."""
    targets(store, 2)
    one, two = f"{receiver.url}/one", f"{receiver.url}/two"
    ended(store, webhook=one)
    run(webhooks, deliver(webhooks, one, two))
    secrets = {
        "one": account_secret(one),
        "two": account_secret(two),
        "job": job_secret(one),
        "shared": SECRET,
    }
    verifies = [
        (each.path, name)
        for each in receiver.got
        for name, secret in secrets.items()
        if _verifies(each, secret)
    ]
    assert sorted(verifies) == [("/one", "job"), ("/one", "one"), ("/two", "two")]


def test_an_old_secret_that_all_had_signs_for_the_account_alone(
    store: Store, webhooks: Webhooks, receiver: Receiver
) -> None:
    targets(store)
    ended(store, webhook=f"{receiver.url}/own")
    told = f"{receiver.url}/told"
    secrets = WebhookSecrets((SECRET,), old=(OTHER,))
    run(webhooks, deliver(webhooks, told, secrets=secrets))
    assert {each.path for each in receiver.got} >= {"/own", "/told"}
    for each in receiver.got:
        assert _verifies(each, OTHER) == (each.path == "/told")
        each.verified(job_secret(told) if each.path == "/own" else account_secret(told))


def _verifies(delivery: Delivery, secret: str) -> bool:
    try:
        delivery.verified(secret)
    except WebhookVerificationError:
        return False
    return True


def test_a_changed_body_or_an_old_message_is_recognised(
    store: Store, webhooks: Webhooks, receiver: Receiver
) -> None:
    targets(store)
    ended(store)
    long_ago = datetime(2024, 1, 1, tzinfo=UTC)
    run(webhooks, deliver(webhooks, receiver.url, now=lambda: long_ago))
    ended(store)
    run(webhooks, deliver(webhooks, receiver.url))
    old, new = receiver.got
    with pytest.raises(WebhookVerificationError, match="too old"):
        old.verified(account_secret(receiver.url))
    with pytest.raises(WebhookVerificationError):
        Verifier(account_secret(receiver.url)).verify(
            new.body.replace(b"cancelled", b"completed"), new.headers
        )


def test_every_try_has_the_same_id_and_body_and_a_fresh_time(
    store: Store, webhooks: Webhooks, receiver: Receiver, clock: Clock
) -> None:
    targets(store)
    receiver.answers["/"] = 500
    id_ = ended(store)
    moments = iter([datetime.now(UTC), datetime.fromtimestamp(time.time() + 100, UTC)])
    sender = deliver(webhooks, receiver.url + "/", now=lambda: next(moments))
    run(webhooks, sender)
    store.jobs.retry(id_, actor="cli:sam")  # the job goes on; what is told is how it was
    receiver.answers["/"] = 200
    clock.forward(5)
    run(webhooks, sender)
    first, second = receiver.got
    assert (first.event, first.body) == (second.event, second.body)
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    second.verified(account_secret(receiver.url + "/"))


def test_the_sequence_tells_which_event_was_the_later_one(
    store: Store, webhooks: Webhooks, receiver: Receiver
) -> None:
    targets(store, every=True)
    store.jobs.cancel(enqueue(store), actor="cli:sam")
    run(webhooks, deliver(webhooks, receiver.url))
    by_type = {each.read()["type"]: each.read()["sequence"] for each in receiver.got}
    assert by_type["job.queued"] < by_type["job.cancelled"]


def test_each_target_of_the_account_is_told_and_the_jobs_own(
    store: Store, webhooks: Webhooks, receiver: Receiver
) -> None:
    targets(store, 2)
    ended(store, webhook=receiver.url + "/own")
    run(webhooks, deliver(webhooks, receiver.url + "/one", receiver.url + "/two?token=t"))
    assert sorted(each.path for each in receiver.got) == ["/one", "/own", "/two?token=t"]
    assert len({each.event for each in receiver.got}) == 1


# -- what receivers do --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (404, "it answered 404"),
        (500, "it answered 500"),
        (acts.redirect, "it answered 302"),
        (acts.nonsense, "no answer could be read"),
        (acts.cut, "no answer could be read"),
        (acts.busy("120"), "it answered 429"),
        (acts.busy("Wed, 21 Oct 2065 07:28:00 GMT"), "it answered 429"),
        (acts.busy("9" * 500), "it answered 429"),
        (413, "it answered 413"),
        (421, "it answered 421"),
        (308, "it answered 308: redirects are not followed, change the URL"),
    ],
)
def test_what_is_no_success_is_tried_again(
    store: Store, webhooks: Webhooks, receiver: Receiver, answer: object, wrong: str
) -> None:
    receiver.answers["/"] = answer
    assert wrong in once(webhooks, store, receiver)
    assert len(receiver.got) == 1  # above all, no redirect was followed
    assert webhooks.counts() == {"waiting": 1, "dead": 0}


def test_410_is_given_up(store: Store, webhooks: Webhooks, receiver: Receiver) -> None:
    receiver.answers["/"] = 410
    assert "410" in once(webhooks, store, receiver)
    assert webhooks.counts() == {"waiting": 0, "dead": 1}


def test_a_receiver_of_the_account_that_is_gone_is_left_alone_for_an_hour_at_a_time(
    store: Store, webhooks: Webhooks, receiver: Receiver, clock: Clock
) -> None:
    targets(store)
    receiver.answers["/"] = 410
    sender = deliver(webhooks, receiver.url + "/")
    ended(store)
    run(webhooks, sender)
    ended(store)
    clock.forward(3590)
    assert run(webhooks, sender) == []
    clock.forward(20)
    receiver.answers["/"] = 200  # it is back
    assert [verdict.what for verdict in run(webhooks, sender)] == ["done"]
    assert len(receiver.got) == 2


def test_of_a_jobs_receivers_only_the_url_is_gone(
    store: Store, webhooks: Webhooks, receiver: Receiver
) -> None:
    receiver.answers["/gone"] = 410
    sender = deliver(webhooks)
    for path in ("/gone", "/there"):
        ended(store, webhook=receiver.url + path)
        run(webhooks, sender)
    assert [each.path for each in receiver.got] == ["/gone", "/there"]


@pytest.mark.parametrize("how", ["hangs", "trickles"])
def test_a_receiver_that_takes_its_time_is_given_a_little(
    store: Store, webhooks: Webhooks, receiver: Receiver, how: str
) -> None:
    receiver.answers["/"] = acts.hang(receiver) if how == "hangs" else acts.trickle
    ended(store, webhook=receiver.url + "/")
    began = time.monotonic()
    (verdict,) = run(webhooks, deliver(webhooks, wire=Wire(LOOPBACK, 0.5, 0.5)))
    assert verdict.error == "it did not answer in time"
    assert time.monotonic() - began < 8  # it takes 10 to trickle, and longer to hang


def test_an_answer_without_end_is_not_read(
    store: Store, webhooks: Webhooks, receiver: Receiver
) -> None:
    receiver.answers["/"] = acts.flood
    assert once(webhooks, store, receiver) == ""


def test_nobody_there_and_no_such_name(store: Store, webhooks: Webhooks) -> None:
    with receiving() as gone:
        pass
    assert "Connection refused" in once(webhooks, store, gone)
    gone.url = "http://no-such-name.invalid"
    assert "does not resolve" in once(webhooks, store, gone)


def test_private_addresses_are_refused_and_may_be_allowed_later(
    store: Store, webhooks: Webhooks, receiver: Receiver, clock: Clock
) -> None:
    ended(store, webhook=receiver.url)
    (verdict,) = run(webhooks, deliver(webhooks, wire=Wire(Addresses(), 1, 1)))
    assert "DISPATCHER_WEBHOOK_ALLOW_PRIVATE" in verdict.error
    assert not receiver.got
    clock.forward(5)
    (verdict,) = run(webhooks, deliver(webhooks))
    assert verdict.what == "done"


def test_a_network_of_the_accounts_receivers_is_not_one_of_those_that_jobs_name(
    store: Store, webhooks: Webhooks, receiver: Receiver
) -> None:
    """Else whoever may enqueue could have any address of that network asked."""
    targets(store)
    ended(store, webhook=f"{receiver.url}/inside")
    of_jobs = Wire(Addresses((), "DISPATCHER_WEBHOOK_ALLOW_PRIVATE_JOBS"), 1, 1)
    verdicts = run(webhooks, deliver(webhooks, f"{receiver.url}/told", wire_of_jobs=of_jobs))
    assert [each.path for each in receiver.got] == ["/told"]
    assert "DISPATCHER_WEBHOOK_ALLOW_PRIVATE_JOBS allows it" in "".join(
        each.error for each in verdicts
    )


@pytest.mark.parametrize("status", [429, 503])
def test_a_date_says_as_well_when_to_come_again(
    store: Store, webhooks: Webhooks, receiver: Receiver, status: int
) -> None:
    """By the receiver's own clock, which says its Date; this one is years off."""
    said = {"Date": "Sun Nov  6 08:49:37 1994", "Retry_After": "Sunday, 06-Nov-94 08:59:37 GMT"}
    receiver.answers["/"] = lambda handler: handler.reply_dated(status, **said)
    ended(store, webhook=receiver.url + "/")
    (verdict,) = run(webhooks, deliver(webhooks))
    assert (verdict.delay, verdict.pause) == (600, 600)


def test_without_a_secret_nothing_is_sent_and_it_is_said(
    store: Store, webhooks: Webhooks, receiver: Receiver
) -> None:
    ended(store, webhook=receiver.url)
    (verdict,) = run(webhooks, deliver(webhooks, secrets=WebhookSecrets(())))
    assert "DISPATCHER_WEBHOOK_SECRET" in verdict.error
    assert not receiver.got


def test_a_target_that_was_taken_out_of_the_settings_is_said(
    store: Store, webhooks: Webhooks
) -> None:
    targets(store, 2)
    ended(store)
    verdicts = run(webhooks, deliver(webhooks))
    assert "does not list 2 any more" in " ".join(each.error for each in verdicts)


# -- TLS ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    return path


def serving(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.mark.usefixtures("bundle")
def test_https_is_verified(store: Store, webhooks: Webhooks, authority: trustme.CA) -> None:
    with receiving(serving(authority, "127.0.0.1")) as receiver:
        assert once(webhooks, store, receiver) == ""
        receiver.got[0].verified(job_secret(receiver.url))


@pytest.mark.usefixtures("bundle")
@pytest.mark.parametrize("flaw", ["another name", "another authority"])
def test_a_certificate_that_does_not_fit_is_refused(
    store: Store, webhooks: Webhooks, authority: trustme.CA, flaw: str
) -> None:
    context = (
        serving(authority, "other.example")
        if flaw == "another name"
        else serving(trustme.CA(), "127.0.0.1")
    )
    with receiving(context) as receiver:
        assert "TLS failed" in once(webhooks, store, receiver)
        assert not receiver.got
