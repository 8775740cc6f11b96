"""What a form or a query brings: names with values, all of them text, none of them trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.requests import Request

from workers.gateway.problems import Problem

MOST_FIELDS = 2000
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Fields:
    """The values of each name, in their order."""

    values: Mapping[str, tuple[str, ...]]

    @classmethod
    def parse(cls, text: bytes | str) -> Fields:
        """Read what a form or a query says. Raises Problem."""
        try:
            plain = text.decode() if isinstance(text, bytes) else text
            pairs = parse_qsl(
                plain, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
            )
        except ValueError:
            raise Problem(
                HTTPStatus.BAD_REQUEST,
                f"the form cannot be read: it is not UTF-8, or has over {MOST_FIELDS} fields",
                remedy="go back to the page and send it again",
            ) from None
        found: dict[str, tuple[str, ...]] = {}
        for name, value in pairs:
            found[name] = (*found.get(name, ()), value)
        return cls(found)

    def one(self, name: str) -> str:
        """Return the last value of a name, '' without any; what does not print is left out."""
        value = self.values.get(name, ("",))[-1].strip()
        return "".join(each for each in value if each.isprintable())

    def many(self, name: str) -> tuple[str, ...]:
        """Return every value of a name."""
        return self.values.get(name, ())


async def form(request: Request) -> Fields:
    """Return the fields of a form that was sent. Raises Problem."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"a form is sent as {FORM}")
    return Fields.parse(await request.body())


def query(request: Request) -> Fields:
    """Return the fields of a query. Raises Problem."""
    return Fields.parse(request.url.query)
