"""Operations that tests alone have, in a library beside that of the release."""

from __future__ import annotations

import copy
from functools import cache, partial
from pathlib import Path

from dispatcher.store import Store
from dispatcher.store.connection import Connection
from dispatcher.store.library import Library, build, modules, operations
from dispatcher.store.rights import Rights


def with_operation(store: Store, name: str) -> Connection:
    """Return a connection to the same records that also knows the operation of support/NAME.lua."""
    connection, library = copy.copy(store.queue._connection), partial(_library, name)
    connection._library = library
    connection.rights = Rights(connection._run, library)
    return connection


@cache
def _library(name: str) -> Library:
    own = Path(__file__).with_name(f"{name}.lua").read_text(encoding="utf-8")
    return build({**modules(), f"ops/{name}": own}, [*operations(), name])
