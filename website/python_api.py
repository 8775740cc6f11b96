"""The page of all names that `from dispatcher import …` knows: mkdocstrings fills in what their
docstrings say.
"""

from __future__ import annotations

import dispatcher

HEAD = """# Python API

All that `from dispatcher import …` has, as the docstrings say it.
[Producers](../how-to/producers.md) explains it by examples.
"""
SECTIONS = {
    "Ask for calls": ("Dispatcher", "AsyncDispatcher", "JobHandle", "AsyncJobHandle"),
    "Many at once": ("Results", "AsyncResults", "Bulk", "RefusedRequest"),
    "Requests": ("JobRequest", "Kind", "Priority", "OnUncertain"),
    "Jobs": ("Job", "Attempt", "Event", "NextAction", "State", "Reason", "Why"),
    "Find and watch": ("Filter", "Watch", "Change", "Gap", "Campaign"),
}


def page() -> str:
    """Return the page, in Markdown with the marks that mkdocstrings replaces."""
    sections = {**SECTIONS, "Errors": errors()}
    return HEAD + "".join(_section(title, names) for title, names in sections.items())


def errors() -> tuple[str, ...]:
    """Return the names of all errors."""
    return tuple(name for name in dispatcher.__all__ if _is_error(getattr(dispatcher, name)))


def _is_error(found: object) -> bool:
    return isinstance(found, type) and issubclass(found, Exception)


def _section(title: str, names: tuple[str, ...]) -> str:
    places = (f"{getattr(dispatcher, name).__module__}.{name}" for name in names)
    return f"\n## {title}\n" + "".join(f"\n::: {place}\n" for place in places)
