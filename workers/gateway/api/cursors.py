"""Cursors that tell nothing, and that nobody can make up.

A page ends at the last job that was looked at, which may be another client's. So its place is
sealed: hidden, and good only as it was given out, for that list and to the client that got it.
What hides it is worked out from the whole (as in RFC 5297's synthetic IV), so that no number must
be used once.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from functools import cached_property

from dispatcher.store.search import InvalidCursor

_MARK = 16
"""Bytes that say that a cursor is ours."""
_LONGEST = 64
"""Bytes of a place at most: one block of what hides it."""


class Cursors:
    """Seals places with a secret of 32 bytes, which all gateways share."""

    def __init__(self, secret: Callable[[], bytes]) -> None:
        self._get = secret

    def seal(self, place: str, of: str, client: str) -> str:
        """Return the cursor for a place in the list `of` such things, for a client."""
        plain = place.encode()
        if len(plain) > _LONGEST:
            raise ValueError(f"a place has {_LONGEST} bytes at most, not {len(plain)}")
        mark = self._mark(plain, of, client)
        return base64.urlsafe_b64encode(mark + self._hidden(plain, mark)).rstrip(b"=").decode()

    def open(self, cursor: str, of: str, client: str) -> str:
        """Return the place of a cursor that `seal` made for this list and the client. Raises
        InvalidCursor.
        """
        sealed = _bytes(cursor)
        mark, hidden = sealed[:_MARK], sealed[_MARK:]
        if not hidden or len(hidden) > _LONGEST:
            raise InvalidCursor(cursor)
        plain = self._hidden(hidden, mark)
        if not hmac.compare_digest(mark, self._mark(plain, of, client)):
            raise InvalidCursor(cursor)
        return plain.decode()

    @cached_property
    def _secret(self) -> bytes:
        return self._get()

    def _mark(self, plain: bytes, of: str, client: str) -> bytes:
        whole = b"\0".join([of.encode(), client.encode(), plain])
        return hashlib.blake2b(
            whole, key=self._secret, person=b"vd cursor mark", digest_size=_MARK
        ).digest()

    def _hidden(self, text: bytes, mark: bytes) -> bytes:
        """Hide a place, or show one that is hidden."""
        pad = hashlib.blake2b(mark, key=self._secret, person=b"vd cursor pad").digest()
        return bytes(one ^ other for one, other in zip(text, pad, strict=False))


def _bytes(cursor: str) -> bytes:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise InvalidCursor(cursor) from None
