"""Expressions (JMESPath) that say where in a body of any form the parts of an alert stand.

Whoever sends a body writes them, so they are bounded: none takes longer than reading the body a
few times. What could make its own result grow, stage by stage, is not taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, Protocol

import jmespath
from jmespath.exceptions import JMESPathError

from dispatcher.model.alert import InvalidAlert

LONGEST: Final = 300
"""Characters of an expression."""
FUNCTIONS: Final = frozenset(
    {"contains", "ends_with", "join", "length", "not_null", "starts_with", "to_string"}
)
MOST_FUNCTIONS: Final = 3
_SELECTS: Final = frozenset({"multi_select_dict", "multi_select_list"})


class Expression(Protocol):
    """What was compiled."""

    def search(self, value: Any) -> Any:
        """Return what the expression finds, None for nothing. May raise JMESPathError."""


@lru_cache(maxsize=200)
def compiled(name: str, expression: str) -> Expression:
    """Return an expression, ready to search; `name` is the part that it finds.

    Raises InvalidAlert.
    """
    if not 0 < len(expression) <= LONGEST:
        raise InvalidAlert(f"the expression for {name} must have 1 to {LONGEST} characters")
    try:
        made = jmespath.compile(expression)
    except (JMESPathError, RecursionError) as error:
        why = str(error).partition("\n")[0][:200] or "it is nested too deeply"
        raise InvalidAlert(f"the expression for {name} is not JMESPath: {why}") from None
    _require_bounded(name, made.parsed)
    return made


def find(name: str, expression: str, value: Any) -> Any:
    """Return what an expression finds. Raises InvalidAlert where it does not fit the value."""
    try:
        return compiled(name, expression).search(value)
    except (JMESPathError, RecursionError) as error:
        why = str(error).partition(", received")[0].partition("\n")[0][:200]
        raise InvalidAlert(f"the expression for {name} does not fit the body: {why}") from None


def _require_bounded(name: str, tree: Any) -> None:
    used = Counter(_parts(tree))
    named = {part.partition(":")[2] for part in used if part.startswith("function:")}
    if unknown := sorted(named - FUNCTIONS):
        known = ", ".join(sorted(FUNCTIONS))
        raise InvalidAlert(f"the expression for {name} uses {unknown[0]}(); it may use {known}")
    if sum(used[f"function:{each}"] for each in named) > MOST_FUNCTIONS:
        raise InvalidAlert(f"the expression for {name} has more than {MOST_FUNCTIONS} functions")
    if sum(used[each] for each in _SELECTS) > 1:
        raise InvalidAlert(f"the expression for {name} may make one list or object, not several")


def _parts(tree: Any) -> Iterator[str]:
    """Yield the kinds of an expression's parts; those of functions with their names."""
    if not isinstance(tree, dict):
        return
    function = tree["type"] == "function_expression"
    yield f"function:{tree['value']}" if function else tree["type"]
    for each in tree["children"]:
        yield from _parts(each)
