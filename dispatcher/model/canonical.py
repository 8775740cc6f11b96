"""The one text of a request, by which it is known again: releases compare by it, so it stays.

It is that of `json.dumps` with sorted names, which makes an encoder anew for each text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from json.encoder import encode_basestring
from typing import Any

_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode


def canonical_text(content: Mapping[str, Any]) -> str:
    """Return the JSON of an object."""
    members = [f"{_label(name)}: {_value(content[name])}" for name in sorted(content)]
    return f"{{{', '.join(members)}}}"


_label = cache(encode_basestring)
"""A field's name: the same few again and again."""


def _value(value: Any) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]" if value else "[]"
    return _encode(value)
