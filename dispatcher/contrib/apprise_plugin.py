"""A plug-in for Apprise: `voices://KEY@gateway` reports an alert, `voice://` without TLS.

Import it where Apprise is used, or name this file as a plug-in path. A notification of the type
`success` ends the alert of the same key.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, ClassVar, Final

import requests
from apprise import NotifyType
from apprise.manager_plugins import NotificationManager
from apprise.plugins.base import NotifyBase

PATH: Final = "/v1/alerts/generic"
LONGEST_SUMMARY: Final = 500
TIMEOUT: Final = 15.0
"""Seconds: the gateway takes an alert in within a few, or says that it cannot."""
SEVERITIES: Final = {
    NotifyType.FAILURE: "critical",
    NotifyType.WARNING: "warning",
    NotifyType.INFO: "info",
    NotifyType.SUCCESS: "info",
}


class NotifyVoice(NotifyBase):
    """Reports alerts to the gateway of a voice dispatcher."""

    app_id = "voice-dispatcher"
    service_name = "Voice dispatcher"
    protocol = "voice"
    secure_protocol = "voices"
    body_maxlen = 10_000
    title_maxlen = LONGEST_SUMMARY
    request_rate_per_sec = 0
    templates = ("{schema}://{user}@{host}", "{schema}://{user}@{host}:{port}")
    template_tokens: ClassVar = {
        **NotifyBase.template_tokens,
        "user": {"name": "API key", "type": "string", "private": True, "required": True},
        "host": {"name": "Gateway", "type": "string", "required": True},
        "port": {"name": "Port", "type": "int", "min": 1, "max": 65535},
    }
    template_args: ClassVar = {
        **NotifyBase.template_args,
        "key": {"name": "What the alert is known by", "type": "string"},
        "severity": {"name": "Severity", "type": "string"},
    }
    template_kwargs: ClassVar = {"labels": {"name": "Labels", "prefix": "+"}}

    def __init__(
        self,
        key: str | None = None,
        severity: str | None = None,
        labels: dict[str, str] | None = None,
        **rest: Any,
    ) -> None:
        super().__init__(**rest)
        self._key, self._severity, self._labels = key, severity, dict(labels or {})

    def _build_send_calls(  # type: ignore[override] # all else is handed on as it is
        self, body: str | None = None, title: str | None = None, **rest: Any
    ) -> Generator[dict[str, Any], None, None]:
        """Let a title alone be enough: Apprise takes it, and would not send it."""
        if not body:
            body, title = title, ""
        yield from super()._build_send_calls(body=body, title=title, **rest)

    def send(
        self,
        body: str,
        title: str = "",
        notify_type: NotifyType = NotifyType.INFO,
        **_: Any,
    ) -> bool:
        """Report an alert; return whether it is recorded."""
        alert = self._alert(body, title, notify_type)
        try:
            answer = requests.post(
                self._address(),
                json=alert,
                headers={"Authorization": f"Bearer {self.user}"},
                verify=self.verify_certificate,
                timeout=TIMEOUT,
                allow_redirects=False,  # one would lose the alert
            )
        except requests.RequestException:
            self.logger.warning("The voice dispatcher at %s cannot be reached", self.host)
            return False
        if answer.status_code != requests.codes.accepted:
            self.logger.warning("The voice dispatcher answered %d", answer.status_code)
            return False
        return True

    def _alert(self, body: str, title: str, notify_type: NotifyType) -> dict[str, Any]:
        summary = (title or body.strip().partition("\n")[0])[:LONGEST_SUMMARY]
        return {
            "id": self._key or summary,
            "summary": summary,
            "severity": self._severity or SEVERITIES.get(notify_type, "critical"),
            "firing": notify_type is not NotifyType.SUCCESS,
            "labels": self._labels,
            "description": body if title or body.strip() != summary else None,
        }

    def _address(self) -> str:
        scheme, port = ("https" if self.secure else "http"), f":{self.port}" if self.port else ""
        return f"{scheme}://{self.host}{port}{PATH}"

    def url(self, privacy: bool = False, *args: Any, **options: Any) -> str:
        """Return the URL that makes the same plug-in again."""
        params = self.url_parameters(*args, privacy=privacy, **options)
        params |= {f"+{name}": value for name, value in self._labels.items()}
        own = {"key": self._key, "severity": self._severity}
        params |= {name: value for name, value in own.items() if value}
        who = self.pprint(self.user, privacy, safe="")
        port = f":{self.port}" if self.port else ""
        scheme = self.secure_protocol if self.secure else self.protocol
        return f"{scheme}://{who}@{self.host}{port}/?{self.urlencode(params)}"

    @staticmethod
    def parse_url(url: str, *_: Any, **__: Any) -> dict[str, Any] | None:
        """Return what a URL says, None where it is none of ours."""
        found: dict[str, Any] | None = NotifyBase.parse_url(url)
        if not found:
            return None
        query = found.get("qsd") or {}
        for name in ("key", "severity"):
            if query.get(name):
                found[name] = NotifyBase.unquote(query[name])
        found["labels"] = {
            NotifyBase.unquote(name): NotifyBase.unquote(value)
            for name, value in (found.get("qsd+") or {}).items()
        }
        return found


NotificationManager().add(NotifyVoice, force=True)
