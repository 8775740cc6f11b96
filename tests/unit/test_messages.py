"""How wake-ups are put together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dispatcher.client.messages import bundles
from dispatcher.model.states import Priority

URGENT, NORMAL = Priority.URGENT, Priority.NORMAL


def test_each_message_carries_jobs_of_one_priority_up_to_so_many() -> None:
    dispatched = [("a", URGENT), ("b", NORMAL), ("c", URGENT), ("d", URGENT), ("e", NORMAL)]
    assert bundles(dispatched, 2) == [
        ("urgent", ["a", "c"]),
        ("normal", ["b", "e"]),
        ("urgent", ["d"]),
    ]


@given(
    dispatched=st.lists(st.tuples(st.uuids().map(str), st.sampled_from(Priority))),
    together=st.integers(1, 20),
)
def test_every_job_has_one_place_and_keeps_its_order(
    dispatched: list[tuple[str, Priority]], together: int
) -> None:
    made = bundles(dispatched, together)
    assert all(0 < len(ids) <= together for _, ids in made)
    for priority in Priority:
        inside = [id_ for queue, ids in made if queue == priority for id_ in ids]
        assert inside == [id_ for id_, own in dispatched if own is priority]
