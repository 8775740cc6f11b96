"""A command that is watched: its failure is an alert, and its next success the end of it."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dispatcher.model.alert import AlertEvent, Severity
from dispatcher.values.masking import mask_text

SOURCE = "run"
LONGEST_NAME = 60
LONGEST_OUTPUT = 2000
"""Characters of what it wrote last that go with the alert; nobody hears them."""
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
"""Colours, and what else moves a terminal's cursor."""


@dataclass(frozen=True, slots=True)
class Watched:
    """`name` says what failed, together with the `host` it is one incident; `labels` are for
    routes. No argument of the command is ever told: it may be a secret.
    """

    name: str
    severity: Severity = Severity.CRITICAL
    labels: Mapping[str, str] = field(default_factory=dict)
    host: str = field(default_factory=socket.gethostname)

    def failed(self, how: str, lines: Sequence[str] = ()) -> AlertEvent:
        """Return the alert of a failure; `how` follows the name, `lines` is what it wrote last."""
        written = "\n".join(mask_text(_CONTROLS.sub("", line)) for line in lines)
        output = {"output": written[-LONGEST_OUTPUT:]}
        return self._event(f"{self._name} on {self.host} {how}", output)

    def succeeded(self) -> AlertEvent:
        """Return the end of the alert of an earlier failure, if there is one."""
        return self._event(f"{self._name} on {self.host} succeeded", {}, firing=False)

    @property
    def _name(self) -> str:
        return " ".join(_CONTROLS.sub("", self.name).split())[:LONGEST_NAME]

    def _event(
        self, summary: str, annotations: Mapping[str, str], *, firing: bool = True
    ) -> AlertEvent:
        own = {"command": self._name, "host": self.host, "severity": str(self.severity)}
        return AlertEvent(
            source=SOURCE,
            fingerprint=f"{self._name}@{self.host}"[:200],
            firing=firing,
            summary=summary,
            severity=self.severity,
            labels={**own, **self.labels},
            annotations={name: text for name, text in annotations.items() if text},
        )
