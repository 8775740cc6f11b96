"""The dashboard is made of its panels, whose words are those of the catalogue of problems."""

from __future__ import annotations

from deploy.grafana import dashboard


def test_the_file_is_what_the_panels_say() -> None:
    assert dashboard.FILE.read_text() == dashboard.text(), "run `make dashboard`"
