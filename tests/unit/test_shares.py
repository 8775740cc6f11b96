"""Which places a request to the gateway takes."""

from __future__ import annotations

import pytest

from workers.gateway.connection import share_of
from workers.gateway.crowd import Share


@pytest.mark.parametrize(
    ("url", "share"),
    [
        (b"/callbacks/a/1/2/b", Share.CALLBACKS),
        (b"/dial-in/secret?caller=", Share.CALLBACKS),
        (b"/readyz?x", Share.HEALTH),
        (b"/v1/jobs", Share.COMMON),
        (b"/dial-in", Share.COMMON),
    ],
)
def test_the_providers_requests_and_health_checks_have_places_of_their_own(
    url: bytes, share: Share
) -> None:
    assert share_of(url) is share
