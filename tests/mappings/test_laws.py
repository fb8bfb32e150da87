"""The two laws of every mapping that the hub ships, as properties over records made from its own rules.

put-get: what is written and read back is unchanged. get-put: what is read and written back changes nothing, after what the connectors'
`normalise` does anyway (an empty text and null are one where the file says so, numbers are compared as numbers).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings.functions import FUNCTIONS
from mappings.rules import Rule
from tests.mappings import making as m

_MADE = {stream: m.making(*stream) for stream in m.STREAMS}
_QUICK = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def test_there_is_a_mapping_for_every_stream_of_both_systems() -> None:
    kingdee = {stream for kind, stream in m.STREAMS if kind == "erp_kingdee"}
    zoho = {stream for kind, stream in m.STREAMS if kind == "crm_zoho"}

    assert kingdee == {
        "organizations", "departments", "employees", "customers", "contacts", "products", "price_lists", "stock_levels", "sales_orders",
        "shipments", "returns", "receivables", "receipts", "refunds", "other_receivables",
    }  # fmt: skip
    assert zoho == {
        "accounts", "contacts", "leads", "products", "price_books", "deals", "quotes", "sales_orders", "invoices", "shipments", "receipts",
    }  # fmt: skip


@pytest.mark.parametrize("stream", m.STREAMS, ids="/".join)
@_QUICK
@given(data=st.data())
def test_law_put_get(stream: tuple[str, str], data: st.DataObject) -> None:
    made = _MADE[stream]
    doc, sets = data.draw(m.documents(made))
    lines = {name: {line: line for line in rows} for name, rows in sets.items()}

    written = made.mapping.write(doc, sets, m.AnyTarget(), made.values, lines=lines, org="100", create=False)
    shown = m.as_shown(made, written)
    back = made.mapping.read(shown, m.refs_for(made, shown), made.values)

    for rule in made.rules.rules:
        _same_field(rule, doc, back.fields, doc, {})
    for child in made.rules.sets:
        assert list(back.sets[child.name]) == list(sets[child.name])
        for line, row in sets[child.name].items():
            for rule in child.rules:
                _same_field(rule, row, back.sets[child.name][line], doc, row)


def _same_field(rule: Rule, before: dict[str, Any], after: dict[str, Any], doc: dict[str, Any], line: dict[str, Any]) -> None:
    if not (rule.is_read and rule.is_written) or rule.creates_only or not _applies(rule, doc, line):
        return
    assert after.get(rule.name, m.ABSENT) == before.get(rule.name, m.ABSENT), rule.name


def _applies(rule: Rule, doc: dict[str, Any], line: dict[str, Any]) -> bool:
    from mappings.cel import Condition

    return all(Condition(text, ("doc", "line"))(doc, line) for text in (rule.when, rule.when_write) if text)


@pytest.mark.parametrize("stream", m.STREAMS, ids="/".join)
@_QUICK
@given(data=st.data())
def test_law_get_put(stream: tuple[str, str], data: st.DataObject) -> None:
    made = _MADE[stream]
    payload = data.draw(m.payloads(made))
    read = made.mapping.read(payload, m.refs_for(made, payload), made.values)
    lines = {name: {line: line for line in rows} for name, rows in read.sets.items()}

    written = made.mapping.write(read.fields, read.sets, m.AnyTarget(), made.values, lines=lines, org="100", create=False)

    _nothing_changed(made.rules.rules, payload, written, read.fields, {})
    for child in made.rules.sets:
        if not child.path:
            _nothing_changed(child.rules, payload, written, read.fields, {})
            continue
        after = {str(row[child.key]): row for row in written.get(child.path, [])}
        for row in payload[child.path]:
            line = str(row[child.key])
            assert after[line][child.key] == row[child.key]
            _nothing_changed(child.rules, row, after[line], read.fields, read.sets[child.name][line])


def _nothing_changed(
    rules: tuple[Rule, ...], before: dict[str, Any], after: dict[str, Any], doc: dict[str, Any], line: dict[str, Any]
) -> None:
    for rule in rules:
        if not (rule.is_read and rule.is_written) or rule.creates_only or not _applies(rule, doc, line):
            continue
        for key in rule.writes:
            if key in before:
                assert key in after, f"{rule.name} was read from {key} and not written back"
                assert _equal(rule, before[key], after[key]), (rule.name, before[key], after[key])


def _equal(rule: Rule, one: Any, other: Any) -> bool:
    if rule.write_as == "lookup":
        one = {"id": one["id"]} if one else None
    if rule.empty == "null":
        one, other = (None if value == "" else value for value in (one, other))
    if isinstance(one, int | Decimal) and isinstance(other, int | Decimal) and not isinstance(one, bool):
        return Decimal(one) == Decimal(other)
    return bool(one == other)


@pytest.mark.parametrize("stream", m.STREAMS, ids="/".join)
@_QUICK
@given(data=st.data())
def test_a_second_round_writes_the_same_as_the_first(stream: tuple[str, str], data: st.DataObject) -> None:
    """No mapping can make two systems write to each other for ever, functions that tidy included."""
    made = _MADE[stream]
    payload = data.draw(m.payloads(made))
    read = made.mapping.read(payload, m.refs_for(made, payload), made.values)
    lines = {name: {line: line for line in rows} for name, rows in read.sets.items()}
    once = made.mapping.write(read.fields, read.sets, m.AnyTarget(), made.values, lines=lines, org="100", create=False)

    shown = m.as_shown(made, {**payload, **once})
    again = made.mapping.read(shown, m.refs_for(made, shown), made.values)
    twice = made.mapping.write(again.fields, again.sets, m.AnyTarget(), made.values, lines=lines, org="100", create=False)

    assert twice == once


@pytest.mark.parametrize("name", [name for name, function in FUNCTIONS.items() if function.write])
@given(text=m.texts())
def test_a_function_with_an_inverse_comes_back_to_itself(name: str, text: str) -> None:
    function = FUNCTIONS[name]
    assert function.write is not None
    made = function.write(text)
    once = function.read(*(made if isinstance(made, tuple) else (made,)))
    again = function.write(once)

    assert function.read(*(again if isinstance(again, tuple) else (again,))) == once
