"""Numbers of things as people read them."""

from __future__ import annotations


def counted(many: int, noun: str) -> str:
    """Return how many of what there are: `1 job`, `1,184 jobs`, `2 entries`, `1 webhooks`."""
    if many == 1 or noun.endswith("s"):
        return f"{many:,} {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{many:,} {plural}"
