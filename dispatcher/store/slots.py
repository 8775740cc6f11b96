"""One of the account's slots for each request that is not a dial: status and balance checks."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from dispatcher.errors import DispatcherError
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.limiter import Limiter


class NoSlot(DispatcherError):
    """The next slot is further away than the caller wants to wait; come back in `wait` seconds."""

    def __init__(self, wait: float) -> None:
        self.wait = wait
        super().__init__(f"the account's next free slot is {wait:.1f} s away")


@dataclass(frozen=True)
class Slots:
    """Waits for a slot of the account's, and gives its connection back.

    `sleep` takes seconds. Raises StoreUnavailable: without Redis nothing goes out.
    """

    limiter: Limiter
    sleep: Callable[[float], None] = time.sleep

    @contextmanager
    def slot(self, patience: float = math.inf, *, probe: bool = False) -> Iterator[None]:
        """Hold one slot for one request. Raises NoSlot where it is `patience` seconds away.

        A `probe` is let out even while the provider is down or refuses the account.
        """
        holder = uuid.uuid4().hex
        granted, wait = self.limiter.take_slot(holder, patience=patience, probe=probe)
        while not granted:
            if wait >= patience:
                raise NoSlot(wait)
            self.sleep(wait)
            granted, wait = self.limiter.take_slot(holder, patience=patience, probe=probe)
        try:
            self.sleep(wait)
            yield
        finally:
            with suppress(StoreUnavailable):  # what was asked is answered; its lease ends by itself
                self.limiter.give_back(holder)
