"""What is wrong with a site that was built: links that lead nowhere, and anything that a browser
would fetch from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src"}
"""Attributes that a browser follows by itself."""
FETCHED_LINKS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "modulepreload"}
"""The same of `link`, by its `rel`."""
_IN_STYLES = re.compile(r"""(?:url\(|@import)\s*['"]?((?:https?:)?//[^'")\s]+)""")


class Page(HTMLParser):
    """What a page names: its places, where its links lead, and what is fetched for it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag names."""
        found = {name: value or "" for name, value in attrs}
        self.places |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if FETCHED.get(tag) in found:
            self.fetched.append(found[FETCHED[tag]])
        if tag == "link" and FETCHED_LINKS & set(found.get("rel", "").split()):
            self.fetched.append(found.get("href", ""))


def faults(site: Path) -> list[str]:
    """Return what is wrong, each in a line that names the file."""
    pages = sorted(site.rglob("*.html"))
    return [
        f"{file.relative_to(site)}: {fault}"
        for file in [*pages, *sorted(site.rglob("*.css"))]
        for fault in (_of_page(site, file) if file in pages else _of_styles(file))
    ]


def _of_page(site: Path, file: Path) -> Iterator[str]:
    page = _read(file)
    yield from (f"is fetched from elsewhere: {url}" for url in page.fetched if urlsplit(url).netloc)
    ours = (url for url in (*page.links, *page.fetched) if not _has_host_or_scheme(url))
    yield from (f"leads nowhere: {url}" for url in ours if not _leads_somewhere(site, file, url))


def _of_styles(file: Path) -> Iterator[str]:
    found = _IN_STYLES.findall(file.read_text())
    yield from (f"is fetched from elsewhere: {url}" for url in found)


@cache
def _read(file: Path) -> Page:
    return Page(file.read_text())


def _has_host_or_scheme(url: str) -> bool:
    """Whether it is of another site, of a mail program and so on, or holds its data itself."""
    return bool(urlsplit(url).netloc or urlsplit(url).scheme)


def _leads_somewhere(site: Path, file: Path, url: str) -> bool:
    path, place = unquote(urlsplit(url).path), unquote(urlsplit(url).fragment)
    start = site if path.startswith("/") else file.parent
    target = (start / path.lstrip("/")).resolve() if path else file
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return False
    return not place or target.suffix != ".html" or place in _read(target).places
