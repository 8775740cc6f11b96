from __future__ import annotations

import random
import re
import time
import uuid
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from dispatcher.values import masking
from dispatcher.values.masking import LEAST, LEAST_WRITTEN, mask_all, mask_number, mask_text
from support.number_writings import SCRIPTS, digits, written


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+818011234567", "+8180****4567"),
        ("+12025550123", "+120****0123"),
        ("818011234567", "8180****4567"),
        ("+123456789012345", "+1234****2345"),
        ("+4912345", "+4****45"),
        ("+4912", "+****"),
        ("110", "****"),
        ("", "****"),
    ],
)
def test_a_number_shows_its_ends_and_a_short_one_less(number: str, masked: str) -> None:
    assert mask_number(number) == masked


@given(st.from_regex(r"\+[1-9][0-9]{4,14}", fullmatch=True))
def test_four_characters_of_every_number_are_hidden(number: str) -> None:
    masked = mask_number(number)
    assert len(masked.replace("****", "")) <= len(number) - 4
    assert number not in masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+818011234567 is busy", "+8180****4567 is busy"),
        ("call +81 80-1123-4567, please", "call +8180****4567, please"),
        ("+81 (80) 1123 4567", "+8180****4567"),
        ("+1.202.555.0123", "+120****0123"),
        ("+818011234567,+818011234568", "+8180****4567,+8180****4568"),
        ('{"recipient": "818011234567"}', '{"recipient": "8180****4567"}'),
        ("recipient=%2B818011234567&x=1", "recipient=+8180****4567&x=1"),
        ("recipient=%2b818011234567", "recipient=+8180****4567"),
        ("番号+818011234567番", "番号+8180****4567番"),
        ("番号818011234567番", "番号8180****4567番"),
        ("08012345678", "0801****678"),
        ("x+818011234567x", "x+8180****4567x"),
        ("+8180112345678901234567890", "+8180****7890"),
        ("call 080-1234-5678 now", "call 0801****678 now"),
        ("(03) 1234 5678", "(031****678"),
        ("080-1234-5678 x12", "0801****678"),
        ("080-1234-5678 ext. 12, or", "0801****678, or"),
        ("tel:+81-80-1234-5678;ext=12", "tel:+8180****5678"),
        ("tel:12345", "tel:1****"),
        ("+598 2123 1234 int. 12, +51 1 2345678 Anexo 12", "+598****1234, +511****678"),
        ("(268) 460.1234, (268)460/1234", "(268****234, (268****234"),
        ("to=tel%3A%2B81-80-1234-5678%3Bext%3D1234", "to=tel%3A+8180****5678"),
        ("to=%2B818012345678%2C%2C1234", "to=+8180****5678"),
        ("to=%2B818012345678%231234", "to=+8180****5678"),
        ("0081 80 1234 5678", "00818****5678"),
        ("0105491123456789", "01054****6789"),
        ("0011123456789012345", "00111****2345"),
        (
            "\uff10\uff18\uff10\uff0d\uff11\uff12\uff13\uff14\uff0d\uff15\uff16\uff17\uff18",
            "0801****678",
        ),
        ("٠٨٠١٢٣٤٥٦٧٨", "0801****678"),
        ("\u202a+81 80\u00a01234\u202f5678\u202c", "\u202a+8180****5678\u202c"),
        ("080.1234.5678", "0801****678"),
        ("80.12345678%20now", "801****678%20now"),
        ("080.12345678%", "0801****678%"),
        ("030/1234567", "030****567"),
        ("030 123456/57, 089 1234567.57", "0301****657, 0891****6757"),
        ("555-1234", "55****4"),
        ("y080-1234-5678z", "y0801****678z"),
        ("cli:080_1234_5678", "cli:0801****678"),
        ("+47 20251231", "+472****231"),
        ("080-1234-5678 2026-11-28 12:00:00", "0801****678 2026-11-28 12:00:00"),
        ("2026-11-28 080-1234-5678", "2026-11-28 0801****678"),
        ("abc1 080-1234-5678", "abc1 0801****678"),
        ("line\\n08012345678", "line\\n0801****678"),
        ("\\u200e08012345678", "\\u200e0801****678"),
        ("q=%3A08012345678&t=080%201234%205678", "q=%3A0801****678&t=0801****678"),
        ('"\\uff10\\uff18\\uff10\\uff11\\uff12\\uff13\\uff14\\uff15\\uff16"', '"080****56"'),
        ("080-1234-5678 090-8765-4321", "08012****4321"),
    ],
)
def test_numbers_in_a_text_are_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "2030-01-31T09:00:30+09:00",
        "2030-01-31 09:00:30.123456789+0900",
        "2030-01-31",
        "20300131",
        "b160f404-f1d1-47a0-9ab2-3df1b4b1a2c3",
        "12345678-1234-1234-1234-123456789012",
        "5f0c1234567890abcdef1234567890ab",
        "job-1893456000000-0",
        "1893456000000-0",
        "key:1893456000000",
        "HTTP 404, 20 credits, 1234567",
        "+5 minutes, 1 + 12345678901234567890",
        "[Errno 111] Connection refused",
        "2026/11/28 14:48:23,123 and 28.11.2026, 11/28/2026",
        "took 0:00:12.345678 (12.3456 s), 0.123456789",
        "redis at 192.168.100.200:6379, ip-172-31-100-200, 10.1.2.3/32",
        "at 97.23456789% > 90, 5.1234567 %",
        "rows 100000/500000, 1,234,567.89 credits",
        "1893456000123456 and 1893456000123456789 12",
        "00111234567890123456",
        "voice_dispatcher_2_82e1aa8e, backup_2026_11_28, 01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "msg_mfrggzdf23456723-12:0 at 20261128T144823Z",
        "vd_abcdefghij_0x7f1234567890",
        "",
    ],
)
def test_dates_and_ids_stay_as_they_are(text: str) -> None:
    assert mask_text(text) == text


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), st.text(), st.text())
def test_a_number_with_a_plus_never_stays_in_a_text(number: str, before: str, after: str) -> None:
    assert number not in mask_text(before + number + after)


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_what_is_masked_stays_as_it_is(number: str) -> None:
    assert mask_text(mask_text(number)) == mask_number(number)


