"""The store: jobs and all that belongs to them, in Redis, behind small repositories."""

from dispatcher.store.connection import DEFAULT_NAMESPACE, namespace_of
from dispatcher.store.store import Store

__all__ = ["DEFAULT_NAMESPACE", "Store", "namespace_of"]
