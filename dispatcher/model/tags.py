"""Tags: words by which jobs are found, held and counted together."""

from __future__ import annotations

from dispatcher.provider import registry

LONGEST_TAG = 100
MOST_TAGS = 20
CAMPAIGN = "campaign:"
"""What the tag of a campaign begins with."""


def tag(text: str) -> str:
    """Return a tag without the blanks around it, or raise ValueError that says what is wrong."""
    value = text.strip()
    if not value:
        raise ValueError("a tag is empty: leave it out")
    if value == CAMPAIGN:
        raise ValueError("the campaign has no name: write campaign:NAME")
    registry.registration().rules.tag(value)
    if len(value) > LONGEST_TAG or not value.isprintable():
        raise ValueError(f"tag {value[:30]!r}… is not 1 to {LONGEST_TAG} printable characters")
    return value


def tags(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return different tags, or raise ValueError: too many, or of two campaigns."""
    different = tuple(dict.fromkeys(values))
    if len(different) > MOST_TAGS:
        raise ValueError(f"{len(different)} tags are too many: at most {MOST_TAGS}")
    campaigns = [each for each in different if each.startswith(CAMPAIGN)]
    if len(campaigns) > 1:
        raise ValueError(
            f"{campaigns[0]!r} and {campaigns[1]!r}: a job belongs to one campaign; give the other"
            " a tag that does not begin with campaign:"
        )
    return different
