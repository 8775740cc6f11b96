"""A drill, and a command that fails, over a whole stack, by the provider's books."""

from __future__ import annotations

from dispatcher.model.alert import AlertState
from dispatcher.model.on_call import Chain, Contact, OnCall, Route, Step
from dispatcher.store import Store
from support.e2e_stack import Stage, number
from support.polling import eventually


def on_call(store: Store, who: str) -> None:
    """Have one person on call, whose answer is enough."""
    chain = Chain(steps=(Step(call=("ann",)),), until="answered")
    contact = Contact(numbers=(who,), lang="en")
    store.on_call.publish(
        OnCall(contacts={"ann": contact}, chains={"all": chain}, routes=(Route(chain="all"),)),
        by="test",
    )


def said_to(stage: Stage, who: str) -> list[str]:
    return [call["tts_message"] for call in stage.sandbox.calls() if call["recipient"] == who]


def test_a_drill_that_is_answered_passes_and_is_told_of(stage: Stage) -> None:
    who, store = number("0001"), stage.up.dispatcher.store
    on_call(store, who)
    ran = stage.up.cli("chains", "drill", "all", "--wait")
    assert (ran.returncode, ran.stdout.split("  ")[1]) == (0, "passed: ann has it\n"), ran.stderr
    id_ = ran.stdout.split()[0]

    def told() -> list[str]:
        events = store.events.after()
        return [e.kind for e in events if e.facts.get("alert") == id_]

    eventually(lambda: told() == ["drill.passed"], "it is told", 30)
    eventually(lambda: store.alerts.get(id_).state is AlertState.RESOLVED, "it is over", 30)
    (text,) = said_to(stage, who)
    assert "drill" in text.lower()


def test_a_command_that_fails_has_somebody_called_once(stage: Stage) -> None:
    who, store = number("0001"), stage.up.dispatcher.store
    on_call(store, who)
    for _ in range(2):  # the second failure is the same incident
        ran = stage.up.cli("run", "--name", "nightly", "--", "sh", "-c", "exit 9")
        assert (ran.returncode, ran.stderr) == (9, "")
        eventually(lambda: said_to(stage, who), "ann is called", 30)
    (alert,) = (a for a in store.alerts.page().alerts if a.source == "run")
    eventually(lambda: store.alerts.get(alert.id).acknowledged_by == "ann", "ann has it", 30)
    assert stage.up.cli("run", "--name", "nightly", "--", "true").returncode == 0
    assert store.alerts.get(alert.id).state is AlertState.RESOLVED
    (text,) = said_to(stage, who)
    assert "nightly" in text
    assert "exit code 9" in text
