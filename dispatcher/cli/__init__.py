"""`voice-dispatcher`: the command line. Each command is loaded when it is named (commands.py)."""

from __future__ import annotations

import os
import sys
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer

from dispatcher import __version__
from dispatcher.cli import moments
from dispatcher.cli.commands import Commands
from dispatcher.cli.lazy import Interrupted, NobodyAnswered
from dispatcher.errors import DispatcherError, UsageError
from dispatcher.values.namespace import DEFAULT_NAMESPACE, namespace_of

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130
_Misused: type[Exception] = typer.BadParameter.__bases__[0]  # of all that the parser refuses


class NotUnicode(UsageError):
    """The command line has bytes in it that are no text."""


OVERVIEW = """Tell people by phone: once, in time, within the provider's limits.

\b
Try it, with a sandbox that calls nobody:
  voice-dispatcher demo      make every kind of call once
  voice-dispatcher up        run all of it, in this directory; meanwhile:
  voice-dispatcher call +818012340001 --say "Disk full on db1" --wait
  voice-dispatcher list      see what became of the calls

\b
Exit codes: 0 done, 1 it failed, 2 wrong usage, 130 interrupted by Ctrl-C.
Times are by the clock of this machine (TZ). NO_COLOR turns colours off.
"""


app = typer.Typer(
    cls=Commands,
    help=OVERVIEW,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


def _namespace(given: str | None) -> str | None:
    try:
        return namespace_of(given) if given else None
    except ValueError as error:
        raise typer.BadParameter(f"{given!r}: {error}") from None


@app.callback()
def options(
    context: typer.Context,
    *,
    redis_url: Annotated[
        str | None,
        typer.Option(
            envvar="DISPATCHER_REDIS_URL",
            show_envvar=True,
            help="URL of the Redis with the job records.",
        ),
    ] = None,
    broker_url: Annotated[
        str | None,
        typer.Option(
            envvar="DISPATCHER_BROKER_URL", help="URL of Celery's broker; default: that Redis."
        ),
    ] = None,
    namespace: Annotated[
        str | None,
        typer.Option(
            envvar="DISPATCHER_NAMESPACE",
            callback=_namespace,
            help="Prefix of the keys in Redis and of the queues"
            f" [default: that of the `up` here, or {DEFAULT_NAMESPACE}].",
        ),
    ] = None,
    security_log: Annotated[
        Path | None,
        typer.Option(
            envvar="DISPATCHER_SECURITY_LOG",
            help="File to which the security log is appended.",
        ),
    ] = None,
    utc: Annotated[bool, typer.Option("--utc", help="Show times in UTC.")] = False,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take what is said for every command."""
    from dispatcher.cli.connection import Connection  # noqa: PLC0415 - `--help` has no use for it

    moments.read_in_utc(utc)
    if security_log is not None:
        from dispatcher.security_log import write_to_file  # noqa: PLC0415 - nor for this

        write_to_file(security_log)
    context.obj = Connection(redis_url or None, broker_url or None, namespace or None)


def main() -> None:
    """Run the command line: 0 done, 1 the thing failed, 2 wrong usage; no tracebacks."""
    try:
        sys.exit(_run())
    except _Misused as error:
        _end_with_usage(error)
    except UsageError as error:
        _end(str(error), WRONG_USAGE)
    except DispatcherError as error:
        _end(str(error), FAILED)
    except OSError as error:
        _give_up_output()
        if isinstance(error, BrokenPipeError):
            sys.exit(FAILED)  # whoever read us has gone: nothing to say, nobody to say it to
        _end(f"{error.filename}: {error.strerror}" if error.filename else str(error), FAILED)
    except NobodyAnswered:
        _end("nobody answered the question, so nothing was done: give --yes", FAILED)
    except (Interrupted, KeyboardInterrupt):
        _end("interrupted; what was done so far stays done", INTERRUPTED)


def _run() -> int:
    """Run the command and return its exit code; what it printed is written before we end, or the
    error is ours to tell.
    """
    _require_unicode(sys.argv[1:])
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - it was closed (>&-)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that knows no Japanese
    try:
        return app(standalone_mode=False) or 0
    finally:
        sys.stdout.flush()


def _require_unicode(arguments: list[str]) -> None:
    """Refuse at once what neither Redis nor the provider takes. It may be secret: not shown."""
    for number, argument in enumerate(arguments, 1):
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise NotUnicode(
                f"argument {number} of the command line is not UTF-8 text: write it in UTF-8"
            ) from None


def _give_up_output() -> None:
    """Keep the interpreter from writing at its end what could not be written before."""
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _end(message: str, code: int) -> None:
    typer.echo(f"error: {message}", err=True)
    sys.exit(code)


def _end_with_usage(error: Any) -> None:
    """Say how the command is used, and then what is wrong, as of any other error."""
    said = StringIO()
    error.show(said)
    typer.echo(said.getvalue().replace("Error: ", "error: ", 1), err=True, nl=False)
    sys.exit(WRONG_USAGE)
