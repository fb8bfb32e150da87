"""Mapping files: what a mistake is answered with, how a customer's file lies over ours, and what every kind of rule does."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mappings.compiler import OURS, load
from mappings.errors import BadField, BadFile
from mappings.model import Mapping, Target, ValueRow, Values


def write(folder: Path, text: str, stream: str = "customers", kind: str = "acme") -> Path:
    """A mapping file in a folder of its own; gives the folder."""
    place = folder / kind
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{stream}.yaml").write_text(text, encoding="utf-8")
    return folder


def party(folder: Path, fields: str, head: str = "") -> Mapping:
    return load(write(folder, f"entity: party\n{head}\nfields:\n{fields}"), "acme", "customers")


MISTAKES = [
    ("entity: party\nfields: [", 2, "not valid YAML"),
    ("entity: party\nfields:\n\tname: X", 3, "not valid YAML"),
    ("fields:\n  name: X", 1, "says no entity"),
    ("entity: partie\nfields:\n  name: X", 1, "Did you mean 'party'"),
    ("entity: party\nfeilds:\n  name: X", 2, "Did you mean 'fields'"),
    ("entity: party\nfields:\n  nmae: X", 3, "Did you mean 'name'"),
    ("entity: party\nfields:\n  name: X\n  name: Y", 4, "said twice"),
    ("entity: party\nfields:\n  name: {feild: X}", 3, "Did you mean 'field'"),
    ("entity: party\nfields:\n  name: {read_only: true}", 3, "names no field"),
    ("entity: party\nfields:\n  name: 17", 3, "expected names with values"),
    ("entity: party\nfields:\n  name: {field: X, function: uper}", 3, "no function 'uper'"),
    ("entity: party\nfields:\n  name: {field: [A, B], function: closed_or_void}", 3, "has no inverse"),
    ("entity: party\nfields:\n  name: {field: [A, B]}", 3, "cannot be written back"),
    ("entity: party\nfields:\n  status: {field: S, values: {A: active, B: active}}", 3, "two words of the system mean 'active'"),
    ("entity: party\nfields:\n  status: {field: S, values: {A: active}, otherwise: blocked}", 3, "`otherwise` cannot be written"),
    ("entity: party\nfields:\n  parent: P", 3, "does not say what it refers to"),
    ("entity: party\nfields:\n  name: {field: X, read_only: true, write_only: true}", 3, "exclude each other"),
    ("entity: party\nfields:\n  name: X\n  short_name: X", 4, "already written by the rule on line 3"),
    ("entity: party\nfields:\n  name: X\nconstants: {X: 1}", 3, "by a rule and by a constant"),
    ("entity: party\nfields:\n  name: {field: X, when: 'doc.name =='}", 3, "not a CEL expression"),
    ("entity: party\nfields:\n  name: {field: X, when: 'record.y == 1'}", 3, "'record' is not known here"),
    ("entity: party\nfields:\n  name: {field: X, when: 'doc.level == 1'}", 3, "which this file does not map"),
    ("entity: party\nzone: Asia/Shanghia\nfields:\n  name: X", 2, "is no time zone"),
    ("entity: party\nfields:\n  name: X\nsets:\n  company:\n    field: C\n    key: id", 5, "Did you mean 'companies'"),
    ("entity: party\nfields:\n  name: X\nsets:\n  companies:\n    fields: {code: C}", 5, "does not say where its rows are"),
    ("entity: party\nfields:\n  roles: {constant: $role}", 3, "parameter 'role' has no value"),
    ("entity: party\nfields:\n  name: X\nidentity:\n  - {kind: uscc, field: uscc}", 5, "'uscc' is not known here"),
    ("entity: party\nfields:\n  name: X\nidentity:\n  - {kind: name}", 5, "either `field:` or `from:`"),
    ("entity: party\nfields:\n  name: {field: X, places: many}", 3, "no number of decimals"),
]


@pytest.mark.parametrize(("text", "line", "says"), MISTAKES, ids=[says for _, _, says in MISTAKES])
def test_a_mistake_is_told_with_file_line_and_fix(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(BadFile) as wrong:
        load(write(tmp_path, text), "acme", "customers")

    assert says in str(wrong.value)
    assert wrong.value.line == line
    assert str(wrong.value).startswith(f"{tmp_path / 'acme' / 'customers.yaml'}:{line}:")
    assert wrong.value.fix


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    write(tmp_path, "")
    (tmp_path / "acme" / "customers.yaml").write_bytes("title: 客户".encode("gbk"))

    with pytest.raises(BadFile, match="not UTF-8"):
        load(tmp_path, "acme", "customers")


@pytest.mark.parametrize("text", ["fields: " + "[" * 1500, "fields: " + "[" * 100_000, "entity: party\nfields: \x01", "{" * 1500])
def test_a_hostile_file_is_told_too(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadFile, match="not valid YAML|nested too deeply"):
        load(write(tmp_path, text), "acme", "customers")


def test_a_stream_without_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no mapping acme/orders.yaml"):
        load(tmp_path, "acme", "orders")


# -- overlays ----------------------------------------------------------------------------------------------------------


def over(folder: Path, text: str) -> Mapping:
    """A customer's file over ours for Kingdee's customers."""
    return load([OURS, write(folder, text, kind="erp_kingdee")], "erp_kingdee", "customers")


def test_a_customers_file_adds_replaces_and_drops_fields(tmp_path: Path) -> None:
    mapping = over(tmp_path, "fields:\n  website: null\n  phone: F_OWN_TEL\n  custom.rating: F_OWN_RATING\n")

    assert "FWEBSITE" not in mapping.writes
    assert mapping.writes["F_OWN_TEL"] == "phone"
    assert mapping.writes["F_OWN_RATING"] == "custom.rating"
    assert mapping.writes["FName"] == "name"
    read = mapping.read({"F_OWN_RATING": "A+", "FTEL": "1", "FUseOrgId.FNumber": "100"}, {("organizations#number", "100"): "o"}, Values())
    assert read.fields["custom.rating"] == "A+"
    assert "phone" not in read.fields


def test_a_customers_file_reaches_into_sets(tmp_path: Path) -> None:
    mapping = over(tmp_path, "sets:\n  companies:\n    fields:\n      credit_limit: F_OWN_LIMIT\n      code: null\n")

    assert mapping.writes["F_OWN_LIMIT"] == "companies.credit_limit"
    assert "companies.code" not in mapping.reads
    assert "companies.salesperson" in mapping.reads


def test_a_mistake_in_a_customers_file_names_that_file(tmp_path: Path) -> None:
    with pytest.raises(BadFile) as wrong:
        over(tmp_path, "fields:\n  phnoe: X\n")

    assert wrong.value.file == str(tmp_path / "erp_kingdee" / "customers.yaml")
    assert wrong.value.line == 2


def test_what_an_installation_lacks_is_not_written_and_nothing_is_waited_for_on_its_account() -> None:
    doc, sets = {"number": "SO1", "customer": "c"}, {"lines": {"l1": {"product": "p", "quantity": "2"}}}
    lacking = {"Deal_Name", "Net_Amount", "Ordered_Items.Product_Name"}
    whole, less = (load(OURS, "crm_zoho", "sales_orders", absent=absent) for absent in ((), lacking))
    books = load(OURS, "crm_zoho", "price_books", absent={"Products"})

    assert lacking <= set(whole.writes)
    assert set(less.writes) == set(whole.writes) - lacking
    assert ("products", "p") in whole.needs(doc, sets)
    assert ("products", "p") not in less.needs(doc, sets)
    assert less.reads == whole.reads
    assert less.version != whole.version
    assert not books.sets


def test_a_field_that_is_only_written_is_not_read_where_it_is_lacking() -> None:
    whole, less = (load(OURS, "crm_zoho", "sales_orders", absent=absent) for absent in ((), {"Shipped_Quantity", "Paid_Amount"}))

    assert less.reads == whole.reads
    assert "shipped_quantity" not in less.reads


def test_of_several_fields_that_a_function_fills_those_that_are_there_are_written() -> None:
    whole, less = (load(OURS, "crm_zoho", "contacts", absent=absent) for absent in ((), {"First_Name"}))
    both, one = (mapping.write({"name": "李 明", "number": ""}, {}, {}, Values(), only=frozenset({"name"})) for mapping in (whole, less))

    assert set(both) == {"Last_Name", "First_Name"}
    assert one == {"Last_Name": both["Last_Name"]}
    assert "First_Name" not in less.writes


def test_rows_that_only_a_sum_reads_are_not_written(tmp_path: Path) -> None:
    rows = "lines: {field: Rows, key: id, fields: {amount: {field: Sum}}}"
    text = f"entity: receipt\nfields:\n  number: Nr\n  amount: {{sum_of: lines.amount}}\nsets:\n  {rows}\n"
    mapping = load(write(tmp_path, text, stream="receipts"), "acme", "receipts", absent={"Rows"})

    read = mapping.read({"Nr": "1", "Rows": [{"id": "1", "Sum": "5"}]}, {}, Values())

    assert (mapping.write({"number": "1"}, read.sets, {}, Values()), read.fields["amount"]) == ({"Nr": "1"}, "5")


def test_the_version_follows_the_meaning_and_not_the_layout(tmp_path: Path) -> None:
    one = party(tmp_path / "1", "  name: A\n  phone: B")
    same = party(tmp_path / "2", "  # telephone first\n  phone: {field: B}\n\n  name: 'A'")
    other = party(tmp_path / "3", "  name: A\n  phone: C")

    assert one.version == same.version
    assert one.version != other.version
    assert len({stream.version for stream in (load(OURS, "erp_kingdee", name) for name in ("customers", "products"))}) == 2


# -- kinds of rules ----------------------------------------------------------------------------------------------------


def fields(mapping: Mapping, payload: dict[str, Any], values: Values | None = None) -> dict[str, Any]:
    refs = {cite: cite[1] for cite in mapping.cites(payload)}
    return mapping.read(payload, refs, values or Values()).fields


def test_absent_null_empty_and_zero_are_four_values(tmp_path: Path) -> None:
    mapping = party(tmp_path, "  name: N\n  annual_target: T\n  internal: I")

    assert fields(mapping, {}) == {}
    assert fields(mapping, {"N": None, "T": None, "I": None}) == {"name": None, "annual_target": None, "internal": None}
    assert fields(mapping, {"N": "", "T": 0, "I": False}) == {"name": "", "annual_target": "0", "internal": False}
    for said in ({}, {"name": None, "annual_target": None}, {"name": "", "annual_target": "0", "internal": False}):
        written = mapping.write(said, {}, {}, Values())
        assert fields(mapping, written) == said


def test_an_empty_text_is_no_number_unless_the_file_says_that_empty_is_null(tmp_path: Path) -> None:
    strict = party(tmp_path / "1", "  annual_target: T\n  since: S")
    loose = party(tmp_path / "2", "  annual_target: T\n  since: S", 'empty: "null"')

    with pytest.raises(BadField) as wrong:
        fields(strict, {"T": "", "S": " "})
    assert [path for path, _ in wrong.value.wrong] == ["T", "S"]
    assert fields(loose, {"T": "", "S": " "}) == {"annual_target": None, "since": None}


def test_a_chain_reads_the_first_that_is_not_empty(tmp_path: Path) -> None:
    mapping = party(tmp_path, "  phone: {field: [Tel, Mobile, Fax], read_only: true}")

    assert fields(mapping, {"Tel": None, "Mobile": "", "Fax": "3"}) == {"phone": "3"}
    assert fields(mapping, {"Tel": "1", "Mobile": "2"}) == {"phone": "1"}
    assert fields(mapping, {"Mobile": "2"}) == {"phone": "2"}
    assert fields(mapping, {}) == {}


def test_percent_becomes_a_fraction_and_back(tmp_path: Path) -> None:
    mapping = party(tmp_path, "  discount_rate: {field: D, percent: true}")

    assert fields(mapping, {"D": 13}) == {"discount_rate": "0.13"}
    assert fields(mapping, {"D": Decimal("0.125")}) == {"discount_rate": "0.00125"}
    assert mapping.write({"discount_rate": "0.13"}, {}, {}, Values()) == {"D": Decimal(13)}


def test_a_condition_decides_both_ways_from_the_canonical_side(tmp_path: Path) -> None:
    mapping = party(tmp_path, "  status: S\n  level: {field: L, when: \"doc.status == 'active'\"}")

    assert fields(mapping, {"L": "core", "S": "active"}) == {"status": "active", "level": "core"}
    assert fields(mapping, {"L": "core", "S": "blocked"}) == {"status": "blocked"}
    assert mapping.write({"status": "active", "level": "core"}, {}, {}, Values()) == {"S": "active", "L": "core"}
    assert mapping.write({"status": "blocked", "level": "core"}, {}, {}, Values()) == {"S": "blocked"}


def test_a_condition_on_reading_sees_the_record(tmp_path: Path) -> None:
    mapping = party(tmp_path, '  phone: {field: P, when_read: "record[\\"T.Kind\\"] == \'company\'", read_only: true}')

    assert fields(mapping, {"P": "1", "T.Kind": "company"}) == {"phone": "1"}
    assert fields(mapping, {"P": "1", "T.Kind": "person"}) == {}
    assert fields(mapping, {"P": "1"}) == {}


def test_a_condition_that_cannot_be_decided_is_a_problem_of_the_record(tmp_path: Path) -> None:
    mapping = party(tmp_path, '  phone: {field: P, when_read: "record.A > 5", read_only: true}')

    with pytest.raises(BadField, match="cannot be decided"):
        fields(mapping, {"P": "1", "A": "many"})


def test_moments_are_read_in_the_zone_of_the_system(tmp_path: Path) -> None:
    write(tmp_path, "entity: lead\nzone: Europe/Berlin\nfields:\n  received_at: {field: T, form: offset}", "leads")
    mapping = load(tmp_path, "acme", "leads")

    assert fields(mapping, {"T": "2026-07-01T10:00:00"}) == {"received_at": "2026-07-01T08:00:00Z"}
    assert fields(mapping, {"T": "2026-01-31T10:00:00+08:00"}) == {"received_at": "2026-01-31T02:00:00Z"}
    assert fields(mapping, {"T": "2026-07-01T10:00:00.500"}) == {"received_at": "2026-07-01T08:00:00.500000Z"}
    assert mapping.write({"received_at": "2026-01-31T02:00:00Z"}, {}, {}, Values()) == {"T": "2026-01-31T03:00:00+01:00"}


def test_an_hour_in_which_the_clock_changes_is_not_remembered_for_the_rest_of_it(tmp_path: Path) -> None:
    write(tmp_path, "entity: lead\nzone: Asia/Kolkata\nfields:\n  received_at: T", "leads")
    mapping = load(tmp_path, "acme", "leads")

    assert fields(mapping, {"T": "2026-07-01T10:10:00"}) == {"received_at": "2026-07-01T04:40:00Z"}
    assert fields(mapping, {"T": "2026-07-01T10:40:00"}) == {"received_at": "2026-07-01T05:10:00Z"}


def test_a_list_of_references_is_resolved_and_written(tmp_path: Path) -> None:
    write(tmp_path, "entity: price_list\nlookups: true\nfields:\n  parties: {field: P, stream: accounts}", "lists")
    mapping = load(tmp_path, "acme", "lists")

    assert fields(mapping, {"P": [{"id": "1"}, {"id": "2"}]}) == {"parties": ["1", "2"]}
    known = {("accounts", "a"): Target("1")}
    assert mapping.needs({"parties": ["a"]}, {}) == [("accounts", "a")]
    assert mapping.write({"parties": ["a"]}, {}, known, Values()) == {"P": [{"id": "1"}]}


def test_a_value_map_may_give_numbers(tmp_path: Path) -> None:
    write(tmp_path, "entity: product\nfields:\n  tax_rate: {field: R, map: tax_rate}", "items")
    mapping = load(tmp_path, "acme", "items")
    values = Values([ValueRow("tax_rate", "SL02", "0.13")])

    assert fields(mapping, {"R": "SL02"}, values) == {"tax_rate": "0.13"}
    assert mapping.write({"tax_rate": "0.13"}, {}, {}, values) == {"R": "SL02"}


HOSTILE = "x'] = __import__('os').system('false') #"


def test_nothing_that_a_file_says_becomes_code(tmp_path: Path) -> None:
    """Names and words of a file are data, however they look."""
    mapping = party(tmp_path, f'  name: "{HOSTILE}"\n  level: {{field: "L", values: {{"{HOSTILE}": core}}}}')

    assert fields(mapping, {HOSTILE: "safe", "L": HOSTILE}) == {"name": "safe", "level": "core"}
    assert mapping.write({"name": "safe", "level": "core"}, {}, {}, Values()) == {HOSTILE: "safe", "L": HOSTILE}
