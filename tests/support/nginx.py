"""A real nginx with a port and a folder of its own, from the system's package."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Self

from support.polling import eventually
from support.ports import free_port

_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin"))
PROGRAM = shutil.which("nginx", path=_PATH)
_AROUND = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; {locations} }}
}}
"""


class Nginx:
    """Runs with these locations, in a `with` block; `folder` is where its files lie."""

    def __init__(self, folder: Path, locations: str) -> None:
        self.folder, self.port = folder, free_port()
        self._config = folder / "nginx.conf"
        self._config.write_text(_AROUND.format(folder=folder, port=self.port, locations=locations))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        assert PROGRAM
        argv = [PROGRAM, "-c", str(self._config), "-e", str(self.folder / "log")]
        self._process = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
        try:
            eventually(self._listens, "nginx listens", more=self._log)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            with self._process as process:
                process.kill()

    def _listens(self) -> bool:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    def _log(self) -> str:
        return (self.folder / "log").read_text()
