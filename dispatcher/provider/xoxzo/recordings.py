"""What the provider documents about the URL of a recording, rule by rule."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from dispatcher.errors import DispatcherError

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", re.ASCII)
_PATH = re.compile(r"/[A-Za-z0-9_/.-]*", re.ASCII)
LONGEST = 2048  # what servers and proxies commonly take


class InvalidRecordingURL(DispatcherError, ValueError):
    """The provider could not fetch this recording; the message says which rule it breaks."""


def recording_url(text: str) -> str:
    """Return `text` if the provider can fetch it: public, plain http, documented characters.

    Source: the provider's playback page (http only; letters, digits, underscore, slash,
    hyphen; the dots and port of the host and the ending are evidently allowed).
    Raises InvalidRecordingURL.
    """
    parts = _split(text)
    for flaw in (_scheme_flaw(parts), _host_flaw(parts), _end_flaw(text), _path_flaw(parts)):
        if flaw:
            raise InvalidRecordingURL(f"{text!r} cannot be played: {flaw}")
    return text


def _split(text: str) -> SplitResult:
    if len(text) > LONGEST:
        raise InvalidRecordingURL(
            f"a URL of {len(text)} characters cannot be played: {LONGEST} at most"
        )
    if "@" in text:  # before anything that would show the URL
        raise InvalidRecordingURL(
            "a URL with a name and password in it (not shown) cannot be played:"
            " make the recording public"
        )
    if any(character.isspace() or not character.isprintable() for character in text):
        raise InvalidRecordingURL(
            f"{text!r} cannot be played: it has a space or control character; remove it"
        )
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise InvalidRecordingURL(f"{text!r} cannot be played: it is not a URL ({error})") from None
    return parts


def _scheme_flaw(parts: SplitResult) -> str:
    if parts.scheme == "http":
        return ""
    if parts.scheme == "https":
        return "the provider does not support https; serve the recording over http"
    return "it must begin with http://"


def _host_flaw(parts: SplitResult) -> str:
    if not parts.hostname:
        return "the host is missing"
    if not _HOST.fullmatch(parts.hostname):
        return "the host may hold only ASCII letters, digits, dots and hyphens"
    return ""


def _end_flaw(text: str) -> str:
    if "?" in text or "#" in text:  # an empty one too, which urlsplit drops
        return "a query (?) or fragment (#) is not supported; put the recording under a plain path"
    return ""


def _path_flaw(parts: SplitResult) -> str:
    if parts.path in {"", "/"}:
        return "the path of the recording is missing"
    if not _PATH.fullmatch(parts.path):
        return "its path may hold only ASCII letters, digits, _ / - and dots"
    return ""
