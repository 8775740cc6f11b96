"""`keys` as people run it: the key shows once, the list never shows it, revoking is for good."""

from __future__ import annotations

import pytest

from dispatcher.model.api_key import NotLetIn, Quota, Scope
from dispatcher.model.key_rights import KeyRights
from dispatcher.store import Store
from support.cli_shell import Shell


def test_a_key_is_printed_once_and_alone_on_the_output(shell: Shell, store: Store) -> None:
    ran = shell("keys", "create", "billing", "--scope", "enqueue", "--scope", "read")
    assert ran.code == 0
    key = store.api_keys.authenticate(ran.out.strip())
    assert (key.name, key.scopes) == ("billing", {Scope.ENQUEUE, Scope.READ})
    assert key.id in ran.err
    listed = shell("keys", "list")
    assert key.id in listed.out
    assert ran.out.strip().rpartition("_")[2] not in listed.out


def test_all_options_of_a_key_show_in_the_list(shell: Shell, store: Store) -> None:
    options = ["--rate", "50/minute", "--spend", "500/day", "--expires", "90d"]
    options += ["--note", "invoices", "--waiting", "500"]
    made = shell("keys", "create", "billing", "--scope", "enqueue", *options, "--json").json
    (row,) = shell("keys", "list", "--json").json
    assert {name: made[name] for name in row} == row
    assert (row["rate"], row["spend"], row["note"]) == ("50/minute", "500/day", "invoices")
    assert (row["state"], row["scopes"], row["used_at"]) == ("live", ["enqueue"], None)
    assert row["waiting"] == {"jobs": 0, "bytes": 0, "most": 500}
    assert row["expires_at"] > row["created_at"]
    key = store.api_keys.authenticate(made["key"])
    assert key.quota == Quota(50, 60)
    assert [limit.scope for limit in store.spending.limits()] == ["client:billing"]
    assert shell("keys", "list", "--json").json[0]["used_at"]


def test_a_revoked_key_stays_in_the_list(shell: Shell, store: Store) -> None:
    made = shell("keys", "create", "billing", "--scope", "enqueue", "--json").json
    assert shell("keys", "revoke", made["id"]).out == f"{made['id']}: revoked\n"
    assert "already" in shell("keys", "revoke", made["id"]).out
    (row,) = shell("keys", "list", "--json").json
    assert row["state"] == "revoked"
    with pytest.raises(NotLetIn):
        store.api_keys.authenticate(made["key"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["x"], "enqueue, read, operate"),
        (["a b", "--scope", "read"], "not a client name"),
        (["x", "--scope", "read", "--rate", "fast"], "50/minute"),
        (["x", "--scope", "read", "--spend", "much"], "500/day"),
        (["x", "--scope", "read", "--expires", "soon"], "ISO 8601"),
        (["x", "--scope", "read", "--expires", "2020-01-01T00:00:00Z"], "has passed"),
        (["x", "--scope", "read", "--expires", "9999999999d"], "too far ahead"),
    ],
)
def test_wrong_usage_makes_no_key(
    shell: Shell, store: Store, arguments: list[str], says: str
) -> None:
    ran = shell("keys", "create", *arguments)
    assert ran.code == 2
    assert says in ran.complaint
    assert not store.api_keys.any()
    assert not list(store.spending.limits())


def test_an_unknown_key_cannot_be_revoked(shell: Shell) -> None:
    ran = shell("keys", "revoke", "nothing")
    assert ran.code == 1
    assert "there is no API key 'nothing'" in ran.complaint


# -- rights --------------------------------------------------------------------------------

SAFE = {
    "countries": None,
    "number_types": [],
    "callers": [],
    "priorities": ["bulk", "normal"],
    "redials": 3,
    "hours": False,
    "webhooks": False,
    "params": False,
    "dnc_exempt": False,
}


def test_a_key_is_safe_unless_it_is_given_more(shell: Shell, store: Store) -> None:
    made = shell("keys", "create", "billing", "--scope", "enqueue", "--json").json
    assert made["rights"] == SAFE
    assert (made["rate"], made["spend"]) == ("60/minute", "1000/day")
    assert store.api_keys.get(made["id"]).rights == KeyRights()
    assert [limit.scope for limit in store.spending.limits()] == ["client:billing"]


def test_a_key_that_asks_for_no_calls_has_no_rights_and_no_bounds(
    shell: Shell, store: Store
) -> None:
    made = shell("keys", "create", "wall", "--scope", "read", "--json").json
    assert (made["rights"], made["rate"], made["spend"]) == (None, None, None)
    assert not list(store.spending.limits())


def test_every_right_can_be_given_and_is_shown(shell: Shell, store: Store) -> None:
    options = ["--country", "jp", "--country", "US", "--number-type", "premium"]
    options += ["--caller", "+819011112222", "--priority", "urgent", "--redials", "5", "--hours"]
    options += ["--webhooks", "--params", "--dnc-exempt", "--rate", "none", "--spend", "none"]
    made = shell("keys", "create", "billing", "--scope", "enqueue", *options, "--json").json
    rights = {
        "countries": ["JP", "US"],
        "number_types": ["premium"],
        "callers": ["819011112222"],
        "priorities": ["urgent"],
        "redials": 5,
        "hours": True,
        "webhooks": True,
        "params": True,
        "dnc_exempt": True,
    }
    assert made["rights"] == rights
    assert (made["rate"], made["spend"]) == (None, None)
    assert shell("keys", "show", made["id"], "--json").json["rights"] == rights
    shown = shell("keys", "show", made["id"]).out
    assert "countries    JP US\n" in shown
    assert "webhooks     yes\n" in shown
    listed = shell("keys", "list", COLUMNS="400").out
    assert "countries JP US; number types premium" in listed
    (entry,) = store.audit.read()
    assert "819011112222" not in str(entry.facts)


def test_any_is_said_on_purpose(shell: Shell, store: Store) -> None:
    options = ["--caller", "any", "--number-type", "any", "--country", "JP, us"]
    made = shell("keys", "create", "billing", "--scope", "enqueue", *options, "--json").json
    assert (made["rights"]["callers"], made["rights"]["number_types"]) == (None, None)
    assert made["rights"]["countries"] == ["JP", "US"]
    assert "callers any" in shell("keys", "list", COLUMNS="400").out


def test_another_key_of_a_client_leaves_its_spending_limit(shell: Shell, store: Store) -> None:
    shell("keys", "create", "billing", "--scope", "enqueue", "--spend", "7/day")
    made = shell("keys", "create", "billing", "--scope", "enqueue", "--json").json
    assert made["spend"] == "7/day"
    assert len(list(store.spending.limits())) == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--country", "UK"], "ISO 3166"),
        (["--number-type", "fax"], "premium, shared_cost"),
        (["--caller", "110"], "emergency service"),
        (["--caller", "x"], "3 to 15 digits"),
        (["--redials", "50"], "49"),
        (["--priority", "soon"], "urgent"),
    ],
)
def test_a_right_that_there_is_not_makes_no_key(
    shell: Shell, store: Store, options: list[str], says: str
) -> None:
    ran = shell("keys", "create", "x", "--scope", "enqueue", *options)
    assert ran.code == 2
    assert says in ran.complaint
    assert not store.api_keys.any()
