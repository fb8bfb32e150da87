"""Records and documents for the laws: hypothesis strategies made from a mapping's own rules.

Each strategy gives values a system can really hold for a rule of that kind: Chinese text with characters outside the basic plane and full
width, numbers of many digits, days, all four empties (absent, null, empty text, zero).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from canonical.values import decimal_text
from mappings.compiler import OURS, compile_rules, files_of
from mappings.model import Mapping, Target, ValueRow, Values
from mappings.parser import rules_of
from mappings.rules import MappingRules, Rule, SetRule

STREAMS = sorted((path.parent.name, path.stem) for kind in ("erp_kingdee", "crm_zoho") for path in (OURS / kind).glob("*.yaml"))
"""(system kind, stream) of every mapping that comes with the hub."""

WORDS = ("东方智控", "𠮷野家", "Ａ１　Ｂ", "Müller & Söhne", "😀", "12", "0", "a'b\"c\\n", "O'Neil; DROP TABLE--", "=1+1", "null")
ABSENT = object()


@dataclass
class Making:
    """A mapping with its rules, and value maps that have an entry for whatever is drawn."""

    rules: MappingRules
    mapping: Mapping
    values: Values = field(init=False)

    def __post_init__(self) -> None:
        rows = [ValueRow(name, f"v-{word}", f"c-{word}") for name in self.mapping.value_maps for word in ("一", "2", "three")]
        self.values = Values([*rows, ValueRow("tax_rate", "SL02_SYS", "0.13")])


def making(system_kind: str, stream: str) -> Making:
    """The mapping that the hub ships for a stream."""
    rules = rules_of(files_of(OURS, system_kind, stream), system_kind)
    return Making(rules, compile_rules(rules))


def texts() -> st.SearchStrategy[str]:
    """Text as people and systems have it: no control characters, no blanks at the ends, not empty."""
    free = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=20).map(str.strip).filter(bool)
    return st.sampled_from(WORDS) | free


def decimals(places: int | None, limit: int = 20) -> st.SearchStrategy[Decimal]:
    """Exact numbers, long and short, with zeros behind the point as Kingdee sends them."""
    scale = 10 if places is None else places
    digits = st.integers(-(10**limit), 10**limit) | st.sampled_from([0, 1, -1, 10**scale, 13 * 10**scale])
    return digits.map(lambda number: Decimal(number).scaleb(-scale))


def days() -> st.SearchStrategy[str]:
    return st.dates().map(lambda day: day.isoformat())


def moments() -> st.SearchStrategy[str]:
    """Times of the years in which the zone had no change of clock."""
    from datetime import datetime

    return st.datetimes(datetime(1992, 1, 1), datetime(2099, 1, 1)).map(lambda moment: moment.replace(microsecond=0).isoformat())  # noqa: DTZ001


# -- vendor side -------------------------------------------------------------------------------------------------------


def vendor_values(rule: Rule) -> st.SearchStrategy[Any]:
    """What a system may hold under the key that the rule reads."""
    nothing = [st.none()] if rule.kind != "boolean" else []
    blank = [st.just("")] if rule.kind in ("text", "value", "reference") and rule.stream == "" else []
    return st.one_of(_vendor_kind(rule), *nothing, *blank)


def _vendor_kind(rule: Rule) -> st.SearchStrategy[Any]:
    if rule.kind in ("decimal", "percent"):
        return decimals(rule.places) | st.integers(-(10**9), 10**9)
    if rule.kind == "enum":
        return st.sampled_from([vendor for vendor, _ in rule.table])
    if rule.kind == "value":
        return st.sampled_from(["v-一", "v-2", "v-three"])
    if rule.kind == "day":
        return days().map(lambda day: f"{day}T00:00:00") if rule.form == "midnight" else days()
    return {
        "text": texts(),
        "integer": st.integers(-(10**9), 10**9),
        "boolean": st.booleans(),
        "moment": moments(),
        "list": st.lists(texts(), max_size=3),
        "map": st.dictionaries(texts(), texts(), max_size=2),
    }[rule.kind]


@st.composite
def payloads(draw: st.DrawFn, made: Making) -> dict[str, Any]:
    """A whole record of the system, some keys missing."""
    record: dict[str, Any] = {}
    for rule in made.rules.rules:
        _put(draw, record, rule)
    for child in made.rules.sets:
        if not child.path:
            for rule in child.rules:
                _put(draw, record, rule)
            if child.key:
                record[child.key] = "100"
            continue
        keys = draw(st.lists(st.integers(1, 10**12), unique=True, max_size=3))
        record[child.path] = [_row(draw, child, key) for key in keys]
    return record


def _row(draw: st.DrawFn, child: SetRule, key: int) -> dict[str, Any]:
    row: dict[str, Any] = {child.key: key if child.integer_keys else str(key)}
    for rule in child.rules:
        if rule.name != child.key_of:
            _put(draw, row, rule)
    return row


def _put(draw: st.DrawFn, record: dict[str, Any], rule: Rule) -> None:
    if not rule.is_read or rule.kind in ("constant", "sum", "common", "references") or rule.constant is not None:
        return
    if draw(st.integers(0, 5)) == 0:
        return  # a key that this record does not have
    if rule.kind == "reference":
        _put_reference(draw, record, rule)
    elif rule.function == "person_name":
        family, given = draw(st.sampled_from([("王小明", None), ("Smith", "Tom"), ("李", None), (None, None)]))
        record.update(dict(zip(rule.reads, (family, given), strict=True)))
    elif rule.function == "country":
        record[rule.reads[0]] = draw(st.sampled_from(["China", "Germany", "Wakanda", None]))
    elif rule.function == "closed_or_void":
        record.update({key: draw(st.sampled_from(["A", "B"])) for key in rule.reads})
    elif rule.kind != "function":
        record[rule.reads[0]] = draw(vendor_values(rule))


def _put_reference(draw: st.DrawFn, record: dict[str, Any], rule: Rule) -> None:
    if rule.line_set:
        record[rule.reads[1]] = draw(st.sampled_from([0, 17, None]))
        return
    number = draw(st.sampled_from([1, 2, 3, None]))
    if rule.write_as == "lookup":
        record[rule.reads[0]] = None if number is None else {"id": str(number), "name": "名称"}
    elif rule.by == "number":
        record[rule.reads[0]] = None if number is None else f"N{number}"
    else:
        record[rule.reads[0]] = 0 if number is None else number
        for key in rule.writes:
            if key != rule.reads[0]:
                record[key] = None if number is None else f"N{number}"


def refs_for(made: Making, payload: dict[str, Any]) -> dict[Any, str]:
    """A canonical id for whatever the payload cites, in which key and number of one record meet."""
    return {cite: ":".join((cite[0].split("#")[0], cite[1].removeprefix("N"), *cite[2:])) for cite in made.mapping.cites(payload)}


class AnyTarget(dict[tuple[str, str], Target]):
    """Links of all records there are: id `customers:7` has key 7 and number N7; companies have their own number."""

    def get(self, cite: Any, default: Any = None) -> Any:
        """The link; every id has one."""
        identifier = cite[1]
        if not identifier:
            return default
        key = str(identifier).rsplit(":", maxsplit=1)[-1]
        return Target(key, "100" if key == "100" else f"N{key}")


# -- canonical side ----------------------------------------------------------------------------------------------------


def canonical_values(rule: Rule) -> st.SearchStrategy[Any]:
    """What a canonical document may hold in the field of a rule, in document form."""
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "text": texts(),
        "decimal": decimals(rule.places, 18).map(decimal_text),
        "percent": decimals(4, 6).map(decimal_text),
        "integer": st.integers(-(10**9), 10**9),
        "boolean": st.booleans(),
        "day": days(),
        "moment": moments().map(lambda moment: f"{moment}Z"),
        "list": st.lists(texts(), max_size=3),
        "map": st.dictionaries(texts(), texts(), max_size=2),
        "value": st.sampled_from(["c-一", "c-2", "c-three"]),
        "reference": st.sampled_from([f"{rule.stream}:1", f"{rule.stream}:2"]),
    }
    if rule.kind == "enum":
        return st.sampled_from([canonical for _, canonical in rule.table])
    if rule.function == "person_name":
        return st.sampled_from(["王小明", "Tom Smith", "欧阳娜娜", "Plato"])
    if rule.function == "country":
        return st.sampled_from(["CN", "DE", "Wakanda"])
    if rule.function == "lead_status":
        return st.sampled_from(["new", "working", "lost", "converted"])
    if rule.function == "lead_source":
        return st.sampled_from(["fair", "web", "phone", "referral", "dealer", "other"])
    return kinds[rule.kind]


def _document(draw: st.DrawFn, rules: tuple[Rule, ...]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for rule in rules:
        if rule.is_written and rule.is_read and rule.name not in document:
            choice = draw(st.integers(0, 5))
            if choice == 0:
                continue
            document[rule.name] = None if choice == 1 and _can_be_empty(rule) else draw(canonical_values(rule))
    return document


def _can_be_empty(rule: Rule) -> bool:
    # A table that has a word for empty has no null on the canonical side.
    return rule.kind != "boolean" and not any(vendor in ("", None) for vendor, _ in rule.table)


@st.composite
def documents(draw: st.DrawFn, made: Making) -> tuple[dict[str, Any], dict[str, dict[str, dict[str, Any]]]]:
    """A canonical record with its sets; each line is called by what will be its vendor key."""
    root = _document(draw, made.rules.rules)
    sets: dict[str, dict[str, dict[str, Any]]] = {}
    for child in made.rules.sets:
        if child.path:
            keys = draw(st.lists(st.integers(1, 10**12), unique=True, max_size=3))
            sets[child.name] = {str(key): {**_document(draw, child.rules), **_of_key(child, key)} for key in keys}
        else:
            company = next(rule for rule in child.rules if rule.name in child.natural)
            sets[child.name] = {"100": {**_document(draw, child.rules), company.name: f"{company.stream}:100"}}
    return root, sets


def _of_key(child: SetRule, key: int) -> dict[str, Any]:
    """A row whose key is another record's points to that record."""
    return {rule.name: f"{rule.stream}:{key}" for rule in child.rules if rule.name == child.key_of}


def as_shown(made: Making, payload: dict[str, Any]) -> dict[str, Any]:
    """What was written as the system would show it: references by both their keys."""
    shown = _with_keys(made.rules.rules, dict(payload))
    for child in made.rules.sets:
        if child.path and child.path in shown:
            shown[child.path] = [_with_keys(child.rules, dict(row)) for row in shown[child.path]]
        elif not child.path:
            shown = _with_keys(child.rules, shown)
            if child.key:
                shown[child.key] = "100"
    return shown


def _with_keys(rules: tuple[Rule, ...], record: dict[str, Any]) -> dict[str, Any]:
    for rule in rules:
        if rule.kind == "reference" and rule.is_read and rule.is_written and rule.reads[0] not in rule.writes and rule.writes[0] in record:
            number = record[rule.writes[0]]
            record[rule.reads[0]] = 0 if not number else int(number.removeprefix("N"))
    return record
