"""COQL: what is parsed, what is refused, and that the index-guided answer equals a plain walk over all records."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.crm_zoho import coql
from sandbox.crm_zoho.conditions import Compare, Group
from sandbox.crm_zoho.errors import ApiError
from tests.sandbox.crm_zoho.conftest import READER, Zoho

START = datetime.fromisoformat("2026-01-01T00:00:00+08:00")


def _code(query: str) -> str:
    with pytest.raises(ApiError) as refused:
        coql.parse(query)
    return refused.value.code


def test_a_query_becomes_a_tree() -> None:
    query = coql.parse(
        "SELECT Account_Name, Parent_Account.Account_Name AS parent FROM Accounts "
        "WHERE ((Hub_Key in ('A1','A2') and Phone is not null) or (Credit_Limit between 1.5 and 20 and Account_Name not like '华%')) "
        "ORDER BY Modified_Time DESC, id LIMIT 20, 50"
    )
    assert [column.key for column in query.columns] == ["Account_Name", "parent"]
    assert query.where == Group(
        "or",
        (
            Group("and", (Compare(("Hub_Key",), "in", ("A1", "A2")), Compare(("Phone",), "is not null"))),
            Group("and", (Compare(("Credit_Limit",), "between", (Decimal("1.5"), 20)), Compare(("Account_Name",), "not like", ("华%",)))),
        ),
    )
    assert (query.order, query.limit, query.offset) == ([("Modified_Time", True), ("id", False)], 50, 20)


def test_limit_and_offset_have_their_defaults_and_both_forms() -> None:
    assert coql.parse("select id from Deals where id > 0").limit == 200
    query = coql.parse("select id from Deals where id > 0 limit 10 offset 30")
    assert (query.limit, query.offset) == (10, 30)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"'O\'Brien'", "O'Brien"),
        (r"'a\\b'", "a\\b"),
        ("'it''s'", "it's"),
        ("'且 or 1=1'", "且 or 1=1"),
        ('"双引号"', "双引号"),
        ("''", ""),
    ],
)
def test_a_quoted_value_is_never_anything_but_a_value(text: str, value: str) -> None:
    where = coql.parse(f"select id from Accounts where Account_Name = {text}").where
    assert where == Compare(("Account_Name",), "=", (value,))


@pytest.mark.parametrize(
    "query",
    [
        "",
        "select",
        "select * from Accounts where id > 0",
        "select id from Accounts",
        "select id Accounts where id > 0",
        "select id from Accounts where",
        "select id from Accounts where id",
        "select id from Accounts where id = ",
        "select id from Accounts where id = 'open",
        "select id from Accounts where id = 'x' or '1'='1'",
        "select id from Accounts where id = 'x'; delete from Accounts",
        "select id from Accounts where id = 'x' -- a comment",
        "select id from Accounts where id = 'x' /* a comment */",
        "select id from Accounts where id = 'x' union select id from Deals where id > 0",
        "delete from Accounts where id > 0",
        "select id from Accounts, Deals where id > 0",
        "select id from (select id from Deals) where id > 0",
        "select id from Accounts where id in ()",
        "select id from Accounts where id in (1,)",
        "select id from Accounts where (id > 0",
        "select id from Accounts where id > 0)",
        "select id from Accounts where id > 0 and",
        "select id from Accounts where id between 1",
        "select id from Accounts where id is 0",
        "select id from Accounts where sleep(5) = 1",
        "select id from Accounts where id > 0x10",
        "select id from Accounts where id = 1e400",
        "select id from Accounts where id > 0 limit -1",
        "select id from Accounts where id > 0 limit 1.5",
        "select id from Accounts where id > 0 order Modified_Time",
        "select id from Accounts where id > 0 extra",
        "select id from Accounts where Account_Name = '\u0000' \u0000",
        "select id from Accounts where " + "(" * 40 + "id > 0" + ")" * 40,
        "select id from Accounts where id > " + "9" * 60,
        "select id from Accounts where Account＿Name = '全角'",
    ],
)
def test_what_is_no_query_is_a_syntax_error_with_its_place(query: str) -> None:
    with pytest.raises(ApiError) as refused:
        coql.parse(query)
    assert (refused.value.status, refused.value.code) == (400, "SYNTAX_ERROR")
    assert {"line", "column", "near"} <= set(refused.value.details)


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_law_any_value_that_is_escaped_comes_back_as_itself(value: str) -> None:
    quoted = "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    where = coql.parse(f"select id from Accounts where Account_Name = {quoted}").where
    assert where == Compare(("Account_Name",), "=", (value,))


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_law_no_text_makes_the_parser_fail_but_by_refusing_it(text: str) -> None:
    for query in (text, f"select id from Accounts where {text}"):
        with suppress(ApiError):
            coql.parse(query)


def test_more_than_two_criteria_are_put_in_brackets_by_pairs() -> None:
    three = "select id from Accounts where id > 0 and Phone is null and Website is null"
    assert _code(three) == "SYNTAX_ERROR"
    assert coql.parse(three, pairs=False).where
    assert coql.parse("select id from Accounts where ((id > 0 and Phone is null) and Website is null)").where


def test_limits_are_kept() -> None:
    def chain(count: int) -> str:
        text = "id > 0"
        for _ in range(count - 1):
            text = f"({text} and id > 0)"
        return text

    assert coql.parse(f"select id from Accounts where {chain(25)}").where
    assert _code(f"select id from Accounts where {chain(26)}") == "LIMIT_EXCEEDED"
    assert _code(f"select {','.join(['id'] * 51)} from Accounts where id > 0") == "LIMIT_EXCEEDED"
    assert coql.parse(f"select id from Accounts where id in ({','.join('1' * 50)})").where
    assert _code(f"select id from Accounts where id in ({','.join('1' * 51)})") == "LIMIT_EXCEEDED"
    assert coql.parse("select id from Accounts where id > 0 limit 2000 offset 100000").limit == 2000
    assert _code("select id from Accounts where id > 0 limit 2001") == "LIMIT_EXCEEDED"
    assert _code("select id from Accounts where id > 0 limit 0") == "LIMIT_EXCEEDED"
    assert _code("select id from Accounts where id > 0 limit 10 offset 100001") == "LIMIT_EXCEEDED"
    assert _code(f"select id from Accounts where id > 0 order by {','.join(['id'] * 11)}") == "LIMIT_EXCEEDED"
    assert _code(f"select id from Accounts where id > 0 group by {','.join(['id'] * 5)}") == "LIMIT_EXCEEDED"
    assert _code("select count(id), sum(id), min(id), max(id), avg(id), count(Phone) from Accounts where id > 0") == "LIMIT_EXCEEDED"
    assert _code("select id from Accounts where Account_Name = '" + "长" * 30_000 + "'") == "LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    "query",
    [
        "select Nothing from Accounts where id > '0'",
        "select id from Accounts where Nothing = 'x'",
        "select id from Accounts where id > '0' order by Nothing",
        "select Account_Name.Phone from Accounts where id > '0'",
        "select Ordered_Items from Sales_Orders where id > '0'",
        "select id from Accounts where Description = 'x'",
        "select id from Accounts where Credit_Limit = 'viel'",
        "select id from Accounts where Modified_Time > '2026-01-01T00:00:00'",
        "select id from Accounts where Modified_Time > '2026-01-01'",
        "select id from Deals where Closing_Date = '2026-02-30'",
        "select id from Accounts where Credit_Limit like '1%'",
        "select id from Products where Product_Active = 'maybe'",
        "select id, id from Accounts where id > '0'",
        "select Phone, count(id) from Accounts where id > '0' group by Industry",
        "select sum(Account_Name) from Accounts where id > '0'",
    ],
)
def test_what_the_module_does_not_have_is_an_invalid_query(zoho: Zoho, order: str, query: str) -> None:
    answer = zoho.coql(query)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY"), answer.text


def _rows(zoho: Zoho, query: str) -> list[dict[str, Any]]:
    answer = zoho.coql(query)
    if answer.status_code == 204:
        assert answer.content == b""
        return []
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = READER.decode(answer.content)["data"]
    return rows


def test_lookups_are_joined_by_dots_over_two_levels(zoho: Zoho) -> None:
    top, middle, low = (None, None, None)
    (top,) = zoho.insert("Accounts", {"Account_Name": "集团", "Phone": "010"})
    (middle,) = zoho.insert("Accounts", {"Account_Name": "子公司", "Parent_Account": {"id": top}})
    (low,) = zoho.insert("Accounts", {"Account_Name": "门店", "Parent_Account": {"id": middle}})
    rows = _rows(
        zoho,
        "select Account_Name, Parent_Account, Parent_Account.Parent_Account.Phone, Owner.name from Accounts "
        f"where (Parent_Account.Account_Name = '子公司' and Parent_Account = '{middle}')",
    )
    assert rows == [
        {
            "Account_Name": "门店",
            "Parent_Account": {"id": middle, "name": "子公司"},
            "Parent_Account.Parent_Account.Phone": "010",
            "Owner.name": "Channel Hub",
            "id": low,
        }
    ]


def test_counts_and_sums_by_group(zoho: Zoho) -> None:
    zoho.insert(
        "Accounts",
        {"Account_Name": "一", "Dealer_Level": "核心", "Credit_Limit": Decimal("10.50")},
        {"Account_Name": "二", "Dealer_Level": "核心", "Credit_Limit": 20},
        {"Account_Name": "三", "Dealer_Level": "普通"},
    )
    rows = _rows(
        zoho,
        "select Dealer_Level, count(id) as n, sum(Credit_Limit), max(Account_Name) from Accounts "
        "where id > '0' group by Dealer_Level order by n desc",
    )
    assert rows == [
        {"Dealer_Level": "核心", "n": 2, "SUM(Credit_Limit)": Decimal("30.50"), "MAX(Account_Name)": "二"},
        {"Dealer_Level": "普通", "n": 1, "SUM(Credit_Limit)": None, "MAX(Account_Name)": "三"},
    ]
    assert _rows(zoho, "select count(*) from Accounts where Dealer_Level = '潜在'") == [{"COUNT(id)": 0}]


def _world(zoho: Zoho, count: int) -> list[dict[str, Any]]:
    docs = []
    for n in range(count):
        stamp = (START + timedelta(seconds=n * 37 % 50)).isoformat()
        docs.append(
            {
                "id": f"572576700900{n:06d}",
                "Account_Name": f"客户{n:03d}",
                "Hub_Key": f"K{n}",
                "ERP_Code": f"c{n % 7}",
                "Credit_Limit": None if n % 5 == 0 else Decimal(n),
                "Dealer_Level": ("核心", "普通", None)[n % 3],
                "Created_Time": stamp,
                "Modified_Time": stamp,
            }
        )
    zoho.vendor.load({"accounts": docs})
    return docs


def _plain(docs: list[dict[str, Any]], where: Any) -> list[str]:
    return sorted(doc["id"] for doc in docs if where(doc))


def test_every_operator_agrees_with_a_plain_walk(zoho: Zoho) -> None:
    docs = _world(zoho, 120)
    second = (START + timedelta(seconds=20)).isoformat()
    cases: list[tuple[str, Any]] = [
        ("Hub_Key in ('k3', 'K5', 'none')", lambda d: d["Hub_Key"] in {"K3", "K5"}),
        ("Hub_Key not in ('K3')", lambda d: d["Hub_Key"] != "K3"),
        ("ERP_Code = 'C3'", lambda d: d["ERP_Code"] == "c3"),
        ("Account_Name like '%1_'", lambda d: False),
        ("Account_Name like '客户0%9'", lambda d: d["Account_Name"].startswith("客户0") and d["Account_Name"].endswith("9")),
        ("Account_Name not like '%1%'", lambda d: "1" not in d["Account_Name"]),
        ("Credit_Limit is null", lambda d: d["Credit_Limit"] is None),
        ("Credit_Limit is not null", lambda d: d["Credit_Limit"] is not None),
        ("Credit_Limit != 7", lambda d: d["Credit_Limit"] != 7),
        ("Credit_Limit between 10 and 12.5", lambda d: d["Credit_Limit"] is not None and 10 <= d["Credit_Limit"] <= Decimal("12.5")),
        ("Credit_Limit not between 1 and 100", lambda d: d["Credit_Limit"] is not None and not 1 <= d["Credit_Limit"] <= 100),
        ("Credit_Limit >= '100'", lambda d: d["Credit_Limit"] is not None and d["Credit_Limit"] >= 100),
        (f"Modified_Time > '{second}'", lambda d: d["Modified_Time"] > second),
        ("Modified_Time <= '2025-12-31T16:00:20+00:00'", lambda d: d["Modified_Time"] <= second),
        (f"(id > '{docs[40]['id']}' and id <= '{docs[60]['id']}')", lambda d: docs[40]["id"] < d["id"] <= docs[60]["id"]),
        (
            f"((Modified_Time = '{second}' and id > '{docs[9]['id']}') or Modified_Time > '{second}')",
            lambda d: (d["Modified_Time"] == second and d["id"] > docs[9]["id"]) or d["Modified_Time"] > second,
        ),
        (
            "(Dealer_Level = '核心' and (Credit_Limit < 20 or ERP_Code = 'c1'))",
            lambda d: d["Dealer_Level"] == "核心" and (0 <= (d["Credit_Limit"] or -1) < 20 or d["ERP_Code"] == "c1"),
        ),
    ]  # fmt: skip
    for text, where in cases:
        rows = _rows(zoho, f"select id from Accounts where {text} limit 2000")
        assert [row["id"] for row in rows] == _plain(docs, where), text


@given(
    low=st.integers(0, 60),
    high=st.integers(0, 60),
    limit=st.integers(1, 50),
    offset=st.integers(0, 30),
    word=st.sampled_from(["asc", "desc"]),
    by=st.sampled_from(["id", "Modified_Time", "Credit_Limit", "Modified_Time, id"]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_law_a_page_is_a_slice_of_the_sorted_records(zoho: Zoho, low: int, high: int, limit: int, offset: int, word: str, by: str) -> None:
    if not zoho.vendor.box.store.tables["Accounts"].docs:
        _world(zoho, 80)
    docs = list(zoho.vendor.box.store.tables["Accounts"].docs.values())
    first, last = ((START + timedelta(seconds=n)).isoformat() for n in (low, high))
    down = word == "desc"
    order = ", ".join(f"{name} {word}" for name in by.split(", "))
    where = f"(Modified_Time >= '{first}' and Modified_Time < '{last}')"
    rows = _rows(zoho, f"select id from Accounts where {where} order by {order} limit {limit} offset {offset}")
    found = [row["id"] for row in rows]

    kept = [doc for doc in docs if first <= doc["Modified_Time"] < last]
    keys = by.split(", ", maxsplit=1)[0]
    ordered = sorted(kept, key=lambda doc: (doc[keys] is not None, doc[keys] if doc[keys] is not None else 0), reverse=down)
    if by in {"id", "Modified_Time, id"}:
        ordered = sorted(kept, key=lambda doc: (doc[keys], doc["id"]), reverse=down)
        assert found == [doc["id"] for doc in ordered][offset : offset + limit]
    values = {doc["id"]: doc[keys] for doc in kept}
    assert [values[key] for key in found] == [doc[keys] for doc in ordered][offset : offset + limit]


def test_more_records_tells_that_the_limit_cut_the_answer(zoho: Zoho) -> None:
    _world(zoho, 30)
    for limit, more in ((29, True), (30, False), (31, False)):
        info = zoho.coql(f"select id from Accounts where id > '0' limit {limit}").json()["info"]
        assert info == {"count": min(limit, 30), "more_records": more}
    assert zoho.coql("select id from Accounts where Hub_Key = 'none'").status_code == 204
