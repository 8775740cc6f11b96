"""What the mails say: pure."""

from __future__ import annotations

from dispatcher.model.job import iso_of
from dispatcher.store.stoppage import StoppageNews
from dispatcher.values.durations import spoken

Words = tuple[str, str]
"""Subject and text."""
MORE = "`voice-dispatcher doctor` says more; docs/how-to/troubleshooting.md says what to do."


def mail(news: StoppageNews, told_by: str) -> Words:
    """Return the mail that tells of a stoppage, or of its end."""
    if news.kind == "possible":
        lasted = spoken(max(1.0, (news.at - news.since) / 1000))
        says = f"For {lasted} nobody was called: {news.why}."
        return _mail("Calls are possible again", f"Since {iso_of(news.at)}. {says}", told_by)
    says = f"Nobody has been called since {iso_of(news.since)}: {news.why}."
    text = f"{says}\n\nWhat to do: {news.remedy}.\n{MORE}"
    return _mail(f"Nobody can be called: {news.why}", text, told_by)


def of_test(told_by: str) -> Words:
    """Return the mail that shows that mails arrive."""
    text = "This is a test, which somebody asked for with `doctor --email`. Nothing is wrong."
    return _mail("A test of the alarm", text, told_by)


def _mail(subject: str, text: str, told_by: str) -> Words:
    return f"[voice-dispatcher] {subject}", f"{text}\n\n-- \n{told_by}\n"
