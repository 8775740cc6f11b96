"""The documentation's pages, and what stands in them: headings, links, code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ABOUT_OLD_RELEASES = {"CHANGELOG.md", "upgrading.md"}
"""Pages that tell of names and commands that are no more."""
_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#\s]*)#?([^)\s]*)\)")
_TEXT_OF_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def pages(*, old: bool = True) -> list[Path]:
    """Return all pages; without those about old releases unless `old`."""
    found = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in found if old or page.name not in ABOUT_OLD_RELEASES]


def named(page: Path) -> str:
    """Return a page's name, such as `docs/how-to/alerts.md`."""
    return page.relative_to(ROOT).as_posix()


def blocks(text: str, *languages: str) -> list[str]:
    """Return what stands in the code blocks of these languages, without their indentation."""
    return [
        re.sub(rf"^{found[1]}", "", found[3], flags=re.MULTILINE)
        for found in _BLOCK.finditer(text)
        if found[2] in languages
    ]


def prose(text: str) -> str:
    """Return a page without its code blocks."""
    return _BLOCK.sub("", text)


def links(page: Path) -> Iterator[tuple[str, str]]:
    """Yield where the links of a page lead to, besides the web: a path ('' is the page itself) and
    a place in it ('' is its beginning).
    """
    for path, place in _LINK.findall(prose(page.read_text())):
        if not path.startswith(("http:", "https:", "mailto:")):
            yield path, place


@cache
def places(page: Path) -> frozenset[str]:
    """Return the places of a page that links can lead to: its headings, as hosts name them."""
    headings = re.findall(r"^#{1,6} (.*)$", prose(page.read_text()), re.MULTILINE)
    return frozenset(_place(heading) for heading in headings)


def _place(heading: str) -> str:
    words = _TEXT_OF_LINK.sub(r"\1", heading).replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
