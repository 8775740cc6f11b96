"""How the gateway is shared out: what the settings say of all and of each client."""

from __future__ import annotations

from dataclasses import dataclass, replace

from config.settings import Settings
from dispatcher.model.api_key import ApiKey
from dispatcher.store.values import Room
from workers.gateway.caps import Cap, Places
from workers.gateway.crowd import Caps, Share

HEALTH_CHECKS = 50
"""Health checks under way: each is answered at once, or after a few seconds where Redis is slow."""


@dataclass(frozen=True)
class Sharing:
    """Places of clients, who are told apart by the names of their keys; `room` is that of each."""

    requests: Places
    waits: Places
    bulk_requests: Places
    room: Room

    def room_of(self, key: ApiKey) -> Room:
        """Return how much of a key's client may wait."""
        return replace(self.room, jobs=key.waiting) if key.waiting else self.room


def of_settings(settings: Settings) -> Sharing:
    """Return the places for what clients do."""
    return Sharing(
        requests=_places(settings, "gateway_requests", "requests"),
        waits=_places(settings, "waits", "waits for jobs"),
        bulk_requests=_places(settings, "bulk_requests", "bulk requests"),
        room=Room(settings.jobs_per_client, settings.job_bytes_per_client),
    )


def caps(settings: Settings) -> Caps:
    """Return the caps of connections and of addresses."""
    shares = {
        Share.COMMON: _cap(settings, "gateway_requests", "requests"),
        Share.CALLBACKS: _cap(settings, "gateway_callbacks", "callbacks"),
        Share.HEALTH: Cap("health checks", HEALTH_CHECKS, "the gateway"),
    }
    per_address = settings.gateway_requests_per_address is not None
    return Caps(
        shares,
        _cap(settings, "gateway_requests_per_address", "requests") if per_address else None,
        max(settings.gateway_connections, sum(cap.most for cap in shares.values())),
    )


def _places(settings: Settings, name: str, what: str) -> Places:
    return Places(_cap(settings, name, what), _cap(settings, f"{name}_per_client", what))


def _cap(settings: Settings, name: str, what: str) -> Cap:
    return Cap(what, getattr(settings, name), f"DISPATCHER_{name.upper()}")
