"""The plug-in for Apprise, in the real Apprise, against a real gateway."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from dispatcher.model.alert import AlertState, Severity
from dispatcher.model.api_key import Scope
from dispatcher.store import Store
from support.api_client import client
from support.gateway_process import ROOT, Gateway
from support.ports import free_port

APPRISE = Path(sysconfig.get_path("scripts")) / "apprise"
PLUGIN = ROOT / "dispatcher" / "contrib" / "apprise_plugin.py"
IN_PYTHON = """
import json, sys
import apprise
import dispatcher.contrib.apprise_plugin
url, title, body, kind = sys.argv[1:]
print(json.dumps(bool(apprise.Apprise(url).notify(title=title, body=body, notify_type=kind))))
"""
READ_BACK = """
import json, sys
import apprise
import dispatcher.contrib.apprise_plugin
made = apprise.Apprise.instantiate(sys.argv[1])
again = apprise.Apprise.instantiate(made.url())
print(json.dumps([type(made).__name__, made.url(), again.url(), made.url(privacy=True)]))
"""
Address = Callable[[str], str]


@pytest.fixture
def address(gateway: Gateway, store: Store) -> Address:
    """Return the URL with this query, and a good key."""
    key = quote(client(gateway, store, "scripts", Scope.ALERT).text)
    return lambda query: f"voice://{key}@127.0.0.1:{gateway.port}/{'?' * bool(query)}{query}"


def command(url: str, title: str, body: str, kind: str) -> int:
    """Notify as a script does: by the command, with our file as its plug-in path."""
    ran = subprocess.run(
        [APPRISE, "-P", PLUGIN, "-t", title, "-b", body, "-n", kind, url],
        capture_output=True,
        timeout=120,
        check=False,
    )
    return ran.returncode


def python(script: str, *arguments: str) -> object:
    """Run it by itself: Apprise loads its plug-ins with warnings, which are errors here."""
    ran = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        check=True,
    )
    return json.loads(ran.stdout)


def test_a_failure_is_an_alert_and_a_success_ends_it(address: Address, store: Store) -> None:
    url = address("key=backup&+team=db")
    assert command(url, "Backup failed", "No space left", "failure") == 0
    (alert,) = store.alerts.page().alerts
    assert (alert.summary, alert.severity) == ("Backup failed", Severity.CRITICAL)
    assert alert.labels == {"severity": "critical", "team": "db"}
    assert alert.annotations == {"description": "No space left"}
    assert command(url, "Backup done", "All is well", "success") == 0
    assert store.alerts.get(alert.id).state is AlertState.RESOLVED


@pytest.mark.parametrize(("title", "body"), [("Disk full", ""), ("", "Disk full\n95 percent")])
def test_a_title_or_a_body_is_enough(address: Address, store: Store, title: str, body: str) -> None:
    """Apprise itself sends no title without a body, and says that it did not."""
    assert python(IN_PYTHON, address(""), title, body, "warning") is True
    (alert,) = store.alerts.page().alerts
    assert (alert.summary, alert.severity) == ("Disk full", Severity.WARNING)


def test_what_was_not_recorded_is_told(gateway: Gateway, store: Store) -> None:
    for place in (f"127.0.0.1:{free_port()}", f"127.0.0.1:{gateway.port}"):
        assert python(IN_PYTHON, f"voice://vd_wrong@{place}", "x", "y", "failure") is False
    assert store.alerts.page().alerts == []


def test_its_url_is_read_back_as_it_was_written_and_hides_the_key() -> None:
    said = "voices://vd_secret_key@voice.example:8443/?key=backup&severity=warning&+team=db"
    name, made, again, hidden = python(READ_BACK, said)  # type: ignore[misc] # a list of texts
    assert name == "NotifyVoice"
    assert made == again
    assert "vd_secret_key" in made
    assert "vd_secret_key" not in hidden
