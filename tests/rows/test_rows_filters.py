"""How the value of a column is said, by language; and what is no value."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dispatcher.model.invalid_job import InvalidJob
from dispatcher.rows.dates import Dates, Order
from dispatcher.rows.filters import FILTERS, Voice
from dispatcher.rows.template import InvalidTemplate, Template, Unfilled
from support.rows_files import NUMBER, form


def said(gap: str, value: object, lang: str = "en") -> str:
    return Template.parse(f"{{x{gap}}}").fill({"x": value}, Voice(lang))


def refused(gap: str, value: object, lang: str = "en") -> str:
    with pytest.raises(Unfilled) as caught:
        said(gap, value, lang)
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("276983", "2,,7,,6,,9,,8,,3"),
        (276983, "2,,7,,6,,9,,8,,3"),
        ("+81 90-12", "8,,1,,9,,0,,1,,2"),
        ("\uff11\uff12", "1,,2"),
        (" 007 ", "0,,0,,7"),
    ],
)
def test_digits_are_read_one_by_one(value: object, text: str) -> None:
    assert said("|digits", value) == text


@pytest.mark.parametrize("value", ["A-123", "12.5e3", "-", "½"])
def test_what_is_more_than_digits_is_not_spelled(value: str) -> None:
    told = refused("|digits", value)
    assert "more than digits" in told
    assert value not in told  # it may be a code


@pytest.mark.parametrize("value", ["471.0", 471.0, " 12.00 "])
def test_digits_that_a_program_made_an_amount_of_are_not_spelled(value: object) -> None:
    told = refused("|digits", value)
    assert "it is an amount (.0 at the end)" in told
    assert "471" not in told


@pytest.mark.parametrize(
    ("lang", "day", "clock", "both"),
    [
        ("en", "Sunday, May 3, 2026", "2:30 PM", "Sunday, May 3, 2026, 2:30 PM"),
        ("ja", "2026年5月3日日曜日", "14時30分", "2026年5月3日日曜日14時30分"),
        ("de", "Sonntag, 3. Mai 2026", "14 Uhr 30", "Sonntag, 3. Mai 2026, 14 Uhr 30"),
        ("fr", "dimanche 3 mai 2026", "14 h 30", "dimanche 3 mai 2026, 14 h 30"),
        ("zh", "2026年5月3日星期日", "14点30分", "2026年5月3日星期日14点30分"),
    ],
)
def test_dates_and_times_are_said_in_the_language(
    lang: str, day: str, clock: str, both: str
) -> None:
    written = "2026-05-03 14:30"
    assert said("|date", written, lang) == day
    assert said("|time", written, lang) == clock
    assert said("|datetime", written, lang) == both
    assert said("|time", "14:30:00", lang) == clock
    assert said("|date", "2026/5/3", lang) == day


@pytest.mark.parametrize(
    ("gap", "value"),
    [
        ("|date:America/New_York", "0001-01-01 00:00Z"),
        ("|time:Asia/Tokyo", "9999-12-31 23:59-12:00"),
        ("|money:JPY", "1" * 400),
        ("|money:EUR", 10**30),
        ("|money:KWD", "12345678901234567890123456789.99"),
    ],
)
def test_what_is_beyond_all_bounds_refuses_its_row_and_stops_no_import(
    gap: str, value: object
) -> None:
    assert len(refused(gap, value)) < 200


def test_the_full_hour_has_no_minutes() -> None:
    assert [said("|time", "9:00", lang) for lang in ("ja", "de", "en")] == [
        "9時",
        "9 Uhr",
        "9:00 AM",
    ]


def test_a_time_with_an_offset_is_theirs_and_one_in_utc_needs_a_zone() -> None:
    assert said("|time", "2026-05-03T14:30+09:00") == "2:30 PM"
    assert said("|time:Asia/Tokyo", "2026-05-03T14:30:00Z") == "11:30 PM"
    assert said("|date:Asia/Tokyo", "2026-05-03T16:30:00Z") == "Monday, May 4, 2026"
    assert said("|time:Asia/Tokyo", "2026-05-03T14:30-05:00") == "4:30 AM"
    assert said("|time:Asia/Tokyo", "2026-05-03 14:30") == "2:30 PM"
    assert "say by which clock" in refused("|time", "2026-05-03T14:30:00Z")


@pytest.mark.parametrize(
    "value",
    ["03/04/2026", "46357.375", "46357", "20260503", "tomorrow", "May 3", "14h30"],
)
def test_what_is_not_sure_to_be_a_date_is_refused(value: str) -> None:
    assert "write 2026-12-31" in refused("|date", value)


def test_dates_that_the_import_reads_are_said() -> None:
    assert said("|date", "3.5.2026") == "Sunday, May 3, 2026"
    assert said("|datetime", "2026年5月3日 14:30", "ja") == "2026年5月3日日曜日14時30分"
    months_first = Voice("en", Dates(order=Order.MDY))
    due = Template.parse("{due|date}").fill({"due": "05/03/2026"}, months_first)
    assert due == "Sunday, May 3, 2026"
    assert "say which with --dates" in refused("|date", "05/03/2026")


def test_impossible_dates_and_missing_parts_are_refused() -> None:
    assert "not a date or time" in refused("|date", "2026-02-30")
    assert "not a date or time" in refused("|time", "25:00")
    assert "has no time" in refused("|time", "2026-05-03")
    assert "has no date" in refused("|datetime", "14:30")


@pytest.mark.parametrize(
    ("value", "currency", "lang", "text"),
    [
        ("1234.50", "EUR", "de", "1234,50 Euro"),
        ("1,234.50", "EUR", "en", "1234.50 euros"),
        ("1.234,50", "EUR", "en", "1234.50 euros"),
        ("12,50", "EUR", "fr", "12,50 euros"),
        ("1", "USD", "en", "1 US dollar"),
        (1200, "JPY", "ja", "1200円"),
        ("1,200", "JPY", "en", "1200 Japanese yen"),
        ("1.200", "JPY", "de", "1200 Japanische Yen"),
        ("1,234,567", "USD", "en", "1234567 US dollars"),
        ("-3.5", "USD", "en", "-3.50 US dollars"),
    ],
)
def test_money_is_said_in_the_language(value: object, currency: str, lang: str, text: str) -> None:
    assert said(f"|money:{currency}", value, lang) == text


@pytest.mark.parametrize(
    "value", ["1,234", "1.234", "1,234.567", "€12.50", "12.50 EUR", "1,23,4", "1,234,56"]
)
def test_an_amount_that_is_not_sure_is_refused(value: str) -> None:
    assert "write 1234" in refused("|money:EUR", value)


def test_a_language_that_dates_cannot_be_said_in_is_refused() -> None:
    assert "cannot be said in 'kj1'" in refused("|date", "2026-05-03", "kj1")
    assert said("|digits", "12", "kj1") == "1,,2"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{x|dgits}", "'dgits' is not a filter: digits, date, time, datetime, money"),
        ("{x|}", "is not a filter"),
        ("{|date}", "name of a column"),
        ("{x:>10}", "is not a filter"),
        ("{x!r}", "name of a column"),
        ("{x|date!r}", "name of a column"),
        ("{x|digits:3}", "takes nothing after it"),
        ("{x|time:Tokio}", "not a time zone such as Asia/Tokyo"),
        ("{x|time:../etc/passwd}", "not a time zone"),
        ("{x|money}", "{column|money:EUR}"),
        ("{x|money:euro}", "'euro' is not a currency"),
        ("{x|date:{y}}", "name of a column"),
    ],
)
def test_a_wrong_filter_is_refused_before_any_row(text: str, why: str) -> None:
    with pytest.raises(InvalidTemplate) as caught:
        Template.parse(text)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    "value", [None, "", "  ", "\u00a0", "\u3000\u00a0", "\u200b", "\ufeff \u00a0", "\u2060"]
)
def test_a_gap_with_nothing_to_see_refuses_the_row(value: object) -> None:
    assert refused("", value) == "{x} is empty in this row"


@pytest.mark.parametrize(
    "value",
    [
        "#N/A",
        "#n/a",
        "nan",
        "NaN",
        "None",
        "null",
        "NULL",
        "#REF!",
        "#DIV/0!",
        "########",
        " nan ",
        "\xa0#N/A\xa0",
        float("nan"),
        "NaT",
        "<NA>",
        "#WERT!",
    ],
)
def test_what_stands_for_a_missing_value_is_not_said(value: object) -> None:
    assert "which is no value" in refused("", value)
    assert "{x}" in refused("|digits", value)


@pytest.mark.parametrize("value", ["Nan", "Null", "Nana", "#1", "0", 0, 0.5, "none of us"])
def test_people_and_figures_that_only_look_like_it_are_said(value: object) -> None:
    assert said("", value) == str(value)


def test_a_cell_of_a_text_that_holds_no_value_refuses_the_row() -> None:
    made = form(["phone", "message"])
    with pytest.raises(InvalidJob, match="'#N/A' in this row"):
        made.request({"phone": NUMBER, "message": "#N/A"})
    with pytest.raises(InvalidJob, match="either a text"):
        made.request({"phone": NUMBER, "message": "\u00a0"})


def test_filters_go_by_the_rows_language_then_by_that_of_all() -> None:
    row = {"phone": NUMBER, "due": "2026-05-03"}
    made = form(["phone", "lang", "due"], say="{due|date}", lang="de")
    assert made.request({**row, "lang": ""}).say == "Sonntag, 3. Mai 2026"
    assert made.request({**row, "lang": "ja"}).say == "2026年5月3日日曜日"
    assert form(["phone", "due"], say="{due|date}").request(row).say == "Sunday, May 3, 2026"


def test_a_filter_does_not_change_a_rows_key() -> None:
    row = {"phone": NUMBER, "due": "2026-05-03"}
    keys = {form(["phone", "due"], say=say).request(row).key for say in ("{due}", "{due|date}")}
    assert len(keys) == 1


def test_the_page_says_what_is_said() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/how-to/what-is-said.md").read_text()
    rows = re.findall(
        r"^\| `\{x\\(\|\S+)\}` \| `([^`]+)`.* \| (.+) \| (.+) \|$", page, re.MULTILINE
    )
    assert {gap.partition(":")[0] for gap, *_ in rows} == {f"|{name}" for name in FILTERS}
    for gap, value, english, japanese in rows:
        if gap == "|digits":
            continue
        written = "2026-05-03 14:30" if gap == "|datetime" else value
        assert (said(gap, written), said(gap, written, "ja")) == (english, japanese)
