"""The commands that docs/how-to/monitoring.md gives to Nagios, word for word, with macros."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

from dispatcher.model.alert import AlertState
from dispatcher.model.api_key import Scope
from dispatcher.store import Store
from support.api_client import client
from support.cli_shell import SCRIPT
from support.gateway_process import ROOT, Gateway

PAGE = (ROOT / "docs/how-to/monitoring.md").read_text()
SERVICE, HOST = re.findall(
    r"^    command_line +(/usr/bin/voice-dispatcher .*)$", PAGE, re.MULTILINE
)
MACROS = {
    "$NOTIFICATIONTYPE$": "PROBLEM",
    "$HOSTNAME$": "db1",
    "$SERVICEDESC$": "Disk /var",
    "$SERVICESTATE$": "CRITICAL",
    "$SERVICEOUTPUT$": "DISK CRITICAL - 5 % left; $(true) `true`",
    "$HOSTSTATE$": "DOWN",
    "$HOSTOUTPUT$": "no answer",
}


def run(command: str, gateway: Gateway, key_file: Path, **macros: str) -> None:
    """Run it as Nagios does, by its program alone."""
    words = shlex.split(command)
    for name, value in {**MACROS, **macros}.items():
        words = [word.replace(name, value) for word in words]
    places = {
        "/usr/bin/voice-dispatcher": str(SCRIPT),
        "https://voice.example": gateway.url,
        "/etc/nagios/voice-dispatcher.key": str(key_file),
    }
    subprocess.run([places.get(word, word) for word in words], check=True, timeout=120)


def test_a_problem_rings_and_its_recovery_ends_it(
    gateway: Gateway, store: Store, tmp_path: Path
) -> None:
    key_file = tmp_path / "key"
    key_file.touch(0o600)
    key_file.write_text(client(gateway, store, "nagios", Scope.ALERT).text)
    run(SERVICE, gateway, key_file)
    run(HOST, gateway, key_file)
    down, disk = store.alerts.page().alerts
    assert disk.summary == "Disk /var on db1 is critical"
    assert disk.annotations["description"] == MACROS["$SERVICEOUTPUT$"]
    assert down.summary == "db1 is down"
    over = {"$NOTIFICATIONTYPE$": "RECOVERY", "$SERVICESTATE$": "OK"}
    run(SERVICE, gateway, key_file, **over)
    assert store.alerts.get(disk.id).state is AlertState.RESOLVED
    assert store.alerts.get(down.id).state is not AlertState.RESOLVED
