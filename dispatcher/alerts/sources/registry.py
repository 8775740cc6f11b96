"""The sources whose bodies come over HTTP, by the names that their routes have."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from dispatcher.alerts.sources import (
    alertmanager,
    generic,
    grafana,
    healthchecks,
    uptime_kuma,
    zabbix,
)
from dispatcher.alerts.sources.reading import Source

SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        each.NAME: each.read
        for each in (alertmanager, generic, grafana, healthchecks, uptime_kuma, zabbix)
    }
)
