"""Everything that the site is built from, in one folder: pages as they lie in the repository, so
that their links hold, and pages that are made of the code.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from website import commands, http_api, python_api

ROOT_PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
GENERATED = {
    "docs/reference/commands.md": commands.page,
    "docs/reference/http-api.md": http_api.page,
    "docs/reference/openapi.json": http_api.document_text,
    "docs/reference/python-api.md": python_api.page,
}
_CODE = re.compile(r"`[^`\n]+`")


def stage(root: Path, folder: Path) -> None:
    """Fill `folder`, which is emptied before: the configuration, and `pages`."""
    shutil.rmtree(folder, ignore_errors=True)
    pages = folder / "pages"
    shutil.copytree(root / "docs", pages / "docs")
    for name in ROOT_PAGES:
        shutil.copy(root / name, pages / name)
    for page in pages.rglob("*.md"):
        page.write_text(bars_in_code(page.read_text()))
    for name, made in GENERATED.items():
        (pages / name).write_text(made())
    shutil.copy(root / "website/site.css", pages)
    shutil.copy(root / "website/zensical.toml", folder)


def bars_in_code(text: str) -> str:
    """Return a page whose code in tables holds `|` as it is. Where the repository is hosted it must
    be written `\\|` there; Python-Markdown, which the site is built with, would show both signs.
    """
    return _CODE.sub(lambda code: code[0].replace("\\|", "|"), text)
