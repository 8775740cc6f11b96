"""`chains drill`: a chain is rung to see that it rings."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model.alert import Acknowledgement, AlertState
from dispatcher.model.on_call import OnCall
from dispatcher.store import Store
from support.cli_shell import Shell
from support.polling import eventually

ON_CALL: dict[str, Any] = {
    "contacts": {"ann": {"number": "+818012340002"}},
    "chains": {"database": {"steps": [{"call": ["ann"]}]}},
}


@pytest.fixture(autouse=True)
def _somebody_is_on_call(store: Store) -> None:
    store.on_call.publish(OnCall.model_validate(ON_CALL), by="cli:sam")


def test_a_chain_rings_and_it_is_said_how_to_follow_it(shell: Shell, store: Store) -> None:
    ran = shell("chains", "drill", "database", "--note", "new phone")
    (alert,) = store.alerts.page().alerts
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        f"{alert.id}  the chain database rings: `alerts show {alert.id}` tells who\n"
    )
    assert (alert.source, alert.state, alert.chain) == ("drill", AlertState.RINGING, "database")
    assert alert.annotations == {"note": "new phone"}
    assert alert.timeline[0].by == "cli:sam"
    ran = shell("chains", "drill", "database", "--json")
    assert ran.json["state"] == "ringing"


@pytest.mark.parametrize("passes", [True, False])
def test_who_waits_hears_the_outcome(shell: Shell, store: Store, *, passes: bool) -> None:
    process = shell.start("chains", "drill", "database", "--wait")
    eventually(lambda: store.alerts.page().alerts, "it rings", 180)
    (alert,) = store.alerts.page().alerts
    if passes:
        store.alerts.acknowledge(alert.id, by="ann", how=Acknowledgement.CLI)
    else:
        store.alerts.cancel(alert.id, by="cli:sam")
    ran = shell.end(process)
    assert ran.code == (0 if passes else 1)
    says = "passed: ann has it" if passes else "failed: somebody cancelled it"
    assert ran.out == f"{alert.id}  {says}\n"


def test_a_chain_that_is_not_there_is_named(shell: Shell) -> None:
    ran = shell("chains", "drill", "web")
    assert ran.code == 2
    assert ran.complaint == "there is no chain 'web': there are database"
