"""Writes what 0.2.0 leaves in Redis: `python tests/migration/store_0_2_0 redis://…`.

The server must be empty. What stands in it then is kept beside this folder, with what 0.2.0 answers
about it. The code of that version, and what its tests share, come from the repository's history.
"""

from __future__ import annotations

import io
import json
import lzma
import subprocess
import sys
import tarfile
import tempfile
from importlib import import_module
from pathlib import Path

COMMIT = "c4c9415"
HERE = Path(__file__).parent


def _old_code() -> str:
    """Return a folder with 0.2.0 in it."""
    packed = subprocess.run(
        ["git", "archive", COMMIT, "dispatcher", "config", "workers", "tests/support"],
        check=True, capture_output=True, cwd=HERE.parents[2],
    ).stdout  # fmt: skip
    folder = tempfile.mkdtemp(prefix="voice-dispatcher-0.2.0-")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def main(url: str) -> None:
    folder = _old_code()
    sys.path[0:0] = [folder, f"{folder}/tests", str(HERE)]
    # Not before: these stand on the code of that version.
    played, kept_store = map(import_module, ("play", "support.kept_store"))
    play = played.Play(url)
    play.run()
    keys = kept_store.read(play.client, "{second}")
    kept = {"now": play.clock(), "keys": keys, "expected": played.expected(play)}
    text = json.dumps(kept, ensure_ascii=False, default=str).encode("utf-8", "surrogateescape")
    packed = lzma.compress(text, preset=9 | lzma.PRESET_EXTREME)
    (HERE.parent / "store-0.2.0.json.xz").write_bytes(packed)
    print(f"{len(keys)} keys; {kept['expected']['counts']}")


if __name__ == "__main__":
    main(sys.argv[1])
