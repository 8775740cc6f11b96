"""Keeps web pages out of the control endpoints, which ask for no credentials.

A browser sends what any page that it shows wants sent, also to this machine. Two things tell such a
request: the name that the page's site is known by (DNS rebinding gives it this machine's address),
and the site that the browser says it comes from.
"""

from __future__ import annotations

from ipaddress import ip_address

from aiohttp import web
from aiohttp.typedefs import Handler

from dispatcher.sandbox import refusals
from dispatcher.sandbox.api import CONTROL


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse requests to the control endpoints that a page of some other site may have made."""
    if request.path.startswith(CONTROL):
        if not is_ours(request.host):
            raise refusals.detail(
                421, f"{request.host[:100]!r} is not a name of this machine: use its address"
            )
        if _is_from_a_page(request):
            raise refusals.detail(403, "web pages of other sites may not do this")
    return await handler(request)


def is_ours(host: str) -> bool:
    """Return whether a Host header names this machine or network, as no site of others can.

    That is an address, `localhost`, or a name without a dot, such as a container's.
    """
    name = _name(host)
    if name.endswith(".localhost") or (name and "." not in name and ":" not in name):
        return True
    try:
        return bool(ip_address(name))
    except ValueError:
        return False


def _is_from_a_page(request: web.Request) -> bool:
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2].lower() != request.host.lower()


def _name(host: str) -> str:
    """Return the host without its port, and an IPv6 address without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()
