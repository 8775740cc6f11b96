"""One of the account's slots for each request that is not a dial: checks, looks at the balance."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dispatcher.store import Store


@dataclass(frozen=True)
class Limiter:
    """Waits for a slot of the account's, and gives its connection back.

    `sleep` takes seconds. Raises StoreUnavailable: without Redis the limiter is closed, not open.
    """

    store: Store
    sleep: Callable[[float], None] = time.sleep

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one slot for one request."""
        holder, slot = uuid.uuid4().hex, ""
        while wait := self.store.take_slot(holder, slot):
            self.sleep(wait.seconds)
            slot = wait.slot
        try:
            yield
        finally:
            self.store.give_back(holder)
