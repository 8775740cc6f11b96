"""Shell lines of a page that use `redis-cli`, run against a server of a test.

Where this machine has no redis-cli, a few lines of Python print what it would.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from support.redis_servers import RedisProcess

_STAND_IN = """\
import sys
from redis import Connection

link = Connection(port=int(sys.argv[1]), protocol=2, decode_responses=True)
link.send_command(*sys.argv[2:])
answer = link.read_response()
print(*(answer if isinstance(answer, list) else [answer]), sep="\\n")
"""


def play(lines: str, server: RedisProcess, places: Mapping[str, Path], folder: Path) -> str:
    """Run lines with other places than the page's in them; return what they print.

    `folder` is where a redis-cli that knows the server is put.
    """
    for named, place in places.items():
        assert named in lines
        lines = lines.replace(named, f"{place}/")
    _put_redis_cli(folder, server.port)
    path = f"{folder}:{os.environ['PATH']}"
    argv = ["sh", "-e", "-c", lines]
    variables = {**os.environ, "PATH": path}
    ran = subprocess.run(
        argv, env=variables, capture_output=True, text=True, timeout=180, check=False
    )
    assert ran.returncode == 0, (ran.stdout, ran.stderr)
    return ran.stdout


def _put_redis_cli(folder: Path, port: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stand_in.py").write_text(_STAND_IN)
    real = shutil.which("redis-cli")
    command = f"{real} -p" if real else f"{sys.executable} {folder / 'stand_in.py'}"
    script = folder / "redis-cli"
    script.write_text(f'#!/bin/sh\nexec {command} {port} "$@"\n')
    script.chmod(0o755)
