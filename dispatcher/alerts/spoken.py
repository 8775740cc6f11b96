"""The text of an alert's call: what is wrong, and how to say that one has it; twice.

People miss the first words of a call, and a mailbox cuts them off: so everything is said again, if
that takes no longer than 80 seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dispatcher.alerts.phrases import OTHERWISE, PHRASES, Phrases
from dispatcher.alerts.readable import readable
from dispatcher.model.alert import DRILL, OPEN, Alert, AlertState, Severity
from dispatcher.model.alert_texts import Texts, fill, gaps
from dispatcher.provider import registry
from dispatcher.values import speech
from dispatcher.values.dialled import as_dialled

LONGEST_WHAT: Final = 12.0
"""Seconds of what is wrong, which is said twice."""
LONGEST_LABEL: Final = 5.0
LONGEST_SPOKEN: Final = 80.0
"""Seconds of a whole text; one that would take longer is said once."""
MOST_CHARACTERS: Final = 2000
"""Of a whole text: half of what a job may say."""
NAMES: Final = ("alertname", "name", "title", "rule", "service", "check")
PLACES: Final = ("instance", "host", "hostname", "node", "pod", "job")
"""Labels that say what is wrong and where, where a summary cannot be said."""
_ENDS: Final = ".!?。！？।"  # noqa: RUF001 - of all languages


@dataclass(frozen=True, slots=True)
class HowTo:
    """How who is called says that they have it.

    `number` (E.164) is called back. `answered`: answering is enough. Neither: on the console.
    """

    number: str | None = None
    answered: bool = False


def voice(lang: str | None, templates: Mapping[str, Texts] | None = None) -> str:
    """Return the language that an alert is said in to who speaks `lang`: English where there are
    no texts in it.
    """
    return lang if lang in PHRASES or lang in (templates or {}) else OTHERWISE  # type: ignore[return-value]


def spoken(
    alert: Alert,
    members: Sequence[Alert] = (),
    *,
    lang: str,
    how_to: HowTo = HowTo(),
    templates: Mapping[str, Texts] | None = None,
    to: str = "",
) -> str:
    """Return what a call about an alert says, in `voice(lang)`. Never empty.

    `members` are those of a bundle, as far as they are known. `templates` are the users' own texts
    by language. `to` is who is called (E.164): a number of their own country is said as they dial.
    """
    lang = voice(lang, templates)
    words = _words(lang, templates)
    once = [*_sentences(alert, members, lang, words), *_how(alert, how_to, to, words)]
    drill = [words.drill] if alert.source == DRILL and words.drill else []
    twice = [*drill, *once, words.again, *once]
    text = _joined(twice, words)
    if speech.seconds(text, lang) > LONGEST_SPOKEN or len(text) > MOST_CHARACTERS:
        text = _joined([*drill, *once], words)
    return text[:MOST_CHARACTERS]


def name_for_ears(alert: Alert, lang: str, templates: Mapping[str, Texts] | None = None) -> str:
    """Return what an alert is called when it is said: its summary, or else its labels.

    It has no sentence's end at its end, and is never empty.
    """
    lang = voice(lang, templates)
    summary = readable(alert.summary, lang, LONGEST_WHAT)
    if summary:
        return summary
    named = [_label(alert, NAMES, lang), _label(alert, PLACES, lang)]
    return " ".join(filter(None, named)) or _words(lang, templates).unnamed


def _label(alert: Alert, names: Sequence[str], lang: str) -> str:
    said = (readable(alert.labels.get(name, ""), lang, LONGEST_LABEL) for name in names)
    return next(filter(None, said), "")


def _sentences(alert: Alert, members: Sequence[Alert], lang: str, words: Phrases) -> Iterator[str]:
    told, many = _worst(alert, members)
    ours = {
        "what": name_for_ears(told, lang) if told.summary or told.labels else words.unnamed,
        "severity": words.severities.get(told.severity, ""),
        "many": str(many),
    }
    text = words.alert if many < 2 else words.bundle  # noqa: PLR2004 - of several
    if alert.state is AlertState.RESOLVED:
        text, ours["what"] = words.resolved, name_for_ears(alert, lang)
    labels = {gap: _label(told, [gap.partition(".")[2]], lang) for gap in gaps(text)}
    said = fill(text, {**labels, **ours}).strip()
    yield said if any(map(str.isalnum, said)) else ours["what"]


def _worst(alert: Alert, members: Sequence[Alert]) -> tuple[Alert, int]:
    """Return the alert that is told of, and how many fire."""
    firing = [each for each in members if each.state in OPEN]
    if not firing:
        return alert, max(1, alert.firing_members)
    worst = min(firing, key=lambda each: (each.severity.rank, each.started_at, each.id))
    return worst, max(len(firing), alert.firing_members)


def _how(alert: Alert, how_to: HowTo, to: str, words: Phrases) -> Iterator[str]:
    if alert.state is AlertState.RESOLVED:
        return
    if how_to.answered:
        yield words.answered
    elif how_to.number:
        yield fill(words.call_back, {"number": _digits(how_to.number, to)})
    else:
        yield words.on_console


def _digits(number: str, to: str) -> str:
    """Return a number digit by digit, as who is called dials it."""
    dialled = as_dialled(number, to)
    spelled = registry.registration().rules.spelled(dialled.lstrip("+"))
    return f"+{spelled}" if dialled.startswith("+") else spelled


def _words(lang: str, templates: Mapping[str, Texts] | None) -> Phrases:
    ours = PHRASES.get(lang, _none())
    given = (templates or {}).get(lang)
    if given is None:
        return ours
    return ours._replace(**given.given, severities={**ours.severities, **given.severities})


def _none() -> Phrases:
    """Return the words of a language that only the users know."""
    blank = dict.fromkeys(Phrases._fields, "")
    signs = {each: each.value for each in Severity}
    return Phrases(**{**blank, "severities": signs, "alert": "{what}", "end": ". "})  # type: ignore[arg-type]


def _joined(sentences: Sequence[str], words: Phrases) -> str:
    said = [each.strip() for each in sentences if each.strip()]
    whole = "".join(each + (" " if each[-1] in _ENDS else words.end) for each in said)
    return whole.strip()
