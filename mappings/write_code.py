"""The way out, compiled: from rules to one function that writes a payload, and one that lists the links it needs.

Compiled once for the whole document, and once for each selection of fields that the engine asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

from mappings import convert
from mappings.cel import Condition
from mappings.errors import WantedValue, refuse
from mappings.functions import FUNCTIONS
from mappings.model import Document, Sets, Writer
from mappings.rules import MappingRules, Rule, SetRule
from mappings.runtime import call_write, condition_holds, own_row, unknown_word, written_list
from mappings.source import Source

Needs = Callable[[Document, Sets], list[tuple[str, str]]]

_CONVERTERS = (
    "text_out decimal_out places_out percent_out integer_out boolean_out day_out midnight_out plain_out numbers percentages written_days"
)
_KNOWN = {
    "A": convert.ABSENT,
    "MIDNIGHT": "T00:00:00",
    "NONE": {},
    "Wanted": WantedValue,
    "call_write": call_write,
    "condition_holds": condition_holds,
    "own_row": own_row,
    "refuse": refuse,
    "unknown_word": unknown_word,
    "written_list": written_list,
    **{name: getattr(convert, name) for name in _CONVERTERS.split()},
}
_PLAIN = ("list", "map")


def write_functions(rules: MappingRules, where: str, only: frozenset[str] | None, *, create: bool) -> tuple[Needs, Writer]:
    """The function that lists needed links and the one that writes, for the whole document or for some canonical fields of it."""
    code = _WriteCode(rules, where, only, create=create)
    return code.needs(), code.writer()


def _company_reference(rules: Sequence[Rule], names: Sequence[str]) -> Rule | None:
    return next((rule for rule in rules if rule.name in names and rule.kind == "reference"), None)


class _WriteCode:
    """Writes the writing functions of one mapping."""

    def __init__(self, rules: MappingRules, where: str, only: frozenset[str] | None, *, create: bool) -> None:
        self.rules, self.where, self.only, self.create = rules, where, only, create
        self.root = [rule for rule in rules.rules if self._wanted(rule, rule.name)]
        self.sets = [
            (child, [rule for rule in child.rules if self._wanted(rule, f"{child.name}.{rule.name}", child.name)]) for child in rules.sets
        ]
        self.sets = [(child, chosen) for child, chosen in self.sets if chosen]
        self.keys = [rule for child in rules.sets for rule in child.rules if rule.name == child.key_of]
        self.source = Source("write", "d, sets, T, values, lines, org", _KNOWN)
        self.prefix = ""
        self.fresh = "True" if create else "False"
        self.tables: dict[tuple[str, str], str] = {}

    def _wanted(self, rule: Rule, *names: str) -> bool:
        if rule.creates_only:
            # In a list it depends on the line; at the top and in the one row of a copy on the record.
            return rule.is_written and (self.create or any(child.path and rule in child.rules for child in self.rules.sets))
        return rule.is_written and (self.only is None or any(name in self.only for name in names))

    # -- links needed --------------------------------------------------------------------------------------------------

    def needs(self) -> Needs:
        source = Source("needs", "d, sets", _KNOWN)
        source.add("q = []", "add = q.append", "g = d.get")
        company = _company_reference(self.rules.rules, [self.rules.company])
        if company is not None and any(rule.map for rule in self._all()):
            self._need(source, company, "g")
        for rule in self.root:
            self._need(source, rule, "g")
        for child, chosen in self.sets:
            own = _company_reference(child.rules, child.natural) if not child.path else None
            references = [rule for rule in chosen if rule.stream and rule not in self.keys]
            references += [rule for rule in child.rules if rule in self.keys]
            if references or own:
                source.add(f"rows = sets.get({source.literal(child.name)})")
                with source.block("if rows:"), source.block("for l in rows.values():"):
                    source.add("h = l.get")
                    for rule in [*([own] if own else []), *references]:
                        self._need(source, rule, "h")
        source.add("return q")
        function: Needs = source.function(self.where)
        return function

    @staticmethod
    def _need(source: Source, rule: Rule, get: str) -> None:
        if not rule.stream or rule.line_set:
            return
        name, stream = source.literal(rule.name), source.literal(rule.stream)
        source.add(f"v = {get}({name})")
        source.add(f"if v: q += [({stream}, x) for x in v]" if rule.kind == "references" else f"if v: add(({stream}, v))")

    def _all(self) -> list[Rule]:
        return [*self.root, *(rule for _, chosen in self.sets for rule in chosen)]

    # -- the payload ---------------------------------------------------------------------------------------------------

    def writer(self) -> Writer:
        source = self.source
        source.add("E = []", "g = d.get")
        constants = self.rules.constants if self.create else ()
        source.add("o = {" + ", ".join(f"{source.literal(key)}: {source.literal(value)}" for key, value in constants) + "}")
        self._company("co", _company_reference(self.rules.rules, [self.rules.company]), "g")
        self._tables("co", [*self.root, *(rule for child, chosen in self.sets if child.path for rule in chosen)])
        self._fields(self.root, "g", "o", ("d",), "co", self.fresh)
        for child, chosen in self.sets:
            self.prefix = f"{child.name}."
            if child.path:
                self._list(child, chosen)
            else:
                self._row(child, chosen)
            self.prefix = ""
        source.add(f"if E: raise refuse({source.literal(self.where)}, E)", "return o")
        function: Writer = source.function(self.where)
        return function

    def _company(self, variable: str, rule: Rule | None, get: str) -> None:
        if rule is None:
            self.source.add(f"{variable} = ''")
        elif rule.constant is not None:
            self.source.add(f"{variable} = {self.source.literal(str(rule.constant))}")
        else:
            stream, name = self.source.literal(rule.stream), self.source.literal(rule.name)
            self.source.add(f"v = T.get(({stream}, {get}({name})))", f"{variable} = v.number if v else ''")

    def _tables(self, company: str, rules: Sequence[Rule]) -> None:
        for name in dict.fromkeys(rule.map for rule in rules if rule.map):
            local = self.tables[name, company] = f"t{len(self.tables)}"
            self.source.add(f"{local} = values.table_out({self.source.literal(name)}, {company})")

    def _fields(self, rules: Sequence[Rule], get: str, out: str, docs: tuple[str, ...], company: str, fresh: str) -> None:
        """The rules of one level. `fresh` is an expression: whether the record or line is being created, as far as the writer can tell."""
        source = self.source
        for rule in rules:
            if rule in self.keys:
                continue
            heads = [self._condition(text, docs, rule) for text in (rule.when, rule.when_write) if text]
            if rule.creates_only and fresh != "True":
                heads.insert(0, fresh)
            with source.maybe(f"if {' and '.join(heads)}:" if heads else ""):
                self._field(rule, get, out, company, fresh)

    def _condition(self, text: str, docs: tuple[str, ...], rule: Rule) -> str:
        bound = self.source.bind(Condition(text, ("doc", "line")[: len(docs)]))
        return f"condition_holds({bound}, {self._path(rule)}, E, {', '.join(docs)})"

    def _path(self, rule: Rule) -> str:
        return self.source.literal(self.prefix + rule.name)

    def _field(self, rule: Rule, get: str, out: str, company: str, fresh: str) -> None:
        source = self.source
        source.add(f"v = {get}({source.literal(rule.name)}, A)")
        if rule.default is not None and fresh != "False":
            test = "v is A or v is None or v == ''"
            source.add(f"if {test if fresh == 'True' else f'{fresh} and ({test})'}: v = {source.literal(rule.default)}")
        if rule.kind == "function":
            self._function(rule, out)
            return
        slot = f"{out}[{source.literal(rule.writes[0])}]"
        if rule.kind == "text":
            self._text(rule, slot)
        elif rule.kind == "enum":
            self._enum(rule, slot)
        elif rule.kind == "value":
            self._mapped(rule, slot, company)
        elif rule.kind in ("reference", "references"):
            self._reference(rule, slot)
        else:
            self._simple(rule, slot)

    def _simple(self, rule: Rule, slot: str) -> None:
        """Numbers, days, yes and no: what was written before is looked up, the rest is a call."""
        source, path = self.source, self._path(rule)
        made = "plain_out" if rule.kind in _PLAIN else f"{rule.kind}_out"
        if rule.kind == "decimal" and rule.places is not None:
            source.add(f"if v is not A: {slot} = places_out(v, {path}, E, {rule.places})")
        elif rule.kind in ("decimal", "percent"):
            known = "numbers" if rule.kind == "decimal" else "percentages"
            source.add(f"y = {known}.get(v) if v.__class__ is str else None", f"if y is not None: {slot} = y")
            source.add(f"elif v is not A: {slot} = {made}(v, {path}, E)")
        elif rule.kind == "day":
            midnight = rule.form == "midnight"
            source.add(
                "y = written_days.get(v) if v.__class__ is str else None",
                f"if y is not None: {slot} = y{' + MIDNIGHT' if midnight else ''}",
            )
            source.add(f"elif v is not A: {slot} = {'midnight_out' if midnight else 'day_out'}(v, {path}, E)")
        elif rule.kind == "moment":
            writer = source.bind(convert.moment_writer(ZoneInfo(self.rules.zone), rule.form == "offset"))
            source.add(f"if v is not A: {slot} = {writer}(v, {path}, E)")
        elif rule.kind == "boolean":
            source.add(f"if v is True or v is False: {slot} = v", f"elif v is not A: {slot} = boolean_out(v, {path}, E)")
        else:
            source.add(f"if v is not A: {slot} = {made}(v, {path}, E)")

    def _text(self, rule: Rule, slot: str) -> None:
        nothing = self.source.literal(rule.nothing)
        if rule.empty == "null":
            self.source.add(f"if v is None or v == '': {slot} = {nothing}", f"elif v.__class__ is str: {slot} = v")
        else:
            self.source.add(f"if v is None or v.__class__ is str: {slot} = v")
        self.source.add(f"elif v is not A: {slot} = text_out(v, {self._path(rule)}, E)")

    def _enum(self, rule: Rule, slot: str) -> None:
        source = self.source
        table: dict[object, object] = {}
        for vendor, canonical in rule.table:
            table.setdefault(repr(canonical) if isinstance(canonical, list) else canonical, vendor)
        if rule.empty == "null":
            nothing = table.get("", table.get(None))
            table.setdefault("", nothing)
            table.setdefault(None, nothing)
        table.setdefault(None, None)
        words = source.literal(", ".join(str(canonical) for _, canonical in rule.table))
        with source.block("if v is not A:"):
            known = source.bind(table)
            with source.block("if v.__class__ is str:"):
                source.add(f"y = {known}.get(v, A)")
            source.add(f"else: y = {known}.get(repr(v) if v.__class__ is list else v, A) if v.__class__ is not dict else A")
            source.add(f"if y is A: unknown_word(v, {self._path(rule)}, {words}, E)", f"else: {slot} = y")

    def _mapped(self, rule: Rule, slot: str, company: str) -> None:
        source = self.source
        with source.block("if v is None or v == '':"):
            source.add(f"{slot} = v" if rule.empty == "keep" else f"{slot} = None")
        with source.block("elif v is not A:"):
            source.add(f"y = {self.tables[rule.map, company]}.get(v) if v.__class__ is str else text_out(v, {self._path(rule)}, E)")
            source.add(f"if y is None: E.append(('value', Wanted({source.literal(rule.map)}, str(v), {company}, 'out')))")
            source.add(f"{slot} = y")

    def _reference(self, rule: Rule, slot: str) -> None:
        source = self.source
        stream, how = source.literal(rule.stream), source.literal(rule.write_as)
        if rule.kind == "references":
            source.add(f"if v is not A: {slot} = written_list(v, {stream}, T, {how}, {self._path(rule)}, E)")
            return
        source.add(f"if v is None or v == '': {slot} = None")
        with source.block("elif v is not A:"):
            source.add(f"k = ({stream}, v)", "t = T.get(k)", f"x = t.{'number' if rule.write_as == 'number' else 'key'} if t else ''")
            source.add(f"if x: {slot} = {'{' + repr('id') + ': x}' if rule.write_as == 'lookup' else 'x'}", "else: E.append(('parent', k))")

    def _function(self, rule: Rule, out: str) -> None:
        source = self.source
        function = source.bind(FUNCTIONS[rule.function].write)
        with source.block("if v is not A:"):
            source.add(f"y = call_write({function}, v, {self._path(rule)}, {len(rule.writes)}, E)")
            for index, key in enumerate(rule.writes):
                if key:
                    source.add(f"{out}[{source.literal(key)}] = y[{index}]")

    def _list(self, child: SetRule, chosen: list[Rule]) -> None:
        source = self.source
        source.add(f"rows = sets.get({source.literal(child.name)})")
        with source.block("if rows is not None:"):
            source.add(f"known = lines.get({source.literal(child.name)}) or NONE", "b = []")
            source.add("rows = rows.items() if len(rows) < 2 else sorted(rows.items(), key=lambda row: row[1].get('seq') or 0)")
            with source.block("for i, l in rows:"):
                key = source.literal(child.key)
                source.add("h = l.get")
                if child.key_of:
                    stream = next(rule.stream for rule in child.rules if rule.name == child.key_of)
                    source.add(f"k = ({source.literal(stream)}, h({source.literal(child.key_of)}))", "t = T.get(k)", "new = True")
                    source.add("if not t: E.append(('parent', k))", f"r = {{{key}: t.key if t else ''}}")
                else:
                    source.add("k2 = known.get(i)", "new = k2 is None")
                    source.add(f"r = {{}} if new else {{{key}: {'int(k2) if k2.isdecimal() else k2' if child.integer_keys else 'k2'}}}")
                for path, value in child.constants:
                    source.add(f"if new: r[{source.literal(path)}] = {source.literal(value)}")
                if child.hub_key:
                    source.add(f"if new: r[{source.literal(child.hub_key)}] = i")
                self._fields(chosen, "h", "r", ("d", "l"), "co", "True" if self.create else "new")
                source.add("b.append(r)")
            source.add(f"o[{source.literal(child.path)}] = b")

    def _row(self, child: SetRule, chosen: list[Rule]) -> None:
        source = self.source
        company = _company_reference(child.rules, child.natural)
        stream = source.literal(company.stream if company else "")
        natural = source.literal(company.name if company else "")
        source.add(f"rows = sets.get({source.literal(child.name)}) or NONE")
        org = source.literal(child.fixed) if child.fixed else "org"
        source.add(f"l = own_row(rows, lines.get({source.literal(child.name)}), T, {stream}, {natural}, {org})")
        with source.block("if l is not None:"):
            source.add("h = l.get")
            self._company("cr", company, "h")
            self._tables("cr", chosen)
            for path, value in child.constants if self.create else ():
                source.add(f"o[{source.literal(path)}] = {source.literal(value)}")
            self._fields(chosen, "h", "o", ("d", "l"), "cr", self.fresh)
