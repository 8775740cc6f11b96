"""Incidents, brought about on the real product: who names them, and when. `make incidents`."""
