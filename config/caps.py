"""The settings that keep one client of the gateway from using up what all need."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode

from config import texts

Most = Annotated[int, Field(ge=1, le=100_000)]
HEALTH_CHECKS = 50
"""Health checks under way: each is answered at once, or after a few seconds where Redis is slow."""


class Caps(BaseSettings):
    """How much there may be at once, in all and of one, as `docs/reference/settings.md` has it."""

    trusted_proxies: Annotated[
        tuple[IPv4Network | IPv6Network, ...], BeforeValidator(texts.proxies), NoDecode
    ] = ()
    gateway_processes: Annotated[int, Field(ge=1, le=64)] = 1
    gateway_connections: Most = 3000
    gateway_requests: Most = 1000
    gateway_requests_per_address: Annotated[Most | None, BeforeValidator(texts.none), NoDecode] = (
        200
    )
    gateway_requests_per_client: Most = 200
    gateway_callbacks: Most = 200
    waits: Most = 500
    waits_per_client: Most = 100
    bulk_requests: Most = 8
    bulk_requests_per_client: Most = 4
    jobs_per_client: Annotated[int, Field(ge=1)] = 200_000
    job_bytes_per_client: Annotated[int, Field(ge=1)] = 256 << 20
    bulk_bytes: Annotated[int, Field(ge=1 << 20)] = 256 << 20

    @property
    def most_connections(self) -> int:
        """How many may be open at once: one for each request under way, at least."""
        requests = self.gateway_requests + self.gateway_callbacks + HEALTH_CHECKS
        return max(self.gateway_connections, requests)
