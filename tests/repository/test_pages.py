"""The pages hang together: links lead somewhere, the site shows all, and shows them as written."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from markdown import markdown
from markdown_it import MarkdownIt

from support.doc_pages import ROOT, links, named, pages, places, prose
from website.staging import GENERATED, ROOT_PAGES

PAGES = pages()
OF_THE_SITE = [page for page in PAGES if ROOT / "docs" in page.parents]
NAV = tomllib.loads((ROOT / "website/zensical.toml").read_text())["project"]["nav"]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    for path, place in links(page):
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not place or target.suffix != ".md" or place in places(target), f"{path}#{place}"


@pytest.mark.parametrize("page", OF_THE_SITE, ids=named)
def test_what_a_page_of_the_site_links_to_is_on_the_site(page: Path) -> None:
    site = {ROOT / "docs", *(ROOT / name for name in ROOT_PAGES)}
    outside = [path for path, _ in links(page) if path and not _below(page.parent / path, site)]
    assert not outside, "name the file as code instead"


def _below(path: Path, folders: set[Path]) -> bool:
    found = path.resolve()
    return bool(folders & {found, *found.parents})


def test_every_page_is_in_the_navigation_once() -> None:
    """Add a new page to `nav` of website/zensical.toml, in the section where people look for it."""
    made = [name for name in GENERATED if name.endswith(".md")]
    assert Counter(_in(NAV)) == Counter([*map(named, PAGES), *made])


def _in(found: Any) -> Iterator[str]:
    """Yield every page below a part of the navigation."""
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict):
        yield from _in(list(found.values()))
    else:
        for each in found:
            yield from _in(each)


PARTS = re.compile(r"<(li|ol|ul|table|tr|h[1-6]|img|a)\b")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_the_site_reads_a_page_as_other_hosts_do(page: Path) -> None:
    """Python-Markdown wants four blanks before what stands in a list, and a blank line before and
    after that; others are content with less.
    """
    text = prose(page.read_text())
    elsewhere = MarkdownIt("commonmark").enable("table").render(text)
    here = markdown(text, extensions=["tables", "sane_lists"])
    assert Counter(PARTS.findall(here)) == Counter(PARTS.findall(elsewhere))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_page_begins_with_its_title_and_says_what_it_is_for(page: Path) -> None:
    title, blank, first, *_ = page.read_text().split("\n")
    assert re.match(r"# \S", title)
    assert not blank
    assert first
