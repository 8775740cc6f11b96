"""Reports an alert through the gateway, from machines that may not reach Redis: with a key that may
do nothing else.
"""

from __future__ import annotations

import json
import ssl
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import typer

from dispatcher.errors import DispatcherError, UsageError
from dispatcher.model.alert import AlertEvent, AlertState
from dispatcher.store.alert_values import Recorded
from dispatcher.values.hosts import is_loopback
from dispatcher.values.masking import mask_text
from dispatcher.values.tls_faults import tls_fault

GatewayUrl = Annotated[
    str | None,
    typer.Option(
        "--gateway",
        metavar="URL",
        envvar="DISPATCHER_GATEWAY_URL",
        help="Report through the gateway there, and not in Redis.",
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        envvar="DISPATCHER_KEY_FILE", help="The file of the API key for it, of the scope alert."
    ),
]
PATH = "/v1/alerts/generic"
TIMEOUT = 10.0  # seconds
MOST_SHOWN = 300
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})


class NotReported(DispatcherError):
    """The gateway did not take the report; the message says why, and shows no key."""


class GatewayAway(NotReported):
    """It did not for now: the same report may be sent again."""


class _StayHere(urllib.request.HTTPRedirectHandler):
    """A redirect would send the report on as a GET, without what it says."""

    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass(frozen=True)
class Gateway:
    """`url` is its address, without a path of ours; `key` an API key with the scope `alert`."""

    url: str
    key: str = field(repr=False)

    @classmethod
    def of(cls, url: str | None, key_file: Path | None) -> Gateway | None:
        """Return the gateway at `url`, if one is named. Raises UsageError, where the key would go
        over the network in clear, too.
        """
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise UsageError("--gateway: write its address, such as https://voice.example.com")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise UsageError("--gateway: the key would go over the network in clear; use https://")
        if key_file is None:
            raise UsageError("--key-file is missing: it holds an API key with the scope alert")
        try:
            return cls(url.rstrip("/"), key_file.read_text().strip())
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--key-file: {key_file} cannot be read ({error})") from None

    def report(self, event: AlertEvent) -> Recorded:
        """Report an alert; return what became of it. Raises NotReported, or GatewayAway."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(  # noqa: S310 - http or https, see above
            self.url + PATH, json.dumps(_body(event)).encode(), headers
        )
        opener = urllib.request.build_opener(_StayHere)
        try:
            with opener.open(request, timeout=TIMEOUT) as answer:
                return _recorded(json.load(answer))
        except HTTPError as error:
            raise _refused(error) from None
        except (OSError, ssl.SSLError) as error:
            why = tls_fault(error) or f"it cannot be reached ({_words(error)})"
            raise GatewayAway(f"the gateway {self.url}: {why}") from None
        except (ValueError, LookupError, TypeError):
            raise NotReported(f"{self.url} answers as no gateway does: is it one?") from None


def _recorded(answer: Any) -> Recorded:
    """Return what became of the one alert. Raises ValueError, LookupError, TypeError."""
    (told,) = answer["alerts"]
    return Recorded(told["id"] or "", told["what"], AlertState(told["state"]), told["bundle"])


def _body(event: AlertEvent) -> dict[str, Any]:
    return {
        "id": event.fingerprint,
        "summary": event.summary,
        "severity": str(event.severity),
        "firing": event.firing,
        "labels": {**event.labels, "reported_by": event.source},
        "description": "\n".join(event.annotations.values()) or None,
        "link": event.link,
    }


def _refused(error: HTTPError) -> NotReported:
    with error:
        says = _detail(error)
    kind = GatewayAway if error.code in _LATER else NotReported
    return kind(f"the gateway answers {error.code}{says}")


def _detail(error: HTTPError) -> str:
    if error.code // 100 == 3:  # noqa: PLR2004
        return ": it is at another address, name that one"
    try:
        told = json.loads(error.read(65536))
        return f": {mask_text(str(told.get('detail') or told.get('title')))[:MOST_SHOWN]}"
    except (ValueError, AttributeError, OSError):
        return ""


def _words(error: OSError) -> str:
    reason = getattr(error, "reason", error)
    return type(reason).__name__ if isinstance(reason, Exception) else str(reason)[:MOST_SHOWN]
