"""Flower's page of the broker behind Sentinel: it asks all sentinels, not the first one alone.

With the first one dead, Flower itself shows no queue.
"""

from __future__ import annotations

from typing import Any

from flower.utils import broker


def ask_all(places: list[tuple[str, int]]) -> None:
    """Have the Flower that this process starts ask the sentinels at these hosts and ports."""

    class EverySentinel(broker.RedisSentinel):  # type: ignore[misc] # Flower has no types
        def _get_redis_client(self, *arguments: Any) -> Any:
            clients = []
            for self.host, self.port in places:
                clients.append(super()._get_redis_client(*arguments))
            managers = [client.connection_pool.sentinel_manager for client in clients]
            managers[0].sentinels = [each for manager in managers for each in manager.sentinels]
            return clients[0]

    broker.RedisSentinel = EverySentinel
