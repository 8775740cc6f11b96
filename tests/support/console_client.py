"""A person at the console without a browser: keeps cookies, reads pages, sends their forms."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any, Self
from urllib.parse import urljoin

import requests

from dispatcher.model.api_key import Scope
from dispatcher.store import Store

RECIPIENT = "+818011234567"
MASKED = "+8180****4567"


def key(store: Store, *scopes: Scope, name: str = "ops") -> str:
    """Make a key and return its text."""
    return store.api_keys.create(name, scopes or (Scope.OPERATE,))[1]


class Form:
    """A form as a browser would send it, with its hidden fields."""

    def __init__(self, method: str, action: str) -> None:
        self.method, self.action = method, action
        self.fields: list[tuple[str, str]] = []
        self.buttons: list[str] = []


class Reader(HTMLParser):
    """Reads a page: its forms, its links, its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        got = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(got.get("method", "get"), got.get("action", "")))
        elif tag == "input" and got.get("type") == "hidden" and self.forms:
            self.forms[-1].fields.append((got["name"], got["value"]))
        elif tag == "button" and self.forms:
            self.forms[-1].buttons.append(got.get("value", ""))
        elif tag == "a":
            self.links.append(got["href"])

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words)).strip()


class Person:
    """Somebody with a browser that runs no scripts."""

    def __init__(self, url: str) -> None:
        self.url, self.session = url, requests.Session()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.url + path, timeout=30, **options)

    def post(self, path: str, fields: Any = None, **options: Any) -> requests.Response:
        return self.session.post(self.url + path, data=fields, timeout=30, **options)

    def page(self, path: str) -> Reader:
        """Return a page that must be there."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return Reader(answer.text)

    def send(self, page: Reader, action: str, **fields: Any) -> requests.Response:
        """Send the form of a page that goes to `action`, with what was filled in."""
        form = next(form for form in page.forms if form.action.endswith(action))
        assert form.method == "post"
        pairs = [*form.fields]
        for name, value in fields.items():
            pairs += (
                [(name, each) for each in value] if isinstance(value, list) else [(name, value)]
            )
        return self.session.post(urljoin(self.url, form.action), data=pairs, timeout=30)

    def log_in(self, text: str, path: str = "/console") -> requests.Response:
        """Log in with a key."""
        return self.send(Reader(self.get(path).text), "/login", key=text)

    @property
    def token(self) -> str:
        """The token of the session's forms."""
        (form,) = (f for f in self.page("/console").forms if f.action.endswith("/logout"))
        return dict(form.fields)["csrf"]
