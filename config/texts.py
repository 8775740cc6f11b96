"""What the texts of the settings say: each reads one, or raises ValueError with what is meant."""

from __future__ import annotations

import math
import re
from base64 import b64decode
from contextlib import suppress
from ipaddress import ip_network
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import SecretStr, ValidationInfo

from dispatcher.model.unusual import parse_unusual
from dispatcher.provider import registry
from dispatcher.store.redis_place import SCHEMES
from dispatcher.values import numbers
from dispatcher.values.calling_hours import CallingHours
from dispatcher.values.countries import parse_countries
from dispatcher.values.number_types import parse_number_types
from dispatcher.values.rate import Rate
from dispatcher.values.smtp_place import SmtpPlace
from dispatcher.values.webhook_url import webhook_url
from dispatcher.values.weekly import Weekly

FEWEST_DIFFERENT = 8  # characters of a key
SHORTEST_KEY = 16
EVERYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))
MOST_CREDITS = 1e9
DEFAULT_ZONE = "UTC"


def language(text: str) -> str:
    """Read the code of a language that the provider speaks."""
    if text not in registry.registration().capabilities.languages:
        raise ValueError("write the code of a language such as en or ja (ISO 639-1)")
    return text


def dial_in_unknown(value: Any) -> str | None:
    """Read where callers go whom nobody knows: None for `say`, a number for `transfer:+…`."""
    if value in {None, "say"}:
        return None
    how, _, number = str(value).partition(":")
    if how != "transfer":
        raise ValueError("write say, or transfer: and a number, such as transfer:+815012345678")
    return numbers.recipient(number)


def floor(value: Any) -> float | None:
    """Read credits from 0, None for `none`."""
    if str(value).strip().lower() == "none":
        return None
    with suppress(ValueError):
        credits_ = float(value)
        if math.isfinite(credits_) and credits_ >= 0:
            return credits_
    raise ValueError("write a number of credits from 0, or none")


def amount(value: Any) -> float | None:
    """Read credits above 0, None for `none`."""
    if none(value) is None:
        return None
    with suppress(ValueError):
        credits_ = float(value)
        if 0 < credits_ <= MOST_CREDITS:
            return credits_
    raise ValueError("write a number of credits above 0, or none")


def levels(value: Any) -> Any:
    """Read amounts of credits with commas between, none of them for `none`."""
    if not isinstance(value, str):
        return value
    if none(value) is None:
        return ()
    try:
        levels = tuple(float(text) for text in value.split(","))
    except ValueError:
        levels = ()
    if not levels or not all(abs(level) <= MOST_CREDITS for level in levels):
        raise ValueError("write credits separated by commas, such as 1000,200, or none")
    return levels


def zone(value: str) -> str:
    """Return an IANA time zone."""
    if value != DEFAULT_ZONE and value not in available_timezones():  # which reads many folders
        raise ValueError("write an IANA time zone such as UTC or Asia/Tokyo")
    return value


def redis_url(value: SecretStr) -> SecretStr:
    """Return a URL of a Redis."""
    url = value.get_secret_value()
    if url.partition("://")[0] not in SCHEMES:
        raise ValueError("write redis://host:6379/0, rediss://…, unix:///path or sentinel://…")
    return value


def provider(value: str) -> str:
    """Return the name of a provider that there is."""
    return registry.registration(value).name


def public_url(value: str) -> str:
    """Return the URL without a slash at its end; what is appended to it must stay a path."""
    with suppress(ValueError):
        parts = urlsplit(value)
        plain = not (parts.query or parts.fragment or "@" in parts.netloc) and value.isascii()
        if plain and parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return value.rstrip("/")
    raise ValueError("write the gateway's public address, such as https://voice.example.com")


def flower_url(value: str) -> str:
    """Return the URL without a slash at its end."""
    with suppress(ValueError):
        parts = urlsplit(value)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return value.rstrip("/")
    raise ValueError("write Flower's public address, such as https://flower.example.com")


def secret_keys(value: SecretStr) -> SecretStr:
    """Return keys with commas between, each long enough and not easily guessed."""
    if any(len(key) < SHORTEST_KEY or _is_weak(key) for key in listed(value)):
        raise ValueError(
            f"write one or more keys of at least {SHORTEST_KEY} characters that nobody can guess,"
            f" {FEWEST_DIFFERENT} of them different, separated by commas"
            " (`openssl rand -hex 32` makes one)"
        )
    return value


def _is_weak(key: str) -> bool:
    """Whether a key is a shorter text over and over, or has few characters, or counts up."""
    text = key.lower()
    repeats = text in (text + text)[1:-1]
    counts = all(ord(b) - ord(a) == 1 for a, b in pairwise(text[:FEWEST_DIFFERENT]))
    return repeats or counts or len(set(text)) < FEWEST_DIFFERENT


def listed(value: SecretStr) -> tuple[str, ...]:
    """Return what stands between the commas."""
    return tuple(key.strip() for key in value.get_secret_value().rstrip(", ").split(","))


def user_and_password(value: SecretStr) -> SecretStr:
    """Return `user:password`, or several with commas between, as Flower takes them."""
    for each in value.get_secret_value().split(","):
        user, _, password = each.partition(":")
        if not (user and password):
            raise ValueError("write user:password, without a comma in either")
    return value


