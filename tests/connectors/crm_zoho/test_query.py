"""No value can leave its quotes: neither in COQL nor in search criteria."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.crm_zoho.query import BadQuery, Where, after, both, compare, credits_of, criteria, literal, name, one_of, select

CORPUS = [
    "' or 1=1--",
    "') or ('1'='1",
    "\\",
    "\\'",
    "'",
    "''",
    "%",
    "_",
    "a,b(c)d\\",
    "’全角引号",
    "𠮷野家",
    "O'Brien & Söhne",
    "))or((id:equals:1",
]
texts = st.text(st.characters(blacklist_categories=("Cc", "Cs")), max_size=60) | st.sampled_from(CORPUS)


def read_coql(text: str) -> list[str]:
    """The literals of a COQL text, read by the vendor's rule: a backslash takes the next character as it is."""
    found, inside, here, escaped = [], False, "", False
    for sign in text:
        if not inside:
            inside, here = sign == "'", ""
        elif escaped:
            here, escaped = here + sign, False
        elif sign == "\\":
            escaped = True
        elif sign == "'":
            found.append(here)
            inside = False
        else:
            here += sign
    assert not inside
    return found


@settings(deadline=None)
@given(texts)
def test_law_a_coql_literal_is_read_back_as_the_text_it_was_made_from(text: str) -> None:
    assert read_coql(literal(text)) == [text]


@settings(deadline=None)
@given(st.lists(texts, min_size=1, max_size=50))
def test_law_values_of_a_list_stay_apart(values: list[str]) -> None:
    assert read_coql(one_of("Hub_Key", values).text) == values


@settings(deadline=None)
@given(texts, texts)
def test_law_a_whole_query_holds_exactly_the_literals_that_were_put_in(first: str, second: str) -> None:
    query = select(("id",), "Accounts", both(compare("Account_Name", "=", first), compare("USCC", ">=", second)))

    assert read_coql(query) == [first, second]
    assert re.sub(r"'(?:[^'\\]|\\.)*'", "?", query, flags=re.DOTALL) == (
        "select id from Accounts where (Account_Name = ? and USCC >= ?) order by id asc limit 2000"
    )


@settings(deadline=None)
@given(texts)
def test_law_a_criterion_is_read_back_as_the_text_it_was_made_from(text: str) -> None:
    built = criteria("Hub_Key", [text])

    inner = built.removeprefix("(Hub_Key:equals:").removesuffix(")")
    assert re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL) == text
    assert not re.search(r"(?<!\\)(?:\\\\)*[(),]", inner)


@pytest.mark.parametrize("text", ["a\x00b", "a\nb", "\t", "\x7f"])
def test_a_control_character_is_refused_in_every_value(text: str) -> None:
    with pytest.raises(BadQuery):
        literal(text)
    with pytest.raises(BadQuery):
        criteria("Hub_Key", [text])


@pytest.mark.parametrize("text", ["", "1a", "a b", "a;b", "a'b", "Accounts where 1=1", "a.b.c.d", "名称", "a\n"])
def test_a_name_that_is_no_api_name_is_refused(text: str) -> None:
    with pytest.raises(BadQuery):
        name(text)


def test_dates_times_and_numbers_are_written_as_the_vendor_reads_them() -> None:
    assert literal(date(2026, 2, 28)) == "'2026-02-28'"
    assert literal(datetime(2026, 1, 31, 2, 0, 5, 999, tzinfo=UTC)) == "'2026-01-31T02:00:05+00:00'"
    assert literal(Decimal("1E+3")) == "'1000'"
    assert literal(value=True) == "'true'"
    with pytest.raises(BadQuery):
        literal(datetime(2026, 1, 31))  # noqa: DTZ001  a naive time is what must be refused


def test_the_next_row_comes_after_the_time_or_within_it_after_the_id() -> None:
    assert after("Modified_Time", "2026-01-05T10:00:00+08:00", "55").text == (
        "(Modified_Time > '2026-01-05T10:00:00+08:00' or (Modified_Time = '2026-01-05T10:00:00+08:00' and id > '55'))"
    )


def test_the_vendors_limits_are_kept_before_anything_is_sent() -> None:
    with pytest.raises(BadQuery):
        one_of("id", ["1"] * 51)
    with pytest.raises(BadQuery):
        one_of("id", [])
    with pytest.raises(BadQuery):
        select([f"F{n}" for n in range(51)], "Accounts", compare("id", ">", "0"))
    with pytest.raises(BadQuery):
        select(("id",), "Accounts", Where("x", 26))
    with pytest.raises(BadQuery):
        select(("id",), "Accounts", compare("id", ">", "0"), limit=2001)
    with pytest.raises(BadQuery):
        criteria("Hub_Key", ["a"] * 11)
    assert [credits_of(rows) for rows in (1, 200, 201, 1000, 1001, 2000)] == [1, 1, 2, 2, 3, 3]
