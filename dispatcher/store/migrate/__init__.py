"""`voice-dispatcher migrate`: the records of an older schema brought up to date in place."""

from dispatcher.store.migrate.migration import Done, Migration, NotWhole, Plan
from dispatcher.store.migrate.writer import AtWork

__all__ = ["AtWork", "Done", "Migration", "NotWhole", "Plan"]
