"""Alerts: what monitoring reports, and the people who are called because of it."""