# -- every writing of every number ---------------------------------------------------------


QUOTES = {"bare": str, "repr": repr, "ascii": lambda text: f"x={text}", "URL": quote}


def stands_for_something_else(text: str) -> bool:
    """Tell whether a writing is also that of an amount, a date or an address, which stay."""
    main = re.split(r"(?:;ext=|[^0-9]+(?:ext\.?|int\.?|Anexo|x)) ?", text)[0]
    few = LEAST_WRITTEN if re.search(r"[0-9][^0-9]+[0-9]", main) else LEAST
    return not main.startswith("+") and (
        len(digits(main)) < few
        or re.search(r"(?<!\d)(19|20)\d\d.?\d\d.?\d\d(?!\d)", main) is not None
        or re.fullmatch(r"[1-9]\d{0,6}[./][0-9]{1,7}|\d+(\.\d+){3}", main) is not None
    )


@given(written(), st.sampled_from(sorted(SCRIPTS)), st.sampled_from(sorted(QUOTES)))
def test_every_writing_of_every_valid_number_is_masked(text: str, script: str, quoted: str) -> None:
    assume(not stands_for_something_else(text))
    assume(not (quoted == "URL" and script != "ASCII"))
    there = text.translate({0x30 + i: SCRIPTS[script] + i for i in range(10)})
    shown = mask_text(f"call {QUOTES[quoted](there)}, then")
    assert shown.count("****") == 1, shown
    assert len(digits(shown)) <= max(9, len(digits(text)) - 4), shown


@given(st.integers(1_000_000_000_000_000, 1_999_999_999_999_999), st.randoms())
def test_no_id_moment_or_amount_is_taken_for_a_number(moment: int, chance: random.Random) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)
    letters = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz234567", k=15)) + "a"
    texts = [
        at.isoformat(),
        f"{at:%Y-%m-%d %H:%M:%S},123 INFO dispatcher.dial: dial {letters}: in_progress",
        f"{at:%d.%m.%Y} {at:%H:%M}",
        f"{at:%Y%m%dT%H%M%SZ} {at:%Y%m%d}",
        str(moment),
        f"msg_{letters}-{chance.randrange(50)}:{chance.randrange(9)}",
        str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        f"needs {chance.randrange(10**7)}, has {chance.randrange(10**7)}.{chance.randrange(10**4)}",
        f"{chance.randrange(10**9):,} credits",
        f"{chance.randrange(1, 10**6)}/{chance.randrange(1, 10**6)} rows",
        ".".join(str(chance.randrange(256)) for _ in range(4)) + ":6379",
    ]
    texts.append(f"{moment // 1000}-{chance.randrange(100)}")
    assert [mask_text(text) for text in texts] == texts


def test_where_a_number_was_asked_for_fewer_digits_are_masked() -> None:
    assert mask_text("'1234567' has no country code", asked=True) == "'12****7' has no country code"
    assert mask_text("'12345': write 3 to 15 digits", asked=True) == "'1****': write 3 to 15 digits"


ODDMENTS = [
    "0",
    "12",
    "345",
    "6789",
    "٣",
    " ",
    "-",
    ".",
    "/",
    "(",
    "ー",
    "\u3000",
    "+",
    "\uff0b",
    "%2B",
    "%20",
]
ODDMENTS += ["\\uff11", "\\u3000", "tel:", "TEL:", "a", "x", ":", ",", "e", "\n", " ext. 5"]


@settings(max_examples=1000)
@given(st.lists(st.sampled_from(ODDMENTS), max_size=24).map("".join))
@example("12    345    67")
def test_what_is_not_looked_at_closely_has_nothing_to_mask(text: str) -> None:
    closely = masking._finder().sub(lambda found: masking._masked(found, asked=False), text)
    assert mask_text(text) == closely


def test_everything_in_json_is_masked() -> None:
    facts = {"tag:080-1234-5678": ["(03) 1234 5678", 8012345678, None], "at": {"why": "no"}}
    assert mask_all(facts) == {
        "tag:0801****678": ["(031****678", 8012345678, None],
        "at": {"why": "no"},
    }


@pytest.mark.parametrize(
    "text", ["1 " * 200_000, "1" * 400_000, "1.1-" * 100_000, "+" * 400_000, "080-1234 x" * 40_000]
)
def test_a_long_text_takes_no_longer_than_its_length(text: str) -> None:
    began = time.process_time()
    mask_text(text)
    assert time.process_time() - began < 10
