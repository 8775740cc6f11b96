"""A real Alertmanager with a port and a folder of its own, from the system's package."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from support.polling import eventually
from support.ports import free_port
from support.started import Started

PROGRAM, TOOL = "prometheus-alertmanager", "amtool"
STARTS_WITHIN = 180.0  # seconds
FAILED = "alertmanager_notification_requests_failed_total"


def missing() -> str:
    """Return why none can be started here, or nothing."""
    if shutil.which(PROGRAM) is None or shutil.which(TOOL) is None:
        return f"no Alertmanager on this machine: install the package {PROGRAM}"
    return ""


class Alertmanager(Started):
    """Runs with this configuration, in a `with` block; `folder` is where its files lie."""

    def __init__(self, folder: Path, config: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, free_port()
        self.log_file = folder / "alertmanager.log"
        (folder / "alertmanager.yml").write_text(config)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        argv = [
            *(PROGRAM, f"--config.file={self.folder}/alertmanager.yml"),
            *(f"--storage.path={self.folder}/data", f"--web.listen-address=127.0.0.1:{self.port}"),
            "--cluster.listen-address=",
        ]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(argv, cwd=self.folder, stdout=log, stderr=log)

    def wait_until_up(self) -> None:
        eventually(self._ready, "Alertmanager is ready", STARTS_WITHIN)

    def post(self, labels: dict[str, str], *, over: bool = False, **annotations: str) -> None:
        """Tell it of an alert, as Prometheus does; `over`: it is resolved."""
        told: dict[str, Any] = {"labels": labels, "annotations": annotations}
        if over:
            told["endsAt"] = datetime.now(UTC).isoformat()
        answer = requests.post(
            f"{self.url}/api/v2/alerts",
            data=json.dumps([told]),
            headers={"Content-Type": "application/json"},
            timeout=30,
        )
        answer.raise_for_status()

    def silence(self, name: str) -> str:
        """Silence the alerts of this name for an hour; return the silence's id."""
        return self._tool("silence", "add", f"alertname={name}", "--comment=a test").strip()

    def end_silence(self, silence: str) -> None:
        self._tool("silence", "expire", silence)

    def knows(self, name: str) -> bool:
        """Whether an alert of this name fires, silenced or not."""
        return name in self._tool("alert", "query", "--silenced", "--active", f"alertname={name}")

    def _tool(self, *words: str) -> str:
        argv = [TOOL, f"--alertmanager.url={self.url}", *words]
        ran = subprocess.run(argv, check=True, timeout=180, capture_output=True, text=True)
        return ran.stdout

    def failed(self) -> float:
        """Return how many of its requests to webhooks failed so far."""
        lines = requests.get(f"{self.url}/metrics", timeout=30).text.splitlines()
        found = [line for line in lines if line.startswith(f'{FAILED}{{integration="webhook"')]
        return sum(float(line.rpartition(" ")[2]) for line in found)

    def _ready(self) -> bool:
        assert self._process
        assert self._process.poll() is None, self.log_file.read_text()
        try:
            return requests.get(f"{self.url}/-/ready", timeout=5).ok
        except requests.RequestException:
            return False
