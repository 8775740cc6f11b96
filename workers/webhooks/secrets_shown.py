"""What `webhooks secret` prints: the secrets that the owners of receivers need."""

from __future__ import annotations

from collections.abc import Iterator

from config.settings import InvalidSettings, Settings
from dispatcher.values.webhook_url import origin, webhook_url


def of_account(settings: Settings) -> Iterator[str]:
    """Yield a line for each receiver of the account: its number, its place, a secret.

    Raises InvalidSettings where there is none.
    """
    if not settings.webhook_urls:
        raise InvalidSettings(
            "DISPATCHER_WEBHOOK_URL lists no receiver: for one that jobs name, give its URL"
        )
    for number, url in enumerate(settings.webhook_urls, 1):
        for secret in settings.webhook_secrets.of_account(url):
            yield f"{number} {origin(url)} {secret}"


def of(settings: Settings, receiver: str) -> tuple[str, ...]:
    """Return the secrets of one receiver, by its number in the settings or a URL that jobs name.

    Raises InvalidSettings, InvalidWebhookURL.
    """
    secrets = settings.webhook_secrets
    if not secrets.own:
        raise InvalidSettings(
            "no secret is set: set DISPATCHER_WEBHOOK_SECRET or DISPATCHER_SECRET_KEY"
        )
    if not receiver.isdecimal():
        return secrets.of_job(webhook_url(receiver))
    urls = settings.webhook_urls
    if not 1 <= int(receiver[:9]) <= len(urls):
        raise InvalidSettings(
            f"{receiver[:20]!r} is no receiver: DISPATCHER_WEBHOOK_URL lists {len(urls)}"
        )
    return secrets.of_account(urls[int(receiver) - 1])


def mistaken(settings: Settings, receiver: str) -> str | None:
    """Return a hint where a URL was given that the settings list as well."""
    if receiver not in settings.webhook_urls:
        return None
    number = settings.webhook_urls.index(receiver) + 1
    return (
        f"this is the secret for jobs that name {origin(receiver)} themselves;"
        f" for the receiver in DISPATCHER_WEBHOOK_URL: webhooks secret {number}"
    )
