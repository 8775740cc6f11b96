"""What somebody who took or stopped an alert is told: done, done already by whom, or too late."""

from __future__ import annotations

from dispatcher.alerts.standing import ended, has_it
from dispatcher.errors import DispatcherError
from dispatcher.model.alert import Alert, AlertState
from dispatcher.store.alert_values import AlertActed


class AlertEnded(DispatcherError):
    """The alert ended before somebody acted on it; the message says how, when, and who had it."""


def taken(acted: AlertActed) -> str:
    """Return in words who has an alert that somebody said they have. Raises AlertEnded."""
    alert = acted.alert
    if acted.done:
        return f"{_name(alert)}: {has_it(alert)}; nobody else is called"
    if alert.state is AlertState.ACKNOWLEDGED:
        return f"{_name(alert)}: {has_it(alert)} already"
    raise AlertEnded(ended(alert))


def stopped(acted: AlertActed) -> str:
    """Return in words that an alert's calls are stopped, or why there are none. Raises
    AlertEnded.
    """
    alert = acted.alert
    if acted.done:
        return f"{_name(alert)}: its calls are stopped, and nobody has it"
    if alert.state is AlertState.ACKNOWLEDGED:
        return f"{_name(alert)}: there is nothing to stop: {has_it(alert)}"
    if alert.state is AlertState.RESOLVED:
        raise AlertEnded(ended(alert))
    return f"{_name(alert)}: there is nothing to stop: it is {alert.state.replace('_', ' ')}"


def _name(alert: Alert) -> str:
    many = f" and {alert.members - 1} more" if alert.members > 1 else ""
    return f"{alert.summary or alert.id}{many}"