def none(value: Any) -> Any:
    """Return None for `none`, and else what was given."""
    return None if isinstance(value, str) and value.strip().lower() == "none" else value


MOST_REPLICAS = 100


def replicas(value: Any) -> int | None:
    """Read a number of replicas, None for `auto`."""
    text = str(value).strip().lower()
    if value is None or text == "auto":
        return None
    with suppress(ValueError):
        if 0 <= int(text) <= MOST_REPLICAS:
            return int(text)
    raise ValueError(f"write auto, or a number from 0 to {MOST_REPLICAS}")


def weekly(value: Any) -> Any:
    """Read a moment of each week, None for `off`."""
    if isinstance(value, str) and value.strip().lower() == "off":
        return None
    return Weekly.parse(value) if isinstance(value, str) else value


def rate(value: Any) -> Any:
    """Read a rate, None for `none`."""
    value = none(value)
    return value if value is None or isinstance(value, Rate) else Rate.parse(value)


def not_below_margin(value: float, info: ValidationInfo) -> float:
    """Check the most of the margin against the least."""
    least = info.data.get("rate_margin", 0)
    if value < least:
        raise ValueError(f"it must be at least DISPATCHER_RATE_MARGIN, which is {least:g}")
    return value


def hours(value: Any) -> Any:
    """Read calling hours, None for `none`."""
    value = none(value)
    return CallingHours.parse(value) if isinstance(value, str) else value


def allowed_countries(value: Any) -> Any:
    """Read ISO 3166 codes with commas between; none of them, which means all, for `any`."""
    if isinstance(value, str) and value.strip().lower() == "any":
        return frozenset()
    found = countries(value)
    if isinstance(value, str) and not found:
        raise ValueError("write ISO 3166 codes such as JP,US, or any")
    return found


def number_types(value: Any) -> Any:
    """Read types of numbers with commas between, none of them for `none`."""
    value = none(value)
    if value is None:
        return frozenset()
    return parse_number_types(value.split(",")) if isinstance(value, str) else value


def unusual(value: Any) -> Any:
    """Read what is unusual and holds all calls, with commas between, nothing for `none`."""
    value = none(value)
    if value is None:
        return frozenset()
    return parse_unusual(value.split(",")) if isinstance(value, str) else value


def countries(value: Any) -> Any:
    """Read ISO 3166 codes with commas between."""
    if not isinstance(value, str):
        return value
    return parse_countries(value.split(","))


def webhook_urls(value: SecretStr) -> SecretStr:
    """Return URLs with commas between, each fit to be told."""
    for url in listed(value):
        webhook_url(url)
    return value


def email(value: str) -> str:
    """Return the address of a mailbox."""
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}", value):
        raise ValueError(f"{value[:80]!r} is no address: write one such as oncall@example.com")
    return value


def emails(value: Any) -> Any:
    """Read addresses with commas between."""
    if not isinstance(value, str):
        return value
    return tuple(email(part.strip()) for part in value.split(",") if part.strip())


def smtp_url(value: SecretStr) -> SecretStr:
    """Return the place where mail is handed in."""
    SmtpPlace.of_url(value.get_secret_value())
    return value


def ping_url(value: SecretStr) -> SecretStr:
    """Return a URL that is asked for; the whole of it is a secret."""
    with suppress(ValueError):
        parts = urlsplit(value.get_secret_value())
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return value
    raise ValueError("write the address that the service gave you, such as https://hc-ping.com/…")


def webhook_secrets(value: SecretStr) -> SecretStr:
    """Return secrets with commas between, each as Standard Webhooks has them."""
    for secret in listed(value):
        prefix, _, encoded = secret.partition("_")
        try:
            raw = b64decode(encoded, validate=True)
        except ValueError:
            raw = b""
        if prefix != "whsec" or not 24 <= len(raw) <= 64:  # noqa: PLR2004 # as the specification
            raise ValueError(
                "write whsec_ and 24 to 64 bytes in base64, several separated by commas"
                " (`echo whsec_$(openssl rand -base64 32)` makes one)"
            )
    return value


def memory(value: str) -> str:
    """Return a size as Redis reads it."""
    size = value.strip().lower()
    if not re.fullmatch(r"[1-9][0-9]{0,14}(b|kb?|mb?|gb?)?", size, re.ASCII):
        raise ValueError(f"{value!r} is not a size: write bytes above 0, or such as 512mb or 2gb")
    return size


def proxies(value: Any) -> Any:
    """Read addresses and networks with commas between, none of them for `none`."""
    if not isinstance(value, str):
        return value
    if none(value) is None:
        return ()
    try:
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(
            f"{error}: write none, or addresses and networks such as 10.0.0.7,172.16.0.0/12"
        ) from None


def networks(value: Any) -> Any:
    """Read networks with commas between; `true` for all, `false` for none."""
    if not isinstance(value, str):
        return value
    text = value.strip().lower()
    if text in {"true", "false"}:
        return EVERYWHERE if text == "true" else ()
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(
            f"{error}: write true, false or networks such as 10.1.0.0/16,fd00::/8"
        ) from None
