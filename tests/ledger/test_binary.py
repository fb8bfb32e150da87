"""Columns in the binary form of COPY hold what was given, whatever it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import repeat
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import binary

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
FEW = st.sampled_from(["", "开", "关\t\\"])
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False).filter(lambda value: abs(value.adjusted()) < 400) | st.decimals(
    -(10**9), 10**9, places=2
)


@pytest.fixture(scope="module")
def session(postgres_server: Any) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres_server.url_of("postgres"), autocommit=True) as connection:
        yield connection


def _there_and_back(session: psycopg.Connection[Any], sql_type: str, values: Sequence[Any], column: Any) -> list[Any]:
    with session.cursor() as db:
        db.execute(f"CREATE TEMP TABLE given (place integer, value {sql_type})")
        try:
            columns = {"place": binary.integers(range(len(values))), "value": column(values)}
            binary.copy_binary(db, "given", len(values), {}, columns)
            return [row[0] for row in db.execute("SELECT value::text FROM given ORDER BY place")]
        finally:
            db.execute("DROP TABLE given")


LAWS = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@LAWS
@given(st.lists(DECIMALS.map(str), max_size=12), st.integers(1, 6))
def test_law_numbers(session: psycopg.Connection[Any], values: list[str], times: int) -> None:
    found = _there_and_back(session, "numeric", values * times, binary.numbers)

    asked = [
        row[0] for row in session.execute("SELECT v::numeric::text FROM unnest(%s::text[]) WITH ORDINALITY u(v, o) ORDER BY o", [values])
    ]
    assert found == asked * times
    assert [Decimal(one) for one in found] == [Decimal(one) for one in values * times]


@LAWS
@given(st.lists(WORDS, max_size=12) | st.lists(FEW, min_size=20, max_size=30))
def test_law_texts(session: psycopg.Connection[Any], values: list[str]) -> None:
    assert _there_and_back(session, "text", values, binary.texts) == values


@LAWS
@given(st.lists(WORDS | st.none(), max_size=12))
def test_law_texts_that_may_be_missing(session: psycopg.Connection[Any], values: list[str | None]) -> None:
    assert _there_and_back(session, "text", values, lambda given: binary.nullable(given, binary.texts)) == values


@LAWS
@given(st.lists(st.uuids().map(str), max_size=12))
def test_law_identifiers(session: psycopg.Connection[Any], values: list[str]) -> None:
    assert _there_and_back(session, "uuid", values, binary.uuids) == values
    assert _there_and_back(session, "uuid", values, binary.references) == values


@LAWS
@given(st.lists(st.dates().map(date.isoformat), max_size=12))
def test_law_days(session: psycopg.Connection[Any], values: list[str]) -> None:
    assert _there_and_back(session, "date", values, binary.days) == values


@LAWS
@given(st.lists(st.dictionaries(WORDS, WORDS | st.integers(-(2**63), 2**63)), max_size=8))
def test_law_documents(session: psycopg.Connection[Any], values: list[dict[str, Any]]) -> None:
    from ledger.bulk import from_json

    assert [from_json(text) for text in _there_and_back(session, "json", values, binary.documents)] == values


def test_an_identifier_in_another_spelling_is_the_same(session: psycopg.Connection[Any]) -> None:
    plain = "019a0000-0000-7000-8000-00000000000a"
    spellings = [plain, plain.upper(), plain.replace("-", ""), f"{{{plain}}}"]

    assert _there_and_back(session, "uuid", spellings, binary.uuids) == [plain] * 4


@pytest.mark.parametrize(
    ("column", "text"),
    [(binary.uuids, "x" * 36), (binary.references, "7"), (binary.days, "2026-02-30"), (binary.numbers, "1.x"), (binary.numbers, "NaN")],
)
def test_what_is_none_of_its_kind_is_refused_before_it_is_sent(column: Any, text: str) -> None:
    with pytest.raises((ValueError, InvalidOperation)):
        [*zip(*column([text]), strict=False)]


def test_fields_that_are_equal_in_all_rows_are_given_once(session: psycopg.Connection[Any]) -> None:
    with session.cursor() as db:
        db.execute("CREATE TEMP TABLE same (stream smallint, name text)")
        binary.copy_binary(db, "same", 3, {"stream": binary.smallint(7)}, {"name": binary.texts([*repeat("甲", 3)])})
        binary.copy_binary(db, "same", 0, {"stream": binary.smallint(7)}, {"name": binary.texts([])})
        assert db.execute("SELECT * FROM same").fetchall() == [(7, "甲")] * 3


def test_cached_columns_do_not_grow_for_ever() -> None:
    made = binary._Made(lambda value: UUID(int=value).bytes)
    for value in range(3 * binary._REMEMBERED):
        made[value]

    assert len(made) <= binary._REMEMBERED
