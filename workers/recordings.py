"""`doctor --recording`: fetches a recording as the provider must; says what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urljoin

from dispatcher.provider import registry
from dispatcher.values import mp3
from dispatcher.values.durations import spoken
from workers.webhooks.addresses import Addresses
from workers.webhooks.wire import Fetched, Wire

OK, WARN, FAIL = "ok", "warn", "fail"
Finding = tuple[str, str]
"""`ok`, `warn` or `fail`, and what is found."""

MOST_BYTES: Final = 20 << 20
MOST_REDIRECTS: Final = 3
LONG: Final = 300.0
"""Seconds: nobody listens for longer."""
PUBLIC: Final = Addresses(setting="")
"""No setting allows others: the provider comes from outside."""


def examine(url: str, addresses: Addresses = PUBLIC) -> Iterator[Finding]:
    """Yield what is found, until something forbids the rest."""
    wire = Wire(addresses, timeout=30)
    for redirects in range(MOST_REDIRECTS + 1):
        try:
            registry.registration().rules.recording(url)
        except ValueError as error:
            yield FAIL, f"it redirects: {error}" if redirects else str(error)
            return
        if redirects:
            yield (
                WARN,
                f"it redirects to {url}: does the provider follow? use that URL",
            )
        found = wire.get(url, MOST_BYTES)
        if found.error or not found.location:
            yield from _answered(found)
            return
        url = urljoin(url, found.location)
        yield (
            WARN,
            f"it redirects to {url}: whether the provider follows is not documented; use that",
        )
    yield FAIL, f"it redirects more than {MOST_REDIRECTS} times"


def _answered(found: Fetched) -> Iterator[Finding]:
    if found.error:
        yield FAIL, f"{found.error}: the provider needs a public address, without a password"
        return
    yield OK, "anybody can fetch it over http"
    if len(found.body) > MOST_BYTES:
        yield FAIL, f"it has more than {MOST_BYTES >> 20} MB: nobody listens to so much"
        return
    yield from _type(found.content_type)
    yield from _content(found.body)


def _type(content_type: str) -> Iterator[Finding]:
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in {"audio/mpeg", "audio/mp3", "audio/x-mp3", "audio/x-mpeg"}:
        yield WARN, f"its Content-Type is {kind[:60] or 'not said'!r}: have it be audio/mpeg"


def _content(body: bytes) -> Iterator[Finding]:
    found = mp3.read(body)
    if found is None:
        what = mp3.kind(body)
        yield FAIL, f"it is not an MP3 ({what}), whatever its name says: convert it to one"
        return
    size = f"{len(body) / 1e6:.1f} MB" if len(body) >= 1e5 else f"{len(body) / 1e3:.1f} kB"  # noqa: PLR2004
    says = f"it is an MP3 of {size} that plays for {spoken(found.seconds)}"
    yield (WARN, f"{says}: nobody listens for so long") if found.seconds > LONG else (OK, says)
    if found.rest > _usual_rest(body):
        yield WARN, f"its last {found.rest:,} bytes are no MP3 frames: it may be damaged"


def _usual_rest(body: bytes) -> int:
    """Return how many bytes after the last frame are usual: tags of programs that made it."""
    return max(10_000, len(body) // 10)
