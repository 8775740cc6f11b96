"""The documentation as one site: built as people build it, and read by a real browser."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from support.console_browser import chromium
from support.doc_pages import ROOT, named, pages
from website.__main__ import build
from website.checks import faults
from website.staging import GENERATED, bars_in_code


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("docs"))


def test_it_has_no_faults(site: Path) -> None:
    assert not faults(site)


def test_every_page_is_there(site: Path) -> None:
    made = [name for name in GENERATED if name.endswith(".md")]
    assert len(made) > 2
    for name in (*map(named, pages()), *made):
        page = site / name.replace("README.md", "index.md").replace(".md", ".html")
        assert page.is_file(), page


def test_what_the_code_says_is_told(site: Path) -> None:
    reference = site / "docs/reference"
    assert "keys create" in (reference / "commands.html").read_text()
    assert "/v1/jobs/bulk" in (reference / "http-api.html").read_text()
    python = (reference / "python-api.html").read_text()
    assert ":::" not in python
    assert "Enqueue one call that says a text or plays a recording" in python
    assert json.loads((reference / "openapi.json").read_text())["paths"]["/v1/jobs"]


SEARCHING = "return !!document.activeElement.shadowRoot?.querySelector('input')"
RESULTS = "return document.activeElement.shadowRoot.textContent"
FOUND = "Callbacks and lost answers"


class Quietly(SimpleHTTPRequestHandler):
    """Serves files, and says nothing."""

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def served(site: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quietly, directory=site))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_is_read_and_searched_with_nothing_from_elsewhere(served: str, tmp_path: Path) -> None:
    with chromium(served, tmp_path) as page:
        page.open("/index.html")
        page.until_sees("tell this person by phone")
        page.until(lambda: page.driver.execute_script(SEARCHING) or page.keys("/"), "it searches")
        page.keys("evidence window")
        page.until(lambda: FOUND in page.driver.execute_script(RESULTS), FOUND)
        fetched = "return performance.getEntriesByType('resource').map(each => each.name)"
        names = page.driver.execute_script(fetched)
        assert names
        assert not [name for name in names if not name.startswith(served)]
        assert page.complaints() == []


# -- what is a fault ----------------------------------------------------------------------------

GOOD = """<h1 id="top">x</h1><a href="#top">x</a><a href="https://example.com/">x</a>
<a href="other.html#there">x</a><img src="data:image/gif;base64,R0lGOD">
<a href="mailto:a@b.c">x</a>"""
BAD = {
    '<a href="gone.html">x</a>': "leads nowhere: gone.html",
    '<a href="#gone">x</a>': "leads nowhere: #gone",
    '<a href="other.html#gone">x</a>': "leads nowhere: other.html#gone",
    '<img src="gone.png">': "leads nowhere: gone.png",
    '<script src="//cdn.example/x.js"></script>': "is fetched from elsewhere: //cdn.example/x.js",
    '<link rel="stylesheet" href="https://f.example/c">': "is fetched from elsewhere: https://f.example/c",
}


@pytest.fixture
def two_pages(tmp_path: Path) -> Path:
    (tmp_path / "other.html").write_text("<h2 id='there'>x</h2>")
    return tmp_path


def test_good_pages_have_no_faults(two_pages: Path) -> None:
    (two_pages / "index.html").write_text(GOOD)
    assert faults(two_pages) == []


@pytest.mark.parametrize("bad", BAD)
def test_each_fault_is_seen(two_pages: Path, bad: str) -> None:
    (two_pages / "index.html").write_text(GOOD + bad)
    assert faults(two_pages) == [f"index.html: {BAD[bad]}"]


def test_styles_fetch_nothing_from_elsewhere(two_pages: Path) -> None:
    (two_pages / "a.css").write_text("@font-face{src:url('https://f.example/x.woff2')} b{c:url(x)}")
    assert faults(two_pages) == ["a.css: is fetched from elsewhere: https://f.example/x.woff2"]


def test_bars_in_code_are_shown_as_they_are() -> None:
    page = (ROOT / "docs/how-to/what-is-said.md").read_text()
    assert r"`{x\|date}`" in page
    assert r"`{x|date}`" in bars_in_code(page)
    assert bars_in_code(r"a \| b") == r"a \| b"
