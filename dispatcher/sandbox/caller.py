"""Plays a person who calls a number of the account's (`voice-dispatcher sandbox dial-in`)."""

from __future__ import annotations

import argparse
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

PATIENCE = 15.0
"""Seconds; the sandbox itself waits for less."""


class NotPlayed(OSError):
    """Nobody was called; the message says why."""


def main(arguments: Sequence[str], prog: str, sandbox: str | None) -> int:
    """Call, and say what the person hears; return 0, or 1 where there is something wrong with it.

    `sandbox` is the URL of the one that runs here, if any. Raises NotPlayed, and SystemExit (2) for
    wrong usage.
    """
    given = parser_of(prog, sandbox).parse_args(arguments)
    if not given.sandbox:
        raise NotPlayed("no sandbox runs in this directory: give its address with --sandbox URL")
    heard = _call(given.sandbox, "" if given.hidden else given.caller, given.to)
    if heard["problem"]:
        print(f"error: {heard['problem']}", file=sys.stderr)
        return 1
    print(in_words(heard))
    return 0


def in_words(heard: dict[str, Any]) -> str:
    """Return what the person hears."""
    match heard["instruction"]:
        case "say":
            return f"{heard['lang']}: {heard['text']}"
        case "voicemail":
            return f"{heard['lang']}: {heard['text']} (then a message is recorded)"
        case "transfer":
            return f"(connected to {heard['number']})"
        case _:
            return f"(hears {heard['url']})"


def parser_of(prog: str, sandbox: str | None) -> argparse.ArgumentParser:
    """Return what reads the options of who plays a caller; `sandbox` is its URL unless given."""
    parser = argparse.ArgumentParser(
        prog=prog, description="Play a person who calls a number of the sandbox's account."
    )
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("caller", nargs="?", help="the number of who calls, such as +818012340001")
    who.add_argument("--hidden", action="store_true", help="the caller hides the number")
    parser.add_argument("--to", default="", metavar="NUMBER", help="the number that is called")
    parser.add_argument(
        "--sandbox", default=sandbox, metavar="URL", help="default: the one that runs here"
    )
    return parser


def _call(sandbox: str, caller: str, recipient: str) -> dict[str, Any]:
    body = json.dumps({"caller": caller or None, "recipient": recipient}).encode()
    request = urllib.request.Request(  # noqa: S310 - a person names it
        f"{sandbox.rstrip('/')}/_sandbox/dial-in", body, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        raise NotPlayed(f"the sandbox refused: {_detail(error)}") from None
    except (OSError, ValueError) as error:
        raise NotPlayed(f"no sandbox answers at {sandbox} ({type(error).__name__})") from None


def _detail(error: urllib.error.HTTPError) -> str:
    with error:
        try:
            return str(json.load(error)["detail"])
        except (ValueError, KeyError, TypeError):
            return f"HTTP {error.code}"
