"""What the sandbox's tests talk to it with: plain HTTP, and nothing of the dispatcher's client."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

RECORDING = "http://media.example.com:8080/alerts/disk-full_1.mp3"


class Client:
    """One account's view of a sandbox at `url`."""

    def __init__(self, url: str, auth: tuple[str, str] = ("sandbox", "sandbox")) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.auth = auth

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.url + path, timeout=30, **options)

    def post(self, path: str, form: Any = None, **options: Any) -> requests.Response:
        return self.session.post(self.url + path, data=form, timeout=30, **options)

    def play(self, recipient: str = "+818012340001", **fields: Any) -> requests.Response:
        form = {
            "caller": "81450000000",
            "recipient": recipient,
            "recording_url": RECORDING,
            **fields,
        }
        return self.post("/voice/simple/playbacks/", form)

    def say(self, recipient: str = "+818012340001", **fields: Any) -> requests.Response:
        spoken = {"recording_url": None, "tts_message": "Disk full", "tts_lang": "en"}
        return self.play(recipient, **{**spoken, **fields})

    def meet(self, *numbers: str, **fields: Any) -> requests.Response:
        form = {"caller": "81450000000", "participants": ",".join(numbers), **fields}
        return self.post("/voice/simple/conferences/", form)

    def callid(self, recipient: str = "+818012340001", **fields: Any) -> str:
        answer = self.play(recipient, **fields)
        assert answer.status_code == 201, answer.text
        (placed,) = answer.json()
        return str(placed["callid"])

    def status(self, callid: str) -> dict[str, Any]:
        answer = self.get(f"/voice/calls/{callid}/")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def balance(self) -> float:
        return float(self.get("/you/credits/").json()["credits"])

    def calls(self, **query: str) -> list[dict[str, Any]]:
        return list(self.get("/_sandbox/calls", params=query).json())

    def stats(self) -> dict[str, Any]:
        return dict(self.get("/_sandbox/stats").json())

    def options(self, **changes: Any) -> requests.Response:
        return self.post("/_sandbox/options", json=changes)

    def credits(self, **change: Any) -> requests.Response:
        return self.post("/_sandbox/credits", json=change)


Start = Callable[..., Client]


@dataclass
class Receiver:
    """A web server that callbacks are sent to; `answers` are used up one by one, then 200."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
