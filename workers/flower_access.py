"""Who reaches what of Flower: its pages, and its API only where that is wanted.

Flower's API starts tasks of any name with any arguments: with its password alone, calls could be
made that no key, no limit and no audit knows of. Flower has no option that turns all of it off.

Without a password Flower listens on a loopback address. There a page of any site could read it, if
that site's name is given this machine's address (DNS rebinding): so the request has to name this
machine.
"""

from __future__ import annotations

from typing import Any

import flower.app
import flower.command
from flower import urls
from flower.api import BaseApiHandler
from flower.views import BaseHandler
from flower.views.monitor import Metrics
from tornado.httputil import HTTPServerRequest
from tornado.routing import URLSpec
from tornado.web import HTTPError, authenticated

from dispatcher.values.hosts import is_loopback, name_of
from workers.flower_evidence import FlowerEvidence


def guard(*, api: bool) -> None:
    """Have the Flower that this process starts keep to the rules; `api`: its API is wanted."""
    flower.app.default_handlers = _handlers(api=api)
    flower.command.Flower = GuardedFlower


class Misdirected(BaseHandler):  # type: ignore[misc] # Flower has no types
    """The answer to a request that names another machine."""

    def prepare(self) -> None:
        """Refuse, whatever the method. Raises HTTPError."""
        raise HTTPError(421, reason="Misdirected Request: use 127.0.0.1 or localhost")


class MetricsBehindPassword(Metrics):  # type: ignore[misc]
    """Flower's metrics, which name workers and tasks, and which Flower itself shows to anybody."""

    get = authenticated(Metrics.get)


_METRICS = URLSpec("/metrics", MetricsBehindPassword)


_EVIDENCE = FlowerEvidence()


class GuardedFlower(flower.app.Flower):  # type: ignore[misc]
    """Flower that, without a password, is there only for those who name this machine."""

    def log_request(self, handler: Any) -> None:
        """Log a request that is over."""
        super().log_request(handler)
        _EVIDENCE.look(handler)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Return what handles a request."""
        if not self.options.basic_auth and not is_loopback(name_of(request.host)):
            return self.get_handler_delegate(request, Misdirected)
        return super().find_handler(request, **kwargs)


def _handlers(*, api: bool) -> list[Any]:
    """Return Flower's routes without those of the API, unless they are wanted."""
    routes = [each if isinstance(each, URLSpec) else URLSpec(*each) for each in urls.handlers]
    others = [each for each in routes if api or not issubclass(each.handler_class, BaseApiHandler)]
    return [_METRICS if each.handler_class is Metrics else each for each in others]
