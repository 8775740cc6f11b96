"""One process of a gateway that has several: what it shares with the others."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from workers.gateway import counts
from workers.gateway.counts import Counts, SharedCounts

COUNTS: Final = "counts"
"""The name of the file of counts in the folder."""


@dataclass(frozen=True)
class Member:
    """The so many-th, from 1, of so many. `socket` is the descriptor on which all of them listen,
    `folder` where they keep what they count together.
    """

    number: int
    of: int
    socket: int
    folder: Path

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Self:
        """Return what the arguments of a process say."""
        number, of, descriptor = (int(given[name]) for name in ("number", "of", "socket"))
        return cls(number, of, descriptor, Path(given["folder"]))

    @property
    def arguments(self) -> list[str]:
        """The arguments of its process."""
        return [f"{name}={value}" for name, value in asdict(self).items()]

    @property
    def name(self) -> str:
        """What people call it."""
        return f"gateway-{self.number}"

    @property
    def is_first(self) -> bool:
        """Whether it does what one process of the gateway is enough for."""
        return self.number == 1

    def counts(self) -> Counts:
        """Return the counts of all of them, without those of an earlier process in its place."""
        return SharedCounts(self.folder / COUNTS, self.number - 1, self.of)


def make_folder(folder: Path, processes: int) -> None:
    """Put into a new folder what the processes share."""
    counts.make(folder / COUNTS, processes, secrets.token_bytes(counts.SALT))
