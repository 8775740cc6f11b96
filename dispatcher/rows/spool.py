"""Checked rows on disk until they are written: what was previewed is what is imported."""

from __future__ import annotations

import pickle
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Self

FAST = 1  # of zlib's levels: a third of the size for little time


class Spool:
    """Batches, written once and read once; in a file without a name, which ends with us."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="voice-dispatcher-")  # noqa: SIM115 - a manager itself

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, batch: Sequence[Any]) -> None:
        """Put a batch behind the others. Raises OSError where the disk is full."""
        text = zlib.compress(pickle.dumps(batch), FAST)
        self._file.write(len(text).to_bytes(8, "big") + text)

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches in their order."""
        self._file.seek(0)
        while size := self._file.read(8):
            text = self._file.read(int.from_bytes(size, "big"))
            yield pickle.loads(zlib.decompress(text))  # noqa: S301 - nobody else can write there
