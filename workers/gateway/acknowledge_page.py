"""The page of an alert's link: small, whole in itself, and without scripts."""

from __future__ import annotations

import base64
import hashlib
from html import escape

from starlette.responses import HTMLResponse

STYLE = """
:root { color-scheme: light dark; }
body { font: 1.2rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 0 auto; padding: 1rem;
  overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; }
label, input, button { display: block; font: inherit; width: 100%; box-sizing: border-box; }
input, button { min-height: 3.2rem; margin: .4rem 0 1rem; padding: .4rem .8rem; }
button { color: #fff; background: #0b57d0; border: 0; border-radius: .5rem; }
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)
FORM = """<form method="post">
<label for="by">Your name (others will see it; may be left out)</label>
<input id="by" name="by" maxlength="40" autocomplete="name">
<button>I have it: call nobody else</button>
</form>"""


def page(
    words: str, *, button: bool = False, good: bool = False, status: int = 200
) -> HTMLResponse:
    """Return the page that says `words`, with the button or without."""
    title = "I have it" if button else "Done" if good else "Alert"
    html = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<meta name='robots' content='noindex'><title>{title}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(words)}</h1>{FORM if button else ''}</main></body></html>"
    )
    return HTMLResponse(html, status, headers={"Content-Security-Policy": POLICY})
