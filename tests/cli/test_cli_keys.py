"""`keys` as people run it: the key shows once, the list never shows it, revoking is for good."""

from __future__ import annotations

import pytest

from dispatcher.model.api_key import NotLetIn, Quota, Scope
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
    options += ["--note", "invoices"]
    made = shell("keys", "create", "billing", "--scope", "enqueue", *options, "--json").json
    (row,) = shell("keys", "list", "--json").json
    assert {name: made[name] for name in row} == row
    assert (row["rate"], row["spend"], row["note"]) == ("50/minute", "500/day", "invoices")
    assert (row["state"], row["scopes"], row["used_at"]) == ("live", ["enqueue"], None)
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
