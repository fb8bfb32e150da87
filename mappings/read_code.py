"""The way in, compiled: from rules to one straight function that reads a record, and one that lists what it cites."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

from mappings import convert
from mappings.cel import Condition
from mappings.errors import Cite, WantedValue, refuse
from mappings.functions import FUNCTIONS
from mappings.keys import NORMALISERS
from mappings.model import Candidate, Payload, Reader
from mappings.rules import KeyRule, MappingRules, Rule, SetRule
from mappings.runtime import call_read, condition_holds, line_key, reference_list, remember, remembered
from mappings.source import Source

_CONVERTERS = (
    "bad shown locate text_in decimal_in percent_in integer_in boolean_in day_in list_in map_in key_in enum_in sum_of common_of "
    "decimals fractions days BIG SHORT"
)
_KNOWN = {
    "A": convert.ABSENT,
    "Candidate": Candidate,
    "Decimal": Decimal,
    "Wanted": WantedValue,
    "call_read": call_read,
    "condition_holds": condition_holds,
    "line_key": line_key,
    "reference_list": reference_list,
    "refuse": refuse,
    "remember": remember,
    "remembered": remembered,
    **{name: getattr(convert, name) for name in _CONVERTERS.split()},
}


def cites_function(rules: MappingRules, where: str) -> Callable[[Payload], list[Cite]]:
    """A function that lists what a payload cites."""
    source = Source("cites", "p", _KNOWN)
    source.add("q = []", "E = []", "add = q.append", "g = p.get")
    for rule in rules.rules:
        _cite(source, rule, "g")
    for child in rules.sets:
        if child.path:
            references = [rule for rule in child.rules if rule.stream and rule.is_read]
            if references:
                source.add(f"rows = g({source.literal(child.path)})")
                with source.block("if rows.__class__ is list:"), source.block("for r in rows:"), source.block("if r.__class__ is dict:"):
                    source.add("g2 = r.get")
                    for rule in references:
                        _cite(source, rule, "g2")
        else:
            for rule in child.rules:
                _cite(source, rule, "g")
    source.add("return q")
    function: Callable[[Payload], list[Cite]] = source.function(where)
    return function


def _stream(rule: Rule) -> str:
    return rule.stream if rule.stream.startswith("=") or rule.by == "key" else f"{rule.stream}#number"


def _cite(source: Source, rule: Rule, get: str) -> None:
    if not rule.stream or not rule.is_read:
        return
    stream = source.literal(_stream(rule))
    if rule.constant is not None:
        source.add(f"add(({stream}, {source.literal(str(rule.constant))}))")
        return
    path = source.literal(rule.reads[0])
    if rule.kind == "references":
        keys = source.bind(convert.keys_in)
        source.add(f"q += [({stream}, x) for x in {keys}({get}({path}), '', E)]")
        return
    _reference_text(source, rule, f"{get}({path})", path)
    with source.block("if x:"):
        if rule.line_set:
            second = source.literal(rule.reads[1])
            source.add(f"y = key_in({get}({second}), '', E)")
            source.add(f"if y and y != '0': add(({stream}, x, {source.literal(rule.line_set)}, y))")
        else:
            source.add(f"add(({stream}, x))")


def _reference_text(source: Source, rule: Rule, value: str, path: str) -> None:
    """Leave the text of a citation in `x`, empty for none."""
    source.add(f"v = {value}")
    source.add(f"x = str(v) if v.__class__ is int and v else v.strip() if v.__class__ is str else key_in(v, {path}, E)")
    if rule.by == "key":
        source.add("if x == '0': x = ''")


class _ReadCode:
    """Writes the reading function of one mapping."""

    def __init__(self, rules: MappingRules, where: str) -> None:
        self.rules, self.where = rules, where
        self.source = Source("read", "p, refs, values", _KNOWN)
        self.moment = self.source.bind(convert.moment_reader(ZoneInfo(rules.zone)))
        self.prefix = ""
        self.tables: dict[tuple[str, str], str] = {}

    def function(self) -> Reader:
        source = self.source
        source.add("E = []", "g = p.get", "f = {}", "c = {}")
        self._company("co", self.rules.company, self.rules.rules)
        row_sets = [child for child in self.rules.sets if not child.path]
        self._tables("co", [*self.rules.rules, *(rule for child in self.rules.sets if child.path for rule in child.rules)])
        self._fields(self.rules.rules, "g", "f", ("p",), ("f",), "co")
        for child in self.rules.sets:
            if child.path:
                self._list(child)
        for child in row_sets:
            self._row(child)
        self._over_rows()
        source.add("i = []", "w = []")
        for keys, into in ((self.rules.identity, "i"), (self.rules.likeness, "w")):
            for key in keys:
                self._key(key, into)
        source.add(f"if E: raise refuse({source.literal(self.where)}, E)")
        source.add("return Candidate(f, c, f.get('number') or '', i, w)")
        function: Reader = source.function(self.where)
        return function

    def _company(self, variable: str, name: str, rules: Sequence[Rule]) -> None:
        rule = next((rule for rule in rules if rule.name == name and rule.kind == "reference" and rule.is_read), None)
        if rule is None or rule.by != "number":
            self.source.add(f"{variable} = ''")
        elif rule.constant is not None:
            self.source.add(f"{variable} = {self.source.literal(str(rule.constant))}")
        else:
            path = self.source.literal(rule.reads[0])
            self.source.add(f"v = g({path})", f"{variable} = v.strip() if v.__class__ is str else ''")

    def _tables(self, company: str, rules: Sequence[Rule]) -> None:
        for name in dict.fromkeys(rule.map for rule in rules if rule.map and rule.is_read):
            local = self.tables[name, company] = f"t{len(self.tables)}"
            self.source.add(f"{local} = values.table_in({self.source.literal(name)}, {company})")

    def _fields(self, rules: Sequence[Rule], get: str, into: str, seen: tuple[str, ...], made: tuple[str, ...], company: str) -> None:
        """The rules of one level; those whose condition asks for canonical fields come last."""
        source = self.source
        level = [rule for rule in rules if rule.is_read and rule.kind not in ("sum", "common")]
        for rule in sorted(level, key=lambda rule: bool(rule.when)):
            head = self._condition(rule.when_read, ("record", "line"), seen, rule) or self._condition(
                rule.when, ("doc", "line"), made, rule
            )
            if rule.when and rule.when_read:
                head = f"{head[:-1]} and {self._condition(rule.when, ('doc', 'line'), made, rule)[3:]}"
            with source.maybe(head):
                self._field(rule, get, into, company)

    def _condition(self, text: str, names: tuple[str, ...], structures: tuple[str, ...], rule: Rule) -> str:
        if not text:
            return ""
        bound = self.source.bind(Condition(text, names[: len(structures)]))
        return f"if condition_holds({bound}, {self._path(rule)}, E, {', '.join(structures)}):"

    def _path(self, rule: Rule) -> str:
        return self.source.literal(self.prefix + (rule.reads[0] if rule.reads else rule.name))

    def _field(self, rule: Rule, get: str, into: str, company: str) -> None:
        source, name, path = self.source, self.source.literal(rule.name), self._path(rule)
        if rule.kind == "constant":
            source.add(f"{into}[{name}] = {source.literal(rule.constant)}")
        elif rule.kind == "reference":
            self._reference(rule, get, into)
        elif rule.kind == "function":
            self._function(rule, get, into)
        else:
            self._value(rule, get)
            if rule.kind == "text":
                self._text(rule, into)
            elif rule.kind == "enum":
                self._enum(rule, into)
            elif rule.kind == "value":
                self._mapped(rule, into, company)
            elif rule.kind == "references":
                stream = source.literal(_stream(rule))
                source.add(f"if v is not A: {into}[{name}] = reference_list(v, {stream}, refs, {path}, E)")
            else:
                self._simple(rule, into)

    def _value(self, rule: Rule, get: str) -> None:
        source = self.source
        source.add(f"v = {get}({source.literal(rule.reads[0])}, A)")
        for key in rule.reads[1:]:
            with source.block("if v is A or v is None or v == '':"):
                source.add(f"v2 = {get}({source.literal(key)}, A)", "if v2 is not A: v = v2")

    def _text(self, rule: Rule, into: str) -> None:
        name, path = self.source.literal(rule.name), self._path(rule)
        nothing = " or None" if rule.empty == "null" else ""
        self.source.add(
            f"if v.__class__ is str: {into}[{name}] = v.strip(){nothing}", f"elif v is not A: {into}[{name}] = text_in(v, {path}, E)"
        )

    def _enum(self, rule: Rule, into: str) -> None:
        source, slot = self.source, f"{into}[{self.source.literal(rule.name)}]"
        table = source.bind(_reading_table(rule))
        words = source.literal(", ".join(str(vendor) for vendor, _ in rule.table if vendor not in (None, "")))
        slow = f"enum_in(v, {table}, {source.literal(rule.otherwise)}, {words}, {self._path(rule)}, E)"
        with source.block("if v.__class__ is str:"):
            source.add(f"y = {table}.get(v)", f"{slot} = {slow} if y is None else y")
        source.add(f"elif v is not A: {slot} = {slow}")

    def _simple(self, rule: Rule, into: str) -> None:
        """Numbers, days, yes and no: the usual case in line, the rest by a call."""
        source, slot = self.source, f"{into}[{self.source.literal(rule.name)}]"
        reader = self.moment if rule.kind == "moment" else f"{rule.kind}_in"
        slow = f"{slot} = {reader}(v, {self._path(rule)}, E, {rule.empty == 'null'})"
        if rule.kind in ("decimal", "percent"):
            with source.block("if v.__class__ is Decimal:"):
                source.add("y = str(v)")
                if rule.kind == "decimal":
                    # Plain notation without a zero at its end is canonical text already.
                    with source.block("if y[-1] not in '123456789' or 'E' in y or len(y) > SHORT:"):
                        source.add(f"if (y := decimals.get(y)) is None: {slow}", f"else: {slot} = y")
                    source.add(f"else: {slot} = y")
                else:
                    source.add("y = fractions.get(y)", f"if y is None: {slow}", f"else: {slot} = y")
            if rule.kind == "decimal":
                source.add(f"elif v.__class__ is int and -BIG < v < BIG: {slot} = str(v)")
        elif rule.kind == "day":
            with source.block("if v.__class__ is str:"):
                source.add("y = days.get(v)", f"if y is None: {slow}", f"else: {slot} = y")
        elif rule.kind == "boolean":
            source.add(f"if v is True or v is False: {slot} = v")
        elif rule.kind == "integer":
            source.add(f"if v.__class__ is int and -1000000000 < v < 1000000000: {slot} = v")
        else:
            source.add(f"if v is not A: {slow}")
            return
        source.add(f"elif v is not A: {slow}")

    def _mapped(self, rule: Rule, into: str, company: str) -> None:
        source, name, path = self.source, self.source.literal(rule.name), self._path(rule)
        table = self.tables[rule.map, company]
        with source.block("if v.__class__ is str:"):
            source.add("x = v.strip()")
            with source.block("if x:"):
                source.add(f"y = {table}.get(x)")
                source.add(f"if y is None: E.append(('value', Wanted({source.literal(rule.map)}, x, {company}, 'in')))")
                source.add(f"{into}[{name}] = y")
            source.add(f"else: {into}[{name}] = {None if rule.empty == 'null' else source.literal('')}")
        source.add(f"elif v is not A: {into}[{name}] = text_in(v, {path}, E)")

    def _reference(self, rule: Rule, get: str, into: str) -> None:
        source, name = self.source, self.source.literal(rule.name)
        stream = source.literal(_stream(rule))
        if rule.constant is not None:
            source.add(f"k = ({stream}, {source.literal(str(rule.constant))})")
            self._resolve(into, name)
            return
        path = self._path(rule)
        source.add(f"v = {get}({source.literal(rule.reads[0])}, A)")
        with source.block("if v is not A:"):
            _reference_text(source, rule, "v", path)
            if rule.line_set:
                source.add(f"y = key_in({get}({source.literal(rule.reads[1])}), {path}, E)", "if y == '0': y = ''")
                test, cite = "if x and y:", f"k = ({stream}, x, {source.literal(rule.line_set)}, y)"
            else:
                test, cite = "if x:", f"k = ({stream}, x)"
            with source.block(test):
                source.add(cite)
                self._resolve(into, name)
            source.add(f"else: {into}[{name}] = None")

    def _resolve(self, into: str, name: str) -> None:
        self.source.add("y = refs.get(k)", "if y is None: E.append(('parent', k))", f"{into}[{name}] = y")

    def _function(self, rule: Rule, get: str, into: str) -> None:
        source, slot = self.source, f"{into}[{self.source.literal(rule.name)}]"
        function = FUNCTIONS[rule.function]
        call = f"call_read({source.bind(function.read)}, a, {source.bind(rule.extra)}, {self._path(rule)}, E)"
        source.add(f"a = ({', '.join(f'{get}({source.literal(key)}, A)' for key in rule.reads)},)")
        with source.block(f"if a != {source.bind((convert.ABSENT,) * len(rule.reads))}:"):
            if function.few:
                known = source.bind({})
                source.add(f"y = remembered({known}, a)", f"if y is None: y = {call}; remember({known}, a, y)", f"{slot} = y")
            else:
                source.add(f"{slot} = {call}")

    def _list(self, child: SetRule) -> None:
        source, path = self.source, self.source.literal(child.path)
        self.prefix = f"{child.path}."
        source.add(f"rows = g({path}, A)")
        with source.block("if rows is not A:"):
            source.add("s = {}")
            with source.block("if rows.__class__ is list:"), source.block("for r in rows:"):
                with source.block("if r.__class__ is not dict:"):
                    source.add(f"bad(E, {path}, 'expected a line, got ' + shown(r))", "continue")
                source.add("n = len(E)", "l = {}", "h = r.get")
                self._fields(child.rules, "h", "l", ("p", "r"), ("f", "l"), "co")
                source.add(
                    f"v = h({source.literal(child.key)})",
                    "v = str(v) if v.__class__ is int and v else ''",
                    f"if not v or v in s: v = line_key(r, {source.literal(child.key)}, s, {path}, E)",
                    "s[v] = l",
                    f"if len(E) != n: locate(E, n, {path}, v or '#' + str(len(s)))",
                )
            source.add(f"elif rows is not None: bad(E, {path}, 'expected a list of lines, got ' + shown(rows))")
            source.add(f"c[{source.literal(child.name)}] = s")
        self.prefix = ""

    def _row(self, child: SetRule) -> None:
        """A record that is one row of the set."""
        source = self.source
        company = next((name for name in child.natural if any(rule.name == name and rule.kind == "reference" for rule in child.rules)), "")
        self._company("cr", company, child.rules)
        self._tables("cr", child.rules)
        source.add("l = {}")
        self._fields(child.rules, "g", "l", ("p",), ("f", "l"), "cr")
        if child.fixed:
            source.add(f"c[{source.literal(child.name)}] = {{{source.literal(child.fixed)}: l}}")
            return
        source.add(f"v = key_in(g({source.literal(child.key)}), {source.literal(child.key)}, E)")
        source.add(f"c[{source.literal(child.name)}] = {{v: l}} if v else {{}}")

    def _over_rows(self) -> None:
        source = self.source
        for rule in self.rules.rules:
            if rule.kind in ("sum", "common") and rule.is_read:
                name, field = rule.source.split(".", 1)
                source.add(f"rows = c.get({source.literal(name)})")
                with source.block("if rows is not None:"):
                    source.add(f"f[{source.literal(rule.name)}] = {rule.kind}_of(list(rows.values()), {source.literal(field)})")

    def _key(self, key: KeyRule, into: str) -> None:
        source = self.source
        source.add(
            f"v = f.get({source.literal(key.field)})"
            if key.field
            else f"v = key_in(g({source.literal(key.path)}), {source.literal(key.path)}, E)"
        )
        with source.block("if v.__class__ is str and v:"):
            if key.normaliser:
                source.add(f"v = {source.bind(NORMALISERS[key.normaliser])}(v)")
            source.add(f"if v: {into}.append(({source.literal(key.kind)}, v))")


def read_function(rules: MappingRules, where: str) -> Reader:
    """A function that reads a payload."""
    return _ReadCode(rules, where).function()


def _reading_table(rule: Rule) -> dict[object, object]:
    table = dict(rule.table)
    if rule.empty == "null":
        # Such a system cannot tell empty from null: either word of the table holds for both.
        nothing = table.get("", table.get(None))
        table.setdefault(None, nothing)
        table.setdefault("", nothing)
    else:
        table.setdefault(None, None)
    return table
