"""A gateway of several processes: each serves whoever it takes from one port.

They share the socket, so that who waits to be taken is lost with none of them, and what they count.
The supervisor that runs the processes of a worker runs them as well: it knows who hangs, waits from
try to try with one that does not start, and leaves none behind.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from config.settings import Settings
from dispatcher.client.broker_rights import Part
from workers.devstack import own_process
from workers.devstack.child import Service
from workers.devstack.supervisor import Supervisor
from workers.gateway.listening import LISTENING, listen, say_listening
from workers.gateway.member import Member, make_folder
from workers.health.watched import hung, watched

STARTS_WITHIN: Final = 60.0
"""Seconds until each process serves; a slow machine loads them all at once."""


def run(settings: Settings) -> None:
    """Run the processes until a signal. Raises InvalidSettings, SupervisorError."""
    watch = watched([Part.GATEWAY])  # before they inherit what it takes
    with (
        TemporaryDirectory(prefix="voice-dispatcher-") as folder,
        listen(settings) as listener,
        Supervisor(name="gateway") as supervisor,
    ):
        make_folder(Path(folder), settings.gateway_processes)
        services = list(_services(settings, listener, Path(folder)))
        for service in services:
            supervisor.add(service)
        supervisor.watch(watch)
        supervisor.start()
        for service in services:
            supervisor.wait_line(service.name, f"^{LISTENING} ", STARTS_WITHIN)
        say_listening(settings.gateway_url)
        supervisor.run()
        listener.close()  # before they end: nobody is left waiting for one who will not come


def _services(settings: Settings, listener: socket.socket, folder: Path) -> Iterator[Service]:
    of, descriptor = settings.gateway_processes, listener.fileno()
    environment = own_process.environment_of(Part.GATEWAY, settings)
    for number in range(1, of + 1):
        member = Member(number, of, descriptor, folder)
        yield Service(
            member.name,
            own_process.command("workers.run", Part.GATEWAY, *member.arguments),
            env=environment,
            role=Part.GATEWAY,
            hung=hung,
            descriptors=(descriptor,),
        )
