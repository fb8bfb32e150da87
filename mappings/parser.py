"""From a mapping file to rules, every word checked against the canonical model.

The words of a file and what they mean are listed in docs/mapping.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from canonical.base import EntitySpec, FieldSpec
from canonical.models import MODELS, entity
from mappings.cel import BadCondition, Condition
from mappings.errors import BadFile
from mappings.functions import FUNCTIONS
from mappings.keys import NORMALISERS
from mappings.located import Loc, overlay, parse, suggestion
from mappings.rules import Holds, KeyRule, MappingRules, Place, Rule, SetRule

HEADER = (
    "title", "entity", "zone", "empty", "nothing", "lookups", "company", "parameters", "fields", "sets", "constants", "identity",
    "likeness",
)  # fmt: skip
OPTIONS = (
    "field", "write", "as", "stream", "by", "parent", "line_of", "values", "otherwise", "map", "function", "with", "constant",
    "places", "form", "empty", "nothing", "default", "read_only", "write_only", "creates_only", "when", "when_read", "when_write",
    "percent", "sum_of", "common_of",
)  # fmt: skip
SET_WORDS = ("field", "row", "key", "key_is", "key_of", "hub_key", "natural", "holds", "fields", "constants")
HOLDS_WORDS = ("one_for", "least", "standing", "needs", "same", "when")

_BY_TYPE = {"date": "day"}  # the other types of canonical fields are called like their rules
_AS = ("text", "decimal", "percent", "integer", "boolean", "date", "moment", "list", "map")


def rules_of(files: Sequence[Path], system_kind: str, parameters: Mapping[str, str] | None = None) -> MappingRules:
    """The rules of one stream: the first file is ours, each next one lies over those before it. Raises: BadFile."""
    whole = parse(files[0])
    for path in files[1:]:
        whole = overlay(whole, parse(path))
    return _File(whole, system_kind, files[0].stem, parameters or {}).rules()


class _File:
    """One merged file on its way to rules."""

    def __init__(self, whole: Loc, system_kind: str, stream: str, parameters: Mapping[str, str]) -> None:
        whole.known(HEADER)
        self.whole, self.system_kind, self.stream = whole, system_kind, stream
        self.spec = self._entity()
        self.empty = self._choice("empty", ("keep", "null"), "keep")
        nothing = whole.mapping().get("nothing")
        self.nothing = None if nothing is None else nothing.value
        lookups = whole.get("lookups")
        self.lookups = lookups is not None and lookups.flag()
        own = whole.get("parameters")
        self.parameters = {**(own.plain() if own else {}), **parameters}

    def rules(self) -> MappingRules:
        root = self._rules(self.whole, self.spec.fields)
        sets = tuple(self._set(name, piece) for name, piece in self._part(self.whole, "sets").items())
        constants = self._constants(self.whole)
        _written_once(root, constants)
        names = {rule.name for rule in root}
        return MappingRules(
            self.system_kind, self.stream, self.spec.name, self._zone(), self._company(root), root, sets, constants,
            self._keys("identity", names), self._keys("likeness", names),
        )  # fmt: skip

    def _entity(self) -> EntitySpec:
        piece = self.whole.get("entity")
        if piece is None:
            raise self.whole.wrong("says no entity", "Add a line `entity: party` (or another canonical entity) at the top")
        return entity(piece.choice(MODELS))

    def _zone(self) -> str:
        piece = self.whole.get("zone")
        if piece is None:
            return "Asia/Shanghai"
        try:
            return ZoneInfo(piece.text()).key
        except (ZoneInfoNotFoundError, ValueError) as wrong:
            raise piece.wrong(f"{piece.value!r} is no time zone", "Write an IANA name like Asia/Shanghai") from wrong

    def _choice(self, key: str, options: tuple[str, ...], default: str) -> str:
        piece = self.whole.mapping().get(key)
        return default if piece is None else piece.choice(options)

    def _company(self, root: Sequence[Rule]) -> str:
        piece = self.whole.get("company")
        if piece is not None:
            return piece.choice([rule.name for rule in root if rule.kind == "reference"])
        return "company" if any(rule.name == "company" and rule.kind == "reference" for rule in root) else ""

    @staticmethod
    def _part(where: Loc, key: str) -> dict[Any, Loc]:
        piece = where.get(key)
        return {} if piece is None else {name: child for name, child in piece.mapping().items() if child.value is not None}

    def _constants(self, where: Loc) -> tuple[tuple[str, Any], ...]:
        return tuple((str(key), self.parameter(piece)) for key, piece in self._part(where, "constants").items())

    def parameter(self, piece: Loc) -> Any:
        """A value, or for `$name` what the parameter says."""
        value = piece.plain()
        if not isinstance(value, str) or not value.startswith("$"):
            return value
        name = value[1:]
        if name not in self.parameters:
            raise piece.wrong(
                f"parameter {name!r} has no value", f"Give it under `parameters:` in this file: {suggestion(name, self.parameters)}"
            )
        return self.parameters[name]

    def _set(self, name: str, piece: Loc) -> SetRule:
        piece.known(SET_WORDS)
        if name not in self.spec.sets:
            raise piece.wrong(f"{self.spec.name} has no set {name!r}", suggestion(name, self.spec.sets))
        rules = self._rules(piece, self.spec.sets[name])
        constants = self._constants(piece)
        _written_once(rules, constants)
        path, key, fixed = self._row_key(piece)
        natural = piece.get("natural")
        key_is, hub_key = piece.get("key_is"), piece.get("hub_key")
        key_of = self._key_of(piece, rules, key)
        if key_of:
            rules = tuple(replace(rule, write_as="key") if rule.name == key_of else rule for rule in rules)
        return SetRule(
            name, piece.place, path, key, fixed,
            integer_keys=key_is is not None and key_is.choice(("text", "integer")) == "integer",
            hub_key=hub_key.text() if hub_key else "",
            natural=tuple(item.choice(self.spec.sets[name]) for item in natural.items()) if natural else (),
            key_of=key_of,
            holds=self._holds(piece, self.spec.sets[name]),
            rules=rules,
            constants=constants,
        )  # fmt: skip

    @staticmethod
    def _key_of(piece: Loc, rules: Sequence[Rule], key: str) -> str:
        word = piece.get("key_of")
        if word is None:
            return ""
        fitting = [rule.name for rule in rules if rule.kind == "reference" and rule.by == "key" and rule.reads == rule.writes == (key,)]
        if word.value not in fitting:
            raise word.wrong(
                f"{word.value!r} is no reference that the row's key is read from", f"Write `{word.value}: {{field: {key}, stream: …}}`"
            )
        return word.text()

    def _holds(self, piece: Loc, specs: Mapping[str, FieldSpec]) -> Holds | None:
        word = piece.get("holds")
        if word is None:
            return None
        word.known(HOLDS_WORDS)
        one_for, least, standing, needs, same, when = (word.get(name) for name in HOLDS_WORDS)
        if one_for is None:
            raise word.wrong("does not say for what it holds one row", "Add `one_for: product`")
        days = (
            tuple(item.choice([name for name, spec in specs.items() if spec.kind == "date"]) for item in standing.items())
            if standing
            else ()
        )
        if standing is not None and len(days) != 2:
            raise standing.wrong("needs the first and the last day", "Write `standing: [valid_from, valid_to]`")
        return Holds(
            tuple(item.choice(specs) for item in one_for.items()),
            least.choice([name for name, spec in specs.items() if spec.kind == "decimal"]) if least else "",
            days,
            tuple(item.choice(specs) for item in needs.items()) if needs else (),
            tuple((str(name), self._fact(specs, str(name), child)) for name, child in same.mapping().items()) if same else (),
            self._condition(when, specs) if when else "",
        )

    @staticmethod
    def _fact(specs: Mapping[str, FieldSpec], name: str, piece: Loc) -> str:
        reference, _, wanted = piece.text().partition(".")
        if name not in specs:
            raise piece.wrong(f"rows have no field {name!r}", suggestion(name, specs))
        to = specs[reference].refers_to if reference in specs else ""
        if not to or wanted not in entity(to).fields:
            raise piece.wrong(f"{piece.value!r} is no field of what a row points to", "Write `unit: product.base_unit`")
        return piece.text()

    @staticmethod
    def _condition(piece: Loc, specs: Mapping[str, FieldSpec]) -> str:
        try:
            asked = Condition(piece.text(), ("line",)).asked
        except BadCondition as wrong:
            raise piece.wrong(str(wrong), "See docs/mapping.md, Conditions") from wrong
        if unknown := [name for _, name in asked if name not in specs]:
            raise piece.wrong(f"rows have no field {unknown[0]!r}", suggestion(unknown[0], specs))
        return piece.text()

    def _row_key(self, piece: Loc) -> tuple[str, str, str]:
        field, row, key = piece.get("field"), piece.get("row"), piece.get("key")
        if field is not None and key is not None and row is None:
            return field.text(), key.text(), ""
        if row is None or field is not None:
            raise piece.wrong(
                "does not say where its rows are", "Give `field:` and `key:` for a list, or `row:` where a record is one row of the set"
            )
        if not isinstance(row.value, dict):
            return "", row.text(), ""
        fixed = row.get("constant")
        if fixed is None:
            raise row.wrong("says no key for the row", 'Write `row: {constant: "100"}` or `row: VendorKey`')
        return "", "", str(self.parameter(fixed))

    def _rules(self, where: Loc, specs: Mapping[str, FieldSpec]) -> tuple[Rule, ...]:
        found: list[Rule] = []
        for name, piece in self._part(where, "fields").items():
            custom = str(name).startswith("custom.")
            if name not in specs and not custom:
                fix = f"{suggestion(str(name), specs)}; a field of your own is called `custom.{name}`"
                raise piece.wrong(f"{self.spec.name} has no field {name!r}", fix)
            spec = FieldSpec(str(name), "text") if custom else specs[name]
            found += [_RuleParser(self, spec, item).rule() for item in piece.items()]
        return tuple(found)

    def _keys(self, section: str, names: set[str]) -> tuple[KeyRule, ...]:
        piece = self.whole.get(section)
        return tuple(self._key(item, names) for item in piece.items()) if piece else ()

    def _key(self, piece: Loc, names: set[str]) -> KeyRule:
        piece.known(("kind", "field", "from", "normalise"))
        kind, field, path, normaliser = piece.get("kind"), piece.get("field"), piece.get("from"), piece.get("normalise")
        if kind is None or (field is None) == (path is None):
            raise piece.wrong("a key needs `kind:` and either `field:` or `from:`", "Write {kind: uscc, field: uscc, normalise: uscc}")
        return KeyRule(
            kind.text(), piece.place,
            field=field.choice(names) if field else "",
            path=path.text() if path else "",
            normaliser=normaliser.choice(NORMALISERS) if normaliser else "",
        )  # fmt: skip


class _RuleParser:
    """One rule on its way from words to data."""

    def __init__(self, file: _File, spec: FieldSpec, piece: Loc) -> None:
        if isinstance(piece.value, str):
            piece = Loc({"field": piece}, piece.place, piece.name)
        piece.known(OPTIONS)
        self.file, self.spec, self.piece = file, spec, piece

    def rule(self) -> Rule:
        kind = self._kind()
        reads = self._texts("field")
        direction = self._direction(kind)
        reference = self._reference(kind, reads) if kind in ("reference", "references") else {}
        writes = self._texts("write") or (reads if kind == "function" else reads[:1])
        table, otherwise = self._table(), self.piece.get("otherwise")
        nothing = self.piece.mapping().get("nothing")
        rule = Rule(
            self.spec.name, kind, self.piece.place,
            reads=reference.pop("reads", reads),
            writes=writes if direction != "read_only" else (),
            direction=direction,
            creates_only=self._flag("creates_only"),
            table=table,
            otherwise=otherwise.plain() if otherwise else None,
            map=self._text("map"),
            function=self._text("function"),
            extra=self._extra(),
            constant=self.file.parameter(constant) if (constant := self.piece.get("constant")) else None,
            places=self._places(),
            form=self._form(kind),
            empty=self._option("empty", ("keep", "null"), self.file.empty),
            nothing=self.file.nothing if nothing is None else nothing.value,
            default=default.plain() if (default := self.piece.get("default")) else None,
            source=self._text("sum_of") or self._text("common_of"),
            when=self._text("when"),
            when_read=self._text("when_read"),
            when_write=self._text("when_write"),
            **reference,
        )  # fmt: skip
        self._check(rule)
        return rule

    def _text(self, key: str) -> str:
        piece = self.piece.get(key)
        return piece.text() if piece else ""

    def _texts(self, key: str) -> tuple[str, ...]:
        piece = self.piece.get(key)
        return piece.texts() if piece else ()

    def _flag(self, key: str) -> bool:
        piece = self.piece.get(key)
        return piece.flag() if piece else False

    def _option(self, key: str, options: tuple[str, ...], default: str) -> str:
        piece = self.piece.mapping().get(key)
        return piece.choice(options) if piece else default

    def _kind(self) -> str:
        for option, kind in (("values", "enum"), ("map", "value"), ("function", "function"), ("sum_of", "sum"), ("common_of", "common")):
            if self.piece.get(option) is not None:
                return kind
        if self._flag("percent"):
            return "percent"
        stated = self.piece.get("as")
        if stated is not None:
            word = stated.choice(_AS)
            return "day" if word == "date" else word
        if self.spec.kind == "reference" or self.piece.get("stream") is not None:
            return "references" if self.spec.kind == "list" else "reference"
        return "constant" if self.piece.get("constant") is not None else _BY_TYPE.get(self.spec.kind, self.spec.kind)

    def _direction(self, kind: str) -> str:
        read_only, write_only = self._flag("read_only"), self._flag("write_only")
        if read_only and write_only:
            raise self.piece.wrong("read_only and write_only exclude each other", "Keep one of the two")
        if kind in ("sum", "common", "constant") or (self.piece.get("constant") is not None):
            return "read_only"
        return "read_only" if read_only else "write_only" if write_only else "both"

    def _reference(self, kind: str, reads: tuple[str, ...]) -> dict[str, Any]:
        by = self._option("by", ("key", "number", "canonical_number"), "key")
        stream = self._text("stream")
        if by == "canonical_number":
            stream, by = f"={self.spec.refers_to}", "number"
        if not stream or stream == "=":
            raise self.piece.wrong("does not say what it refers to", "Add `stream: customers`, or `by: canonical_number`")
        lookup = self.file.lookups and by == "key"
        written = "lookup" if lookup else "number" if by == "number" or self.piece.get("write") is not None else "key"
        found: dict[str, Any] = {"stream": stream, "by": by, "write_as": written, "line_set": self._text("line_of")}
        if found["line_set"]:
            parent = self._text("parent")
            if not parent or kind != "reference":
                raise self.piece.wrong("a reference to a line needs `parent:`", "Give the key that holds the parent's key or number")
            found["reads"] = (parent, *reads)
        return found

    def _table(self) -> tuple[tuple[Any, Any], ...]:
        piece = self.piece.get("values")
        if piece is None:
            return ()
        return tuple((key, child.plain()) for key, child in piece.mapping().items())

    def _extra(self) -> tuple[Any, ...]:
        piece = self.piece.get("with")
        return tuple(item.plain() for item in piece.items()) if piece else ()

    def _places(self) -> int | None:
        piece = self.piece.get("places")
        if piece is None:
            return None
        if isinstance(piece.value, int) and 0 <= piece.value <= 10:
            return piece.value
        raise piece.wrong(f"{piece.value!r} is no number of decimals", "Write a whole number from 0 to 10")

    def _form(self, kind: str) -> str:
        if kind == "day":
            return self._option("form", ("plain", "midnight"), "plain")
        return self._option("form", ("local", "offset"), "local") if kind == "moment" else "plain"

    def _check(self, rule: Rule) -> None:
        wrong = self.piece.wrong
        if not rule.reads and not rule.source and rule.constant is None:
            raise wrong("names no field of the system", "Add `field: VendorKey`")
        if rule.function and rule.function not in FUNCTIONS:
            raise wrong(f"there is no function {rule.function!r}", suggestion(rule.function, FUNCTIONS))
        if rule.function and rule.is_written and FUNCTIONS[rule.function].write is None:
            raise wrong(f"function {rule.function} has no inverse", "Add `read_only: true`")
        if rule.line_set and rule.is_written:
            raise wrong("a line's key cannot be written through its parent", "Add `read_only: true`")
        if rule.kind not in ("function", "reference") and len(rule.reads) > 1 and rule.is_written:
            raise wrong("a chain of fields cannot be written back", "Add `read_only: true`, and a rule that writes one of them")
        self._check_table(rule)

    def _check_table(self, rule: Rule) -> None:
        if rule.otherwise is not None and rule.is_written:
            raise self.piece.wrong("`otherwise` cannot be written back", "Add `read_only: true`")
        canonical = [repr(value) for _, value in rule.table]
        if rule.is_written and len(set(canonical)) != len(canonical):
            double = next(value for value in canonical if canonical.count(value) > 1)
            raise self.piece.wrong(f"two words of the system mean {double}", "Keep one of them, or add `read_only: true`")


def _written_once(rules: Sequence[Rule], constants: Sequence[tuple[str, Any]]) -> None:
    seen: dict[str, Place] = {}
    for rule in rules:
        for key in rule.writes:
            if key in seen:
                why = f"{key} is already written by the rule on line {seen[key].line}"
                raise BadFile(rule.place.file, rule.place.line, rule.name, why, "Make one of the two `read_only: true`")
            seen[key] = rule.place
    for key, _ in constants:
        if key in seen:
            place = seen[key]
            raise BadFile(place.file, place.line, key, "written by a rule and by a constant", "Drop the constant")
