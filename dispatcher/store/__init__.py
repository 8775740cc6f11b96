"""The store: jobs and all that belongs to them, in Redis, behind small repositories."""

from dispatcher.store.store import Store

__all__ = ["Store"]
