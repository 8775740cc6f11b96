"""One try to deliver one webhook."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from dispatcher import __version__
from dispatcher.errors import DispatcherError
from dispatcher.store.webhooks import LEASE, Webhook, Webhooks
from dispatcher.tracing import UNTRACED, Spans
from dispatcher.values.alert_links import AlertLinks
from dispatcher.values.traceparent import HEADER
from dispatcher.values.webhook_secrets import WebhookSecrets
from dispatcher.values.webhook_url import webhook_url
from workers.engine.retrying import retry_until_available
from workers.webhooks import payload, signing
from workers.webhooks.verdict import Verdict, judge
from workers.webhooks.wire import Reply, Wire

_HEADERS = {
    "Content-Type": "application/json",
    "User-Agent": f"voice-dispatcher/{__version__}",
}


class Undeliverable(DispatcherError):
    """Nothing can be sent, and the receiver has no part in it; the message says what to mend."""


@dataclass(frozen=True)
class Deliver:
    """Sends webhooks to the account's targets (`urls`) by `wire`, and to those that jobs name by
    `wire_of_jobs`, which may go to other addresses.
    """

    webhooks: Webhooks
    wire: Wire
    wire_of_jobs: Wire
    urls: Sequence[str]
    secrets: WebhookSecrets
    whole: bool = False
    links: AlertLinks | None = None
    spans: Spans = UNTRACED
    random: Random = field(default_factory=Random)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def __call__(self, id_: str) -> Verdict | None:
        """Try once; None where there is nothing to do. Carries on where Redis is away meanwhile."""
        webhook = retry_until_available(lambda: self.webhooks.claim(id_, LEASE))
        if webhook is None:
            return None
        reply = self._send(webhook)
        verdict = judge(
            reply,
            tries=webhook.tries,
            failures=webhook.failures,
            age=webhook.age,
            random=self.random,
            own=webhook.is_of_job,
        )
        retry_until_available(lambda: self._settle(id_, verdict))
        return verdict

    def _settle(self, id_: str, verdict: Verdict) -> None:
        self.webhooks.settle(
            id_,
            verdict.what,
            delay=verdict.delay,
            pause=verdict.pause,
            slow=verdict.slow,
            error=verdict.error,
        )

    def _send(self, webhook: Webhook) -> Reply:
        try:
            url = self._url(webhook)
            secrets = self._secrets(webhook, url)
        except DispatcherError as error:
            return Reply(None, str(error), 0)
        body = payload.body(webhook, whole=self.whole, links=self.links)
        signed = signing.headers(secrets, webhook.event, body, self.now())
        wire = self.wire_of_jobs if webhook.is_of_job else self.wire
        with self.spans.webhook(webhook.type, webhook.traceparent) as step:
            traced = {HEADER: step.traceparent} if step.traceparent else {}
            reply = wire.post(url, body.encode(), {**_HEADERS, **signed, **traced})
            step.answered(reply.status)
        return reply

    def _url(self, webhook: Webhook) -> str:
        if webhook.is_of_job:
            return webhook_url(webhook.own_url)
        try:
            return self.urls[int(webhook.target) - 1]
        except IndexError:
            raise Undeliverable(
                f"DISPATCHER_WEBHOOK_URL does not list {webhook.target} any more"
            ) from None

    def _secrets(self, webhook: Webhook, url: str) -> Sequence[str]:
        if not self.secrets.own:
            raise Undeliverable(
                "there is no secret to sign with:"
                " set DISPATCHER_WEBHOOK_SECRET or DISPATCHER_SECRET_KEY"
            )
        if webhook.is_of_job:
            return self.secrets.of_job(url)
        return [*self.secrets.of_account(url), *self.secrets.old]
