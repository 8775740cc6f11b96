"""The sandbox's command (`voice-dispatcher sandbox`): run one and say where it listens."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from dispatcher.sandbox import CannotListen, SandboxOptions, run
from dispatcher.sandbox.limits import Limit
from dispatcher.sandbox.options import CALLBACK_FORMATS, CREDITS_PAGES

_DEFAULTS = SandboxOptions()
_HIGHEST_PORT = 65535


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM; return 0, or 1 where it cannot listen (2: wrong usage)."""
    try:
        start(arguments, "python -m dispatcher.sandbox")
    except CannotListen as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def start(
    arguments: Sequence[str] | None = None, prog: str = "python -m dispatcher.sandbox"
) -> None:
    """Run with the options of a command line until SIGINT or SIGTERM.

    Raises CannotListen, and SystemExit (2) for wrong usage, which stderr then says.
    """
    parser = parser_of(prog)
    given = vars(parser.parse_args(arguments))
    host, port = given.pop("host"), given.pop("port")
    if "dial_in_numbers" in given:
        given["dial_in_numbers"] = tuple(given["dial_in_numbers"])
    try:
        options = SandboxOptions(**given)
    except ValueError as error:
        parser.error(str(error))
    run(options, host=host, port=port, announce=_announce)


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}\n")


def _announce(url: str) -> None:
    print(f"Provider sandbox listening on {url}", flush=True)


def parser_of(prog: str) -> _Parser:
    """Return what reads the options of the server."""
    parser = _Parser(
        prog=prog,
        description="A server that behaves like the voice provider and calls nobody."
        " A number's last digits choose the result (docs/reference/sandbox.md).",
        argument_default=argparse.SUPPRESS,  # what is not given is left to SandboxOptions
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    parser.add_argument("--port", type=_port, default=0, help="0 takes any free one (default)")
    _add_numbers(parser)
    parser.add_argument(
        "--seed", type=int, help="determines call ids and chances (default: random)"
    )
    parser.add_argument(
        "--rate",
        type=_rate,
        metavar="N",
        help="requests per second, such as 5 or 0.5, or 60/min, 1000/hour, 5000/day"
        " (default: no limit)",
    )
    parser.add_argument("--max-connections", type=int, metavar="N", help="requests open at once")
    parser.add_argument("--callback-format", choices=CALLBACK_FORMATS, help="(default: form)")
    parser.add_argument(
        "--credits-page",
        choices=CREDITS_PAGES,
        help="what GET /you/credits/ answers (default: right)",
    )
    parser.add_argument(
        "--dial-in-number",
        dest="dial_in_numbers",
        action="append",
        metavar="NUMBER",
        help="a number that the account rents, for people to call; may be repeated"
        f" (default: {_DEFAULTS.dial_in_numbers[0]})",
    )
    parser.add_argument("--sid", help=f"API SID (default: {_DEFAULTS.sid})")
    parser.add_argument("--token", help=f"auth token (default: {_DEFAULTS.token})")
    parser.add_argument("--postpaid", action="store_true", help="place calls at any balance")
    parser.add_argument(
        "--no-control",
        dest="control",
        action="store_false",
        help="turn off the endpoints under /_sandbox/",
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not an integer from 0 to {_HIGHEST_PORT}")
    return int(text)


def _rate(text: str) -> float | str:
    with suppress(ValueError):
        return float(text)
    try:
        Limit.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _add_numbers(parser: argparse.ArgumentParser) -> None:
    for name, metavar, text in (
        ("credits", "N", "balance at the start (default: {:g})"),
        ("ring", "S", "seconds until a call ends (default: {:g})"),
        ("latency", "S", "delay of every answer, in seconds (default: {:g})"),
        (
            "slow",
            "S",
            "extra delay for a number ending in 0010, in seconds (default: {:g})",
        ),
        ("cut", "P", "chance that an answer is cut after its call was placed (default: {:g})"),
        ("lag", "S", "seconds until a placed call's status is known (default: {:g})"),
        ("cost_delay", "S", "seconds from a call's end until its cost is known (default: {:g})"),
        ("callback_drop", "P", "chance that a callback never comes (default: {:g})"),
        ("callback_duplicate", "P", "chance that a callback comes twice (default: {:g})"),
        ("callback_delay", "S", "seconds from the end of a call to its callback (default: {:g})"),
        ("callback_retry", "S", "seconds between two tries of a callback (default: {:g})"),
    ):
        default = getattr(_DEFAULTS, name)
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, type=float, metavar=metavar, help=text.format(default))


if __name__ == "__main__":
    sys.exit(main())
