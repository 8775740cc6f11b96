"""What is wrong with a page in a browser: for the eye, and for those who do not see it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from support.console_browser import Page

AXE = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (360, 768, 1280)
SCHEMES = {
    360: ("light", "dark"),
    768: (None, "light", None, "dark"),
    1280: ("dark", None, "light", None),
}
"""In which scheme axe sees a page at each width: the first, the second, and so on, repeated."""
MOST_BYTES = 60_000
"""How large a page may be."""
_BROKEN = """
const words = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  if (!node.parentElement.checkVisibility() || node.parentElement.closest('.hidden')) continue;
  for (const found of node.data.matchAll(/[\\p{L}\\p{N}]{2,16}/gu)) {
    const range = document.createRange();
    range.setStart(node, found.index);
    range.setEnd(node, found.index + found[0].length);
    const lines = new Set([...range.getClientRects()].map((each) => Math.round(each.top)));
    const whole = node.data.slice(Math.max(0, found.index - 16), found.index + 32);
    if (lines.size > 1 && !/[\\p{L}\\p{N}]{17}/u.test(whole)) words.push(found[0]);
  }
}
return words;
"""
_STICKING_OUT = """
const wide = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth <= wide) return [];
return [...document.body.querySelectorAll('*')]
  .filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > wide + 1)
  .map((each) => each.outerHTML.slice(0, 120));
"""


def faults(page: Page, paths: Sequence[str]) -> list[str]:
    """Return what is wrong with pages at each width, with all opened that can be."""
    found: list[str] = []
    for number, path in enumerate(paths):
        page.open(path)
        unfold(page)
        for width in WIDTHS:
            page.size(width, 900)
            here = [*sticking_out(page), *broken_words(page)]
            if scheme := SCHEMES[width][number % len(SCHEMES[width])]:
                page.scheme(scheme)
                here += violations(page)
            found += [f"{path} at {width}: {fault}" for fault in here]
    page.scheme("light")
    return found


def size_of(page: Page, path: str) -> int:
    """Return how many bytes a page has."""
    html = page.driver.execute_async_script(
        "const done = arguments[1];fetch(arguments[0]).then((answer) => answer.text()).then(done)",
        path,
    )
    return len(html.encode())


def violations(page: Page) -> list[str]:
    """Return what axe finds wrong with the page."""
    page.driver.execute_script(AXE)
    found = page.driver.execute_async_script(
        "const done = arguments[1];"
        "axe.run(document, {runOnly: arguments[0]}).then(found => done(found.violations))",
        RULES,
    )
    return [f"{each['id']}: {node['html']}" for each in found for node in each["nodes"]]


def broken_words(page: Page) -> list[str]:
    """Return the words of at most 16 letters that go from one line on into the next."""
    return list(page.driver.execute_script(_BROKEN))


def sticking_out(page: Page) -> list[str]:
    """Return what makes the page wider than its window."""
    return list(page.driver.execute_script(_STICKING_OUT))


def unfold(page: Page) -> None:
    """Open all that can be opened, but for the menu."""
    page.driver.execute_script(
        "for (const e of document.querySelectorAll('main details')) e.open = true"
    )
