"""Links with which somebody says that they have an alert."""

from __future__ import annotations

import pytest

from dispatcher.values.alert_links import LIFETIME, PREFIX, AlertLinks, link_secret_from_key
from dispatcher.values.callback_urls import Expired, Forged, Signer

KEY, OLD = "a key of sixteen or more", "an older key of the same length"
LINKS = AlertLinks("https://voice.example.com", [KEY])
AT = 1_800_000_000_000.0


def parts(link: str) -> tuple[str, str, str]:
    path = link.removeprefix(LINKS.base + PREFIX + "/")
    alert, expires, mac = path.split("/")
    return alert, expires, mac


def test_what_we_made_is_taken_for_a_week() -> None:
    made = parts(LINKS.of("abc", AT))
    assert made[0] == "abc"
    LINKS.verify(*made, AT)
    LINKS.verify(*made, AT + LIFETIME * 1000)
    with pytest.raises(Expired):
        LINKS.verify(*made, AT + LIFETIME * 1000 + 1001)


def test_it_is_the_same_at_every_try() -> None:
    assert LINKS.of("abc", AT) == LINKS.of("abc", AT)


def test_it_is_good_for_its_alert_alone_and_not_for_longer() -> None:
    alert, expires, mac = parts(LINKS.of("abc", AT))
    for forged in (
        ("abd", expires, mac),
        (alert, str(int(expires) + 1), mac),
        (alert, expires, mac[:-1]),
        (alert, expires, ""),
        (alert, "later", mac),
        (alert, expires, "\udcff"),
    ):
        with pytest.raises(Forged):
            LINKS.verify(*forged, AT)


def test_keys_are_rotated() -> None:
    made = parts(AlertLinks(LINKS.base, [OLD]).of("abc", AT))
    AlertLinks("", [KEY, OLD]).verify(*made, AT)
    with pytest.raises(Forged):
        LINKS.verify(*made, AT)


def test_a_callback_of_the_same_key_is_no_link() -> None:
    mac = Signer([KEY]).path("abc", 1, 2_000_000_000).rpartition("/")[2]
    for expires in ("1/2000000000", "2000000000"):
        with pytest.raises(Forged):
            LINKS.verify("abc", expires, mac, AT)


def test_the_secret_of_links_tells_nothing_of_the_key() -> None:
    assert KEY not in link_secret_from_key(KEY)
    assert link_secret_from_key(KEY) != link_secret_from_key(OLD)
    assert KEY not in repr(LINKS)
