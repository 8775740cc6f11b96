"""Whoever sees whole numbers by `unmask` is written down."""

from __future__ import annotations

from fastapi import Request

from workers.gateway import evidence
from workers.gateway.api.authenticator import Caller
from workers.gateway.api.services import Services


async def write_down(
    services: Services, request: Request, caller: Caller, target: str, *, jobs: int
) -> None:
    """Write into the audit log and the security log that a caller sees so many jobs whole; not
    where there are none. Raises StoreUnavailable.
    """
    if not jobs:
        return
    store = services.store

    def write() -> None:
        store.audit.record(caller.actor, "unmask", target, jobs=jobs)

    await services.pool.run(write)
    evidence.seen_whole(request, caller.actor, caller.key.id, target, jobs=jobs)
