"""What Xoxzo sends to a call's callback URL: a form or JSON, in any charset."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import parse_qsl

from dispatcher.model.call import CallReport
from dispatcher.provider.base import CallbackRequest
from dispatcher.provider.errors import UnexpectedShape
from dispatcher.provider.xoxzo.answers import CallStatus
from dispatcher.provider.xoxzo.reports import of_call

MOST_FIELDS: Final = 200
CHARSETS = frozenset({"shift_jis", "shift-jis", "windows-31j", "cp932", "euc-jp", "iso-2022-jp"})
"""Those in whose longer characters a byte may look like ASCII; in all others what we read is it."""


class XoxzoCallbacks:
    """Reads callbacks. They are not signed: only the secret in their URL proves them."""

    def parse_callback(self, request: CallbackRequest) -> CallReport:
        """Return what a callback reports; it is sent when a call ended. Raises UnexpectedShape.

        The pages say only that its parameters are similar to the call-status answer's.
        """
        call = CallStatus.read(fields(request.body, request.content_type))
        return of_call(call, ended=True)


def fields(body: bytes, content_type: str) -> dict[str, Any]:
    """Return the fields of a form or a JSON object, in any charset. Raises UnexpectedShape."""
    text = body.decode(_charset(body, content_type), "replace").lstrip("\ufeff")
    try:
        if "json" in content_type.lower() or text.lstrip()[:1] in {"{", "["}:
            return _object(json.loads(text))
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except (ValueError, RecursionError):
        raise UnexpectedShape("neither a form nor JSON") from None


def _object(data: Any) -> dict[str, Any]:
    if isinstance(data, list) and len(data) == 1:
        data = data[0]  # as the answer to a new call is
    if not isinstance(data, dict):
        raise UnexpectedShape("not an object")
    return data


def _charset(body: bytes, content_type: str) -> str:
    named = content_type.lower().partition("charset=")[2].partition(";")[0].strip(" \"'")
    return named if named in CHARSETS else json.detect_encoding(body)
