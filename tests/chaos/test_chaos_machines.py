"""Machines lose their network amid their calls: who was called, by the provider's books."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from support.far_apart import far_apart
from support.machines import why_not

CUT_OFF = 14.0
"""Seconds without the provider, after which its callbacks still come within the evidence window.
Linux sends again what was sent when the network went away at 6, 13 and 25 s: the last of these
would get through, when the person was called again.
"""
AWAY = 30.0
"""Seconds without any network: less than a lease, more than any timeout."""


def test_machines_that_lose_their_network_call_nobody_twice_and_leave_nobody_out(
    tmp_path: Path,
) -> None:
    """The second worker's clock is an hour ahead, too."""
    if why := why_not():
        pytest.skip(why)
    with far_apart(tmp_path, "first", "second") as stack:
        stack.until_ended(stack.enqueue(20), within=180)  # callbacks are seen to arrive: redial
        ids = stack.enqueue(250)
        stack.wait_for_calls(60)
        began = time.monotonic()
        stack.hosts["provider"].unplug()
        stack.hosts["second"].unplug()
        time.sleep(CUT_OFF)
        stack.hosts["provider"].plug()
        time.sleep(began + AWAY - time.monotonic())
        stack.hosts["second"].plug()
        stack.until_ended(ids, within=120)
        stack.kill("dial-first")
        stack.kill("beat-first")  # what follows is the second one's alone
        stack.until_ended(stack.enqueue(40), within=180)
        stack.assert_called_once()
