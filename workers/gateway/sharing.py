"""How the gateway is shared out: what the settings say of all and of each client."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from config.caps import HEALTH_CHECKS
from config.settings import Settings
from dispatcher.model.api_key import ApiKey
from dispatcher.store.values import Room
from workers.gateway.caps import Cap, Places
from workers.gateway.counts import Counts
from workers.gateway.crowd import Caps, Share


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


def of_settings(settings: Settings, counts: Counts) -> Sharing:
    """Return the places for what clients do."""
    places = partial(_places, settings, counts)
    return Sharing(
        requests=places("gateway_requests", "requests"),
        waits=places("waits", "waits for jobs"),
        bulk_requests=places("bulk_requests", "bulk requests"),
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
        settings.most_connections,
    )


def _places(settings: Settings, counts: Counts, name: str, what: str) -> Places:
    return Places(_cap(settings, name, what), _cap(settings, f"{name}_per_client", what), counts)


def _cap(settings: Settings, name: str, what: str) -> Cap:
    return Cap(what, getattr(settings, name), f"DISPATCHER_{name.upper()}")
