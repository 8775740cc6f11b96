"""A real beat watches the chains file: half-written, replaced, and changed while beat was dead."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dispatcher.store import Store
from support.forked import Forked
from support.polling import eventually
from support.redis_servers import RedisProcess

ROOT = Path(__file__).resolve().parents[2]
WITHIN = 180.0
NUMBER = "+818012340002"
FILE = """
contacts:
  ann: {{number: "{number}"}}
  bob: {{number: "+818012340001"}}
chains:
  all:
    steps: [{{call: {who}}}]
"""


def written(who: str) -> str:
    return FILE.format(number=NUMBER, who=who)


@contextmanager
def beat(url: str, path: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(path.parent),
        "DISPATCHER_REDIS_URL": url,
        "DISPATCHER_CHAINS": str(path),
    }
    with log.open("ab") as out:
        command = [sys.executable, "-m", "workers.run", "beat"]
        process = Forked(command, cwd=ROOT, env=variables, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_chains_file_comes_into_force_whole_or_not_at_all(tmp_path: Path) -> None:
    path, log = tmp_path / "chains.yaml", tmp_path / "log"
    path.write_text(written("ann"))
    with RedisProcess(tmp_path / "redis") as server:
        store = Store.from_url(server.url)

        def calls(who: str) -> bool:
            found = store.on_call.get()
            return found is not None and found.on_call.chains["all"].steps[0].call == (who,)

        with beat(server.url, path, log) as process:
            eventually(lambda: calls("ann"), "the file is in force", WITHIN, log.read_text)
            path.write_text(written("bob")[:-20])
            eventually(store.on_call.refused, "the half is refused", WITHIN, log.read_text)
            assert calls("ann")
            path.with_suffix(".new").write_text(written("bob"))
            path.with_suffix(".new").replace(path)
            eventually(lambda: calls("bob"), "the new file is in force", WITHIN, log.read_text)
            assert store.on_call.refused() == ""
            process.kill()
        path.write_text(written("[ann, bob]"))
        with beat(server.url, path, log):
            eventually(lambda: not calls("bob"), "the next beat reads it", WITHIN, log.read_text)
        assert [each.version for each in store.on_call.versions()] == [3, 2, 1]
        assert [each.kind for each in store.events.after()].count("chains.refused") == 1
        store.close()
    assert "the old one stays in force" in log.read_text()
    assert NUMBER[-8:] not in log.read_text()
