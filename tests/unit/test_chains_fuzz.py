"""Whatever stands in a chains file, it is understood and can be used, or is refused in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dispatcher.alerts.chains_file import InvalidChainsFile, parse
from dispatcher.alerts.chains_gaps import gaps
from dispatcher.alerts.chains_warnings import warnings
from dispatcher.model.on_call import Chain, Contact, Drill, OnCall, Rota, Route, Shift, Step, Storm
from dispatcher.model.on_call_check import MOST_PROBLEMS, InvalidOnCall, checked
from dispatcher.policy.rotas import turns, who_is

PAGE = (Path(__file__).parents[2] / "docs/how-to/chains.md").read_text()
LONGER = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1]
NOW = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
PARTS = (Chain, Contact, Drill, OnCall, Rota, Route, Shift, Step, Storm)
FIELDS = sorted({name for part in PARTS for name in part.model_fields} | {"number", "from", "to"})
WORDS = """ann ops none nobody +818012340002 1m 7d P1D PT P1Y 1e9d 09:00 24:00 9-5 09:00-18:00
2026-02-29 2026-03-29T02:30 0001-01-01 9999-12-31T23:59-14:00 Asia/Tokyo America/Scoresbysund ~.*
~( {what}"""
MARKS = ["\t", "&a ", "*a", "!!int ", "{", "]", ": ", "- ", "\n", "'", "|", "0"]
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(WORDS.split()),
)


def nested(below: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.one_of(st.sampled_from(["ann", "ops", "primary", "all", *FIELDS]), st.text())
    return st.lists(below, max_size=4) | st.dictionaries(names, below, max_size=5)


WHOLE = st.dictionaries(
    st.sampled_from([*OnCall.model_fields, "defaults", "x"]),
    st.recursive(VALUES, nested, max_leaves=12),
    max_size=6,
)


def use(on_call: OnCall) -> None:
    """Do with it all that is done with what is in force."""
    assert OnCall.model_validate_json(on_call.model_dump_json(exclude_defaults=True)) == on_call
    on_call.route({"severity": "critical", "job": "mysqld", "ann": "x" * 300})
    for moment in (NOW, NOW + timedelta(hours=1), datetime(2190, 1, 1, tzinfo=UTC)):
        for chain in on_call.chains.values():
            for name in chain.names:
                assert who_is(on_call, moment)(name)
        for name, rota in on_call.rotas.items():
            list(islice(turns(name, rota, moment, moment + timedelta(days=3)), 50))
    list(warnings(on_call))
    list(gaps(on_call, NOW))


def told(raw: bytes) -> OnCall | list[str]:
    """Return what a file says, or the lines of its refusal."""
    try:
        return parse(raw, "chains.yaml")
    except InvalidChainsFile as error:
        return str(error).splitlines()


def is_in_words(found: OnCall | list[str]) -> bool:
    line = re.compile(r"chains\.yaml:[1-9][0-9]*: .")
    return isinstance(found, OnCall) or all(map(line.match, found))


@given(WHOLE)
def test_any_values_are_taken_or_refused_in_words(given: dict[str, Any]) -> None:
    try:
        use(checked(given))
    except InvalidOnCall as error:
        problems = error.problems
    else:
        return
    assert 0 < len(problems) <= MOST_PROBLEMS
    assert "pydantic" not in str(problems)


@given(st.data())
def test_a_file_that_is_changed_anywhere_is_taken_or_refused_with_its_line(data: Any) -> None:
    begin = data.draw(st.integers(0, len(LONGER)))
    end = data.draw(st.integers(begin, min(len(LONGER), begin + 30)))
    pieces = (st.text(max_size=8), st.sampled_from([*MARKS, *FIELDS]), VALUES.map(str))
    text = LONGER[:begin] + data.draw(st.one_of(*pieces)) + LONGER[end:]
    found = told(text.encode("utf-8", "surrogatepass"))
    assert is_in_words(found)
    if isinstance(found, OnCall):
        use(found)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_line(raw: bytes) -> None:
    assert is_in_words(told(raw))
