"""No web page that a browser of this machine shows can use the control endpoints."""

from __future__ import annotations

import pytest

from dispatcher.sandbox.control_guard import is_ours
from support.sandbox_client import Client

OURS = ["127.0.0.1", "127.0.0.1:80", "[::1]:80", "10.1.2.3:8400", "localhost", "LOCALHOST:80"]
CONTAINERS = ["sandbox", "sandbox:8400", "a.localhost:80"]
OTHERS = ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[", "localhost.evil.ex"]


@pytest.mark.parametrize("host", OURS + CONTAINERS)
def test_addresses_and_names_of_this_network_are_ours(host: str) -> None:
    assert is_ours(host)


@pytest.mark.parametrize("host", OTHERS)
def test_names_that_somebody_may_have_registered_are_not(host: str) -> None:
    assert not is_ours(host)


@pytest.mark.parametrize("path", ["stats", "calls", "options"])
def test_a_name_that_a_site_gave_this_address_reads_nothing(shared: Client, path: str) -> None:
    """DNS rebinding: for the browser it is the page's own site."""
    answer = shared.get(f"/_sandbox/{path}", headers={"Host": "evil.example:80"})
    assert answer.status_code == 421
    assert answer.json() == {
        "detail": "'evil.example:80' is not a name of this machine: use its address"
    }
    assert shared.get(f"/_sandbox/{path}", headers={"Host": "sandbox:8400"}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_form_of_another_site_changes_nothing(shared: Client, origin: str) -> None:
    """A browser needs nobody's permission to send one as text/plain."""
    before = shared.stats()["credits"]["balance"]
    headers = {"Origin": origin, "Content-Type": "text/plain"}
    answer = shared.post("/_sandbox/credits", '{"credits": 1}', headers=headers)
    assert answer.status_code == 403
    assert shared.stats()["credits"]["balance"] == before
    own = shared.post("/_sandbox/credits", '{"add": 1}', headers={"Origin": shared.url})
    assert own.status_code == 200


def test_the_provider_itself_is_asked_by_whatever_name(shared: Client) -> None:
    assert shared.get("/you/credits/", headers={"Host": "api.example"}).status_code == 200
