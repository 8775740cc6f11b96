"""The words that people no longer read: each has another one in docs/reference/glossary.md."""

from __future__ import annotations

import re

OLD = re.compile(
    r"""
      \bacts\ (list|show|stop)\b | \bacts?\ on\ many\b | \b(an|another|each)\ acts?\b
    | \bajar\b | \bgates?\b | \btrials?\b
    | \bdoors?\b | \btellers?\b | \bdesks?\b | \bcouriers?\b | \bguardians?\b | \bdiscreet\b
    | \bwish(es)?\b | \bmeant\b | \bmatters?\ now\b | \bwhat\ is\ the\ matter\b
    | \bnotices\b | \bfed\b | \bstumble(d|s)?\b | \bmend(s|ed)?\b
    | \blooks?\ (now|at\ the\ balance)\b | --look\b | \blooks\ failed\b | \blooked\ at\b
    | \b(stood|stands?)\ already\b | \bstands\ there\b
    | \bhas\ its\ way\b | \bgoe?s?\ by\ (the|a|it)\b | \bpast\ mattering\b
    | \blet(s)?\ (\w+\ )?in\b | \bno\ longer\ let\ in\b | \bcomes?\ home\b
    | \banew\b | \bwhoever\b | \bbears?\ the\ tag\b | \bwhose\ message\ is\ out\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
PATHS = re.compile(r"`[\w./*<>-]+\.(py|lua|md|html)`|\([\w./-]+\.md[^)]*\)|`ns:[^`]*`")
"""Names of files and keys are no prose."""


def old_words(text: str) -> list[str]:
    """Return the old terms in a text, each with its line."""
    return [line.strip() for line in text.splitlines() if OLD.search(PATHS.sub("", line))]
