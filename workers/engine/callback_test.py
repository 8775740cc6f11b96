"""Tests now and then whether the public URL leads to our gateway.

Where no call has ended lately, that is what shows whether callbacks arrive. The provider may still
be kept from where a worker gets through: what is seen of its own callbacks goes before this.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import requests

from dispatcher.model.callbacks_seen import CallbacksSeen
from dispatcher.store import Store
from dispatcher.values.callback_urls import CallbackUrls
from dispatcher.values.tls_faults import tls_fault

log = logging.getLogger(__name__)

EVERY = 300.0
"""Seconds between two tests."""
AGAIN = 60.0
"""Seconds until the next one after one that failed."""
TIMEOUT = 10.0


def send(url: str) -> str:
    """Send the request; return what came back, in a word or two. Raises nothing."""
    try:
        answer = requests.post(url, timeout=TIMEOUT, allow_redirects=False)
    except (requests.RequestException, ValueError) as error:
        return tls_fault(error) or type(error).__name__
    return f"it answers {answer.status_code}"


@dataclass(frozen=True)
class CallbackTest:
    """Sends a request to our own callback URL. That it came is what the gateway noted: whatever
    else answers there, an answer alone proves nothing.
    """

    store: Store
    urls: CallbackUrls | None
    send: Callable[[str], str] = send

    def __call__(self) -> dict[str, str]:
        """Test the way if that is due; return how it went. Raises StoreUnavailable."""
        began = self.store.now()
        if self.urls is None or not _is_due(self.store.callbacks.seen(), began):
            return {}
        answer = self.send(self.urls.test(began / 1000))
        seen = self.store.callbacks.seen()
        if (seen.test_passed or 0) >= int(began):
            return {"callback test": "passed"}
        self._note_failure(answer, first=not seen.broken)
        return {"callback test": "failed"}

    def _note_failure(self, answer: str, *, first: bool) -> None:
        self.store.callbacks.note_test(passed=False)
        if first:
            log.warning(
                "a request to DISPATCHER_PUBLIC_URL did not come to the gateway (%s):"
                " the provider's callbacks may not arrive either",
                answer,
            )


def _is_due(seen: CallbacksSeen, now: float) -> bool:
    passed, failed = seen.test_passed or 0, seen.test_failed or 0
    wait = AGAIN if failed > passed else EVERY
    return now >= max(passed, failed) + wait * 1000
