"""How the processes log: one line each, on stderr, with telephone numbers masked."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

from celery.exceptions import SecurityWarning
from celery.signals import setup_logging

from config.settings import InvalidSettings
from dispatcher.security_log import write_to, write_to_file
from dispatcher.values.masking import mask_text

log = logging.getLogger(__name__)

CHATTY = (
    "celery.app.trace",
    "celery.worker.strategy",
    "celery.beat",
    "flower.command",
    "kombu",
    "urllib3",
    "tornado",
)
"""Loggers that tell of every tick and request; our tasks say in a line of their own what they
did."""


class MaskNumbers(logging.Formatter):
    """Masks numbers in the finished line, tracebacks included: no caller can forget to."""

    def format(self, record: logging.LogRecord) -> str:
        return mask_text(super().format(record))


class WithoutContent(logging.Filter):
    """Takes the content out of Celery's complaints about messages it has no use for.

    It would print them whole, and they hold numbers and what was to be said: a task's name that
    was misspelt is enough.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == _CONSUMER and "message body" in str(record.msg):
            record.msg = f"a message was dropped: no task here accepts it{_why(record.args)}"
            record.args = record.exc_info = None
        return True


def _why(complaint: Any) -> str:
    """Return what Celery complains of; and for a task that is not known, whose complaint ends with
    where it came from, the queue: its sender has to name another one.
    """
    told = complaint if isinstance(complaint, tuple) and complaint else ("",)
    first, last = told[0], told[-1]  # of what is no message of Celery's it says one thing
    why = f" ({type(first).__name__}: {first})" if isinstance(first, Exception) else ""
    queue = last.get("routing_key") if isinstance(last, dict) else None
    return (
        f"{why}, in the queue {queue!r}: send it to the queue of its own worker" if queue else why
    )


_CONSUMER = "celery.worker.consumer.consumer"


def set_up(level: str = "INFO", security_log: Path | None = None) -> None:
    """Send everything that is logged in this process to stderr, masked; and the security log to
    its file, if it has one. Raises InvalidSettings where that cannot be written.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(MaskNumbers("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S"))
    handler.addFilter(WithoutContent())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    # It is for those who take pickles: here all is JSON, and a container's user is often root.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    for name in CHATTY:
        logging.getLogger(name).setLevel(level if level == "DEBUG" else logging.WARNING)
    # At DEBUG it would print each message as it came: of a call task, what is said to whom.
    logging.getLogger("celery.pool").setLevel(logging.INFO)
    logging.getLogger("flower.inspector").setLevel(logging.ERROR)  # warns of workers that start
    setup_logging.connect(_keep_ours)
    _set_up_security_log(security_log)
    # Python prints what nobody caught by itself, and in clear.
    sys.excepthook = _uncaught
    threading.excepthook = lambda told: _uncaught(
        told.exc_type, told.exc_value or told.exc_type(), told.exc_traceback
    )


def _set_up_security_log(path: Path | None) -> None:
    if path is None:
        write_to(logging.StreamHandler())
        return
    try:
        write_to_file(path)
    except OSError as error:
        why = f"DISPATCHER_SECURITY_LOG: {path} cannot be written ({error.strerror})"
        raise InvalidSettings(f"{why}: name a file in a folder of this process' user") from None


def _uncaught(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    log.critical("a fault that nobody caught", exc_info=(kind, error, trace))


def _keep_ours(**_: Any) -> None:
    """Be there: Celery sets up no logging, and so none without masks, while somebody listens."""
