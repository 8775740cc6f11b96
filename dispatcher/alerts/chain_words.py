"""Chains in words: whom each step calls, when they end, and which alerts lead to them."""

from __future__ import annotations

from dispatcher.model.on_call import Chain, OnCall, Step
from dispatcher.values.durations import spoken


def numbered(chain: Chain) -> list[str]:
    """Return the steps, each as a line with its number."""
    return [f"{n}. {in_words(step)}" for n, step in enumerate(chain.steps, 1)]


def in_words(step: Step) -> str:
    """Return whom a step calls, how often, and how long it waits."""
    how = ", then ".join(step.call_in_turn) or " and ".join(step.call)
    times = f", {step.times} times, {spoken(step.every.total_seconds())} apart"
    wait = f"; then it waits {spoken(step.wait.total_seconds())}"
    return f"call {how}{times * (step.times > 1)}{wait * bool(step.wait)}"


def ends(chain: Chain) -> str:
    """Return how often it is gone through, and until when."""
    again = f"again from the top, {chain.repeat} times in all" if chain.repeat > 1 else "once"
    enough = {
        "answered": "until somebody answers",
        "acknowledged": "until somebody says that they have it;"
        f" after an answer it waits {spoken(chain.acknowledge_within.total_seconds())} for that",
    }
    return f"{again}, {enough[chain.until]}"


def leads(on_call: OnCall, name: str) -> str:
    """Return which alerts go to a chain, by their labels; '' where none does."""
    if not on_call.routes:
        return "all"
    matches = [route.match for route in on_call.routes if route.chain == name]
    return "; ".join(
        " ".join(f"{label}={_wanted(value)}" for label, value in match.items()) or "all others"
        for match in matches
    )


def _wanted(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else "|".join(value)
