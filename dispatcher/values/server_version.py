"""Which product and version a Redis server is, and the oldest that will do.

Imports the standard library only: the set-up reads it before anything is installed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

OLDEST = (7, 0)
"""The oldest Redis that will do, as (major, minor): the first with Functions."""

NEEDED = f"Redis {OLDEST[0]}.{OLDEST[1]}, Valkey 7.2 or newer"
"""The same for people. Valkey began with 7.2, so that each of its versions will do."""

_BANNER = re.compile(r"\b(Redis|Valkey) server v=(\d[\d.]*)")
_RDB_HEAD = re.compile(rb"\A(?:REDIS|VALKEY)\d+\xfa.(redis|valkey)-ver.(\d[\d.]*)", re.DOTALL)


@dataclass(frozen=True)
class ServerVersion:
    """`product` is Redis or Valkey; `number` is its version, such as 7.0.15."""

    product: str
    number: str

    @classmethod
    def of_banner(cls, text: str) -> Self | None:
        """Read what `redis-server --version` prints; None where that is something else."""
        found = _BANNER.search(text)
        return cls(found[1], found[2]) if found else None

    @classmethod
    def of_info(cls, info: Mapping[str, Any]) -> Self:
        """Read the answer to `INFO server`, in which Valkey says Redis 7.2.4 for old clients."""
        if "valkey_version" in info:
            return cls("Valkey", str(info["valkey_version"]))
        return cls("Redis", str(info["redis_version"]))

    @classmethod
    def of_snapshot(cls, head: bytes) -> Self | None:
        """Read who wrote an RDB file from its first 100 bytes; None where it does not say."""
        found = _RDB_HEAD.search(head)
        return cls(found[1].decode().capitalize(), found[2].decode()) if found else None

    def __str__(self) -> str:
        return f"{self.product} {self.number}"

    @property
    def release(self) -> tuple[int, int]:
        """Return (major, minor)."""
        major, minor, *_ = (int(part) for part in f"{self.number}.0".split(".") if part)
        return major, minor

    @property
    def will_do(self) -> bool:
        return self.release >= OLDEST
