"""`voice-dispatcher`: the command line. What only a checkout can run is added from there."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import click
import typer

from dispatcher import __version__
from dispatcher.cli import actions as overseeing
from dispatcher.cli import balance as account
from dispatcher.cli import calls, keys, migrate, webhooks
from dispatcher.cli import doctor as diagnosis
from dispatcher.cli import events as telling
from dispatcher.cli import export as exporting
from dispatcher.cli import import_ as importing
from dispatcher.cli import job_actions as acting
from dispatcher.cli import jobs as looking
from dispatcher.cli import limit as limiting
from dispatcher.cli import pause as pausing
from dispatcher.cli import purge as purging
from dispatcher.cli import sandbox as stand_in
from dispatcher.cli import url as whereabouts
from dispatcher.cli import watch as watching
from dispatcher.cli.connection import Connection
from dispatcher.errors import DispatcherError
from dispatcher.model.api_key import InvalidKeyOptions
from dispatcher.model.request import InvalidJob
from dispatcher.provider import Misconfigured
from dispatcher.rows.columns import InvalidColumns
from dispatcher.rows.template import InvalidTemplate
from dispatcher.rows.text import UnusableInput
from dispatcher.store import DEFAULT_NAMESPACE, namespace_of
from dispatcher.store.redis_url import StoreUnsuitable
from dispatcher.store.search import InvalidCursor
from dispatcher.store.spending import InvalidLimit
from dispatcher.values.durations import InvalidDuration, InvalidMoment

DONE, FAILED, WRONG_USAGE = 0, 1, 2


class NotUnicode(DispatcherError):
    """The command line has bytes in it that are no text."""


USAGE = (
    InvalidColumns,
    InvalidJob,
    InvalidCursor,
    InvalidDuration,
    InvalidKeyOptions,
    InvalidLimit,
    InvalidMoment,
    InvalidTemplate,
    Misconfigured,
    NotUnicode,
    StoreUnsuitable,
    UnusableInput,
)

PROCESSES = {
    "up": "Run the whole stack in the foreground until Ctrl-C.",
    "demo": "Do the main job once, against the sandbox, and show it.",
    "worker": "Run a Celery worker that dials.",
    "beat": "Run the clock that wakes pump, reconcile, rescue and credit.",
    "gateway": "Run the HTTP gateway: the API, the console, metrics, callbacks.",
    "flower": "Run Flower.",
}

app = typer.Typer(
    help="Tell people by phone: once, in time, within the provider's limits.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


def _namespace(given: str) -> str:
    try:
        return namespace_of(given)
    except ValueError as error:
        raise typer.BadParameter(f"{given!r}: {error}") from None


@app.callback()
def options(
    context: typer.Context,
    *,
    redis_url: Annotated[
        str | None,
        typer.Option(
            envvar="DISPATCHER_REDIS_URL", show_envvar=True, help="Redis of the job records."
        ),
    ] = None,
    broker_url: Annotated[
        str | None,
        typer.Option(envvar="DISPATCHER_BROKER_URL", help="Celery's broker, if it is another."),
    ] = None,
    namespace: Annotated[
        str,
        typer.Option(
            envvar="DISPATCHER_NAMESPACE", callback=_namespace, help="Prefix of the keys in Redis."
        ),
    ] = DEFAULT_NAMESPACE,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Find the dispatcher: an option, the environment, or an `up` that runs in this directory."""
    context.obj = Connection(redis_url or None, broker_url or None, namespace)


app.command("call")(calls.call)
app.command("conference")(calls.conference)
app.command("import")(importing.import_)
app.command("export")(exporting.export)
app.command("purge")(purging.purge)
app.command("show")(looking.show)
app.command("list")(looking.list_)
app.command("stats")(looking.stats)
app.command("retry")(acting.retry)
app.command("reached")(acting.reached)
app.command("cancel")(acting.cancel)
app.command("prioritise")(acting.prioritise)
app.command("pause")(pausing.pause)
app.command("resume")(pausing.resume)
app.command("why")(looking.why)
app.command("balance")(account.balance)
app.command("events")(telling.events)
app.add_typer(limiting.app, name="limit")
app.command("doctor")(diagnosis.doctor)
app.command("migrate")(migrate.migrate)
app.command("url")(whereabouts.url)
app.command("sandbox")(stand_in.sandbox)
app.command("watch")(watching.watch)
app.command("audit")(overseeing.audit)
app.add_typer(overseeing.app, name="acts")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(keys.app, name="keys")


def _add_processes() -> None:
    """Add what runs from a checkout or the image, where config/ and workers/ stand beside us.

    A plug-in: this package knows the module's name and its `register`, and nothing else of it.
    """
    if find_spec("workers") is not None and find_spec("config") is not None:
        import_module("workers.commands").register(app)
        return
    for name, text in PROCESSES.items():
        app.command(name, help=text, context_settings=_ANYTHING)(_only_from_a_checkout)


_ANYTHING = {"allow_extra_args": True, "ignore_unknown_options": True}


def _only_from_a_checkout(context: typer.Context) -> None:
    raise typer.BadParameter(
        f"{context.info_name} runs from the project's checkout or its container image;"
        " the installed package holds what producers need"
    )


def main() -> None:
    """Run the command line: 0 done, 1 the thing failed, 2 wrong usage; no tracebacks."""
    _add_processes()
    try:
        _run()
    except DispatcherError as error:
        _end(str(error), WRONG_USAGE if _is_usage(error) else FAILED)
    except OSError as error:
        _give_up_output()
        if isinstance(error, BrokenPipeError):
            sys.exit(FAILED)  # whoever read us has gone: nothing to say, nobody to say it to
        _end(f"{error.filename}: {error.strerror}" if error.filename else str(error), FAILED)
    except KeyboardInterrupt:
        _end("interrupted", 130)


def _run() -> None:
    """Run the command; what it printed is written before we end, or the error is ours to tell."""
    _require_unicode(sys.argv[1:])
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - it was closed (>&-)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that knows no Japanese
    try:
        app()
    finally:
        sys.stdout.flush()


def _require_unicode(arguments: list[str]) -> None:
    """Refuse at the door what neither Redis nor the provider takes. It may be secret: not shown."""
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


def _is_usage(error: DispatcherError) -> bool:
    return isinstance(error, USAGE) or type(error).__name__ == "InvalidSettings"


def _end(message: str, code: int) -> None:
    click.echo(f"error: {message}", err=True)
    sys.exit(code)
