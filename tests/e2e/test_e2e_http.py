"""A service in no language of ours: what the pages say to type, on a real stack."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date

import pytest

from dispatcher.model.alert import AlertState
from dispatcher.model.on_call import Chain, Contact, OnCall, Rota, Step
from support.e2e_stack import ROOT, VOICE_DISPATCHER, Stage
from support.polling import eventually

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl here")

STRICT = 'set -euo pipefail; curl() { command curl --fail-with-body --max-time 30 "$@"; echo; }\n'
"""An example that is refused ends the script."""


def examples(page: str) -> str:
    """Return all that a page says to type which has to do with the gateway."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    script = "".join(block for block in blocks if "curl" in block or "keys create" in block)
    return script.replace(".venv/bin/", "").replace("wait=30", "wait=1")


def typed(stage: Stage, script: str) -> list[dict[str, object]]:
    """Run a script in the stack's folder; return the lines of JSON that it printed."""
    gateway = stage.up.announced["gateway_url"]
    environment = {
        **stage.up.environment,
        "PATH": f"{VOICE_DISPATCHER.parent}:{stage.up.environment['PATH']}",
        "GATEWAY": gateway,
    }
    for name in [name for name in environment if name.startswith(("DISPATCHER_", "XOXZO_"))]:
        del environment[name]
    ran = subprocess.run(
        ["bash", "-c", STRICT + script],
        cwd=stage.up.folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]


def test_a_service_gets_its_result_in_five_minutes(stage: Stage) -> None:
    script = examples("docs/start/five-minutes.md")
    assert script.count("curl") == 2
    accepted, listed = typed(stage, script)
    job = stage.up.dispatcher.wait(str(accepted["id"]), 30)
    assert (job.outcome, job.producer) == ("ANSWERED", "billing")
    assert [each["id"] for each in listed["jobs"]] == [job.id]  # type: ignore[attr-defined]


@pytest.fixture
def paused(stage: Stage) -> Iterator[Stage]:
    """Nothing is dialled, so that what is asked for can still be cancelled."""
    stage.up.cli("pause")
    yield stage
    stage.up.cli("resume")


ON_CALL = OnCall(
    contacts={
        "ann": Contact(numbers=("+818012340002",)),
        "bob": Contact(numbers=("+818012340001",)),
    },
    rotas={"primary": Rota(members=("ann", "bob"), start=date(2026, 1, 5))},
    chains={"all": Chain(steps=(Step(call=("primary",)),))},
)


def test_every_example_of_the_http_page_does_what_it_says(paused: Stage) -> None:
    up = paused.up
    version = up.dispatcher.store.on_call.publish(ON_CALL, by="test")
    chains = ON_CALL.model_dump(mode="json", exclude_defaults=True)
    (up.folder / "chains.json").write_text(json.dumps(chains))
    script = examples("docs/reference/http.md").replace(
        "export GATEWAY=http://127.0.0.1:8080\n", ""
    )
    assert script.count("curl") > 15
    assert script.count('If-Match: "3"') == 1
    told = typed(paused, script.replace('If-Match: "3"', f'If-Match: "{version}"'))
    states = [each["state"] for each in told if "timeline" in each and "kind" in each]
    waits = {"queued", "held"}  # behind the pause
    assert [state in waits or state for state in states] == [
        True,
        True,
        "cancelled",
        "cancelled",
        True,
    ]
    summary = next(each["summary"] for each in told if "summary" in each)
    assert summary["new"] == 2  # type: ignore[index]
    assert any("balance" in each for each in told)
    entries = next(each["entries"] for each in told if "entries" in each)
    acts = [entry["action"] for entry in entries]  # type: ignore[attr-defined]
    assert {"keys.create", "cancel", "retry", "pause", "resume"} <= set(acts)
    alert = next(each for each in told if "timeline" in each and "kind" not in each)
    has_it = up.dispatcher.store.alerts.get(str(alert["id"]))
    assert (has_it.state, has_it.acknowledged_by) == (AlertState.ACKNOWLEDGED, "ann")
    assert any(each.get("ended") is True for each in told), "the swap"


def test_many_retried_over_http_are_dialled(stage: Stage) -> None:
    """Begun over HTTP, driven by a worker, told when it is done."""
    up = stage.up
    handles = [up.dispatcher.call("+818012340002", say="x", tags=["http"]) for _ in range(3)]
    for handle in handles:
        assert handle.wait(180).reason == "no_answer"
    key = up.cli("keys", "create", "ops", "--scope", "operate").stdout.strip()
    begin = f"""
        ask() {{ curl -sS "$GATEWAY/v1/$1" -H "Authorization: Bearer {key}" \\
            -H "Content-Type: application/json" ${{2:+-d "$2"}}; }}
        ACT=$(ask retry '{{"filter": {{"tag": "http"}}}}' | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')
        ask retry "{{\\"preview\\": false, \\"id\\": \\"$ACT\\"}}"
    """
    (begun,) = typed(stage, begin)
    assert begun["selected"] == 3

    def done() -> bool:
        script = begin.partition("ACT=")[0] + f"ask actions/{begun['id']}"
        return typed(stage, script)[0]["state"] == "done"

    eventually(done, "the act is done")
    eventually(lambda: all(len(handle.refresh().attempts) == 2 for handle in handles), "they rang")
