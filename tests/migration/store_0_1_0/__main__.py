"""Writes what 0.1.0 leaves in Redis: `python tests/migration/store_0_1_0 redis://… [JOBS]`.

The server must be empty; what stands in it then is kept beside this folder, with what 0.1.0
answers about it. The code of that version comes from the repository's history.
"""

from __future__ import annotations

import io
import itertools
import random
import secrets
import subprocess
import sys
import tarfile
import tempfile
from importlib import import_module
from pathlib import Path

COMMIT = "7fe0d7a8c9d13c9e5be57f14b41598d6c91147e1"
HERE = Path(__file__).parent
SEED = 10


def _old_code() -> str:
    """Return a folder with 0.1.0 in it."""
    packed = subprocess.run(
        ["git", "archive", COMMIT, "dispatcher", "config", "workers"],
        check=True, capture_output=True, cwd=HERE.parents[2],
    ).stdout  # fmt: skip
    folder = tempfile.mkdtemp(prefix="voice-dispatcher-0.1.0-")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def _foretell(rng: random.Random) -> None:
    """Have everything that 0.1.0 draws come out the same each time."""
    serial = itertools.count(1)
    # Ids of jobs without a key: random enough to differ, and packed in a few bytes.
    secrets.token_bytes = lambda n=32: rng.randbytes(1) + next(serial).to_bytes(n - 1, "big")
    secrets.token_hex = lambda n=32: rng.randbytes(n).hex()
    secrets.token_urlsafe = lambda n=32: rng.randbytes(n).hex()[:n]
    secrets.choice = lambda items: rng.choice(list(items))


def main(url: str, jobs: int = 10_000) -> None:
    sys.path[0:0] = [_old_code(), str(HERE.parents[1])]
    rng = random.Random(SEED)
    _foretell(rng)
    # Not before: these stand on the code of that version.
    dispatcher = import_module("dispatcher")
    expected, history, kept_store = map(
        import_module, ("expected", "history", "support.kept_store")
    )
    assert dispatcher.__version__ == "0.1.0"
    assert str(HERE.parents[2]) not in dispatcher.__file__
    play = history.History(url, rng, jobs)
    play.run()
    kept_store.save(
        HERE.parent, play.store.redis, play.store.root, play.clock(), expected.expected(play.store)
    )
    print(f"{len(play.store.redis.keys())} keys")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
