"""`sandbox`: the provider's stand-in, for trying out and for other services' tests."""

from __future__ import annotations

import typer

from dispatcher.cli import connection
from dispatcher.errors import DispatcherError


class SandboxUnavailable(DispatcherError):
    """The sandbox cannot run here; the message says why."""


DIAL_IN = "dial-in"
"""The first word that has a person play a caller."""
app = typer.Typer(add_completion=False, rich_markup_mode=None)
_ITS_OWN = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""The options are those of the sandbox's own command, `--help` too."""


@app.command("sandbox", context_settings=_ITS_OWN)
def sandbox(context: typer.Context) -> None:
    """Run the provider's sandbox, or `dial-in`: play a person who calls its account."""
    try:
        from dispatcher.sandbox import caller  # noqa: PLC0415 - an extra
        from dispatcher.sandbox.__main__ import start  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise SandboxUnavailable(
            f"the sandbox needs {error.name}: install voice-dispatcher[sandbox]"
        ) from None
    try:
        if context.args[:1] == [DIAL_IN]:
            running = connection.of(context).running
            url, prog = (
                running.sandbox_url if running else None,
                f"voice-dispatcher sandbox {DIAL_IN}",
            )
            raise typer.Exit(caller.main(context.args[1:], prog, url))
        start(context.args, prog="voice-dispatcher sandbox")
    except OSError as error:
        raise SandboxUnavailable(str(error)) from None
