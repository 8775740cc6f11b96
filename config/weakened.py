"""Which settings weaken a guard: told in the security log by each process that starts."""

from __future__ import annotations

from collections.abc import Iterator

from config.settings import Settings
from dispatcher.values.hosts import is_loopback


def weakened(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield each variable that opens what is closed by default, and what it opens."""
    real = settings.of_provider.is_real
    checks = {
        "ALLOWED_COUNTRIES": (real and not settings.allowed_countries, "any country is called"),
        "SPEND_PER_DAY": (real and settings.spend_per_day is None, "a day may cost anything"),
        "ALLOWED_NUMBER_TYPES": (settings.allowed_number_types, "numbers that cost more"),
        "RECIPIENT_PER_DAY": (
            real and settings.recipient_per_day is None,
            "one person, as often as asked",
        ),
        "RECIPIENT_ONE_AT_A_TIME": (
            real and not settings.recipient_one_at_a_time,
            "one person by several calls at once",
        ),
        "WEBHOOK_NUMBERS": (settings.webhook_numbers == "whole", "receivers get whole numbers"),
        "WEBHOOK_ALLOW_PRIVATE": (settings.webhook_allow_private, "webhooks to private networks"),
        "WEBHOOK_ALLOW_PRIVATE_JOBS": (
            settings.webhook_allow_private_jobs,
            "whoever enqueues has private networks sent requests",
        ),
        "METRICS": (settings.metrics == "open", "anybody reads the metrics"),
        "FLOWER_API": (settings.flower_api, "Flower's password enqueues without key and limit"),
        "GATEWAY_HOST": (
            not is_loopback(settings.gateway_host)
            and not settings.gateway_tls_cert
            and not (settings.public_url or "").startswith("https://"),
            "keys go over the network in clear",
        ),
    }
    yield from ((f"DISPATCHER_{n}", opens) for n, (is_so, opens) in checks.items() if is_so)
