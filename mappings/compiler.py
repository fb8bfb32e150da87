"""From mapping files to compiled mappings: the only door that the rest of the hub uses."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Mapping as Map
from pathlib import Path

from canonical.models import entity
from mappings.cel import BadCondition, Condition
from mappings.errors import BadFile
from mappings.holding import Holding
from mappings.lacking import without
from mappings.model import Mapping, SetInfo, Writer
from mappings.parser import rules_of
from mappings.read_code import cites_function, read_function
from mappings.rules import MappingRules, Rule, SetRule
from mappings.write_code import Needs, write_functions

OURS = Path(__file__).parent
"""Where the files that come with the hub stand: `<system kind>/<stream>.yaml`."""

_SELECTIONS = 256


def files_of(directories: Path | Sequence[Path], system_kind: str, stream: str) -> list[Path]:
    """The files that make one mapping, ours first and each customer's after it."""
    places = [directories] if isinstance(directories, Path) else directories
    return [path for place in places if (path := place / system_kind / f"{stream}.yaml").is_file()]


def load(
    directories: Path | Sequence[Path],
    system_kind: str,
    stream: str,
    *,
    parameters: Map[str, str] | None = None,
    absent: Collection[str] = (),
) -> Mapping:
    """The mapping of one stream; a file of a later directory lies over those of the earlier ones.

    `parameters` replace those of the same name in the file (`default_company`, say). `absent`: fields of the vendor that this
    installation has not (:mod:`mappings.lacking`).
    Raises: BadFile with file, line, field and what to do; FileNotFoundError when no directory has the file.
    """
    files = files_of(directories, system_kind, stream)
    if not files:
        raise FileNotFoundError(f"no mapping {system_kind}/{stream}.yaml in {directories}")
    return compile_rules(without(rules_of(files, system_kind, parameters), absent))


def cited(directories: Path | Sequence[Path], system_kind: str, stream: str) -> frozenset[str]:
    """Streams that a mapping cites, without compiling it. Raises: BadFile, FileNotFoundError as `load`."""
    files = files_of(directories, system_kind, stream)
    if not files:
        raise FileNotFoundError(f"no mapping {system_kind}/{stream}.yaml in {directories}")
    return _cited(rules_of(files, system_kind, None))


def load_all(directories: Path | Sequence[Path], system_kind: str, *, parameters: Map[str, str] | None = None) -> dict[str, Mapping]:
    """Every mapping of a kind of system, by stream."""
    places = [directories] if isinstance(directories, Path) else directories
    streams = sorted({path.stem for place in places for path in (place / system_kind).glob("*.yaml")})
    return {stream: load(places, system_kind, stream, parameters=parameters) for stream in streams}


def compile_rules(rules: MappingRules) -> Mapping:
    """The mapping that these rules say. Raises: BadFile for a condition that is none."""
    where = f"{rules.system_kind}/{rules.stream}"
    for rule in every_rule(rules):
        _check_conditions(rule, rules)
    made: dict[tuple[frozenset[str] | None, bool], tuple[Needs, Writer]] = {(None, True): write_functions(rules, where, None, create=True)}

    def writer_for(only: frozenset[str] | None, create: bool) -> tuple[Needs, Writer]:  # noqa: FBT001  # called on every record
        known = made.get((only, create))
        if known is None:
            if len(made) >= _SELECTIONS:
                made.clear()
            known = made[only, create] = write_functions(rules, where, only, create=create)
        return known

    return Mapping(
        name=where,
        system_kind=rules.system_kind,
        stream=rules.stream,
        entity=rules.entity,
        version=rules.version(),
        reads=frozenset(name for name, rule in _named(rules) if rule.is_read),
        writes=_writes(rules),
        sets={child.name: SetInfo(child.path, child.key, child.natural, _holding(rules.entity, child)) for child in rules.sets},
        value_maps=frozenset(rule.map for rule in every_rule(rules) if rule.map),
        cited=_cited(rules),
        needed=_needed(rules),
        _cites=cites_function(rules, where),
        _reader=read_function(rules, where),
        _writer_for=writer_for,
    )


def _holding(name: str, child: SetRule) -> Holding | None:
    if child.holds is None:
        return None
    specs = entity(name).sets[child.name]
    asks = [(field, *fact.split(".")) for field, fact in child.holds.same]
    condition = Condition(child.holds.when, ("line",)) if child.holds.when else None
    return Holding(child.holds, condition, tuple((field, to, specs[to].refers_to, wanted) for field, to, wanted in asks))


def _cited(rules: MappingRules) -> frozenset[str]:
    return frozenset(rule.stream for rule in every_rule(rules) if rule.stream and rule.is_read)


def every_rule(rules: MappingRules) -> list[Rule]:
    """All rules of a mapping, those of its sets included."""
    return [rule for _, rule in _named(rules)]


def _named(rules: MappingRules) -> list[tuple[str, Rule]]:
    named = [(rule.name, rule) for rule in rules.rules]
    return named + [(f"{child.name}.{rule.name}", rule) for child in rules.sets for rule in child.rules]


def _needed(rules: MappingRules) -> frozenset[str]:
    # The row that a copy carries is found by its company, so its link is needed even where it is not written.
    own = [rule for child in rules.sets if not child.path for rule in child.rules if rule.name in child.natural]
    return frozenset(rule.stream for rule in [*every_rule(rules), *own] if rule.stream and (rule.is_written or rule in own))


def _writes(rules: MappingRules) -> dict[str, str]:
    found = {key: rule.name for rule in rules.rules for key in rule.writes if key}
    found.update({key: "" for key, _ in rules.constants})
    for child in rules.sets:
        prefix = f"{child.path}." if child.path else ""
        found.update({f"{prefix}{key}": f"{child.name}.{rule.name}" for rule in child.rules for key in rule.writes if key})
        found.update({f"{prefix}{key}": "" for key, _ in child.constants})
    return found


def _check_conditions(rule: Rule, rules: MappingRules) -> None:
    root = {one.name for one in rules.rules}
    line = {one.name for child in rules.sets for one in child.rules}
    for text, names in ((rule.when, ("doc", "line")), (rule.when_write, ("doc", "line")), (rule.when_read, ("record", "line"))):
        if not text:
            continue
        try:
            asked = Condition(text, names).asked
        except BadCondition as wrong:
            raise BadFile(rule.place.file, rule.place.line, rule.name, str(wrong), "See docs/mapping.md, Conditions") from wrong
        for structure, field in asked:
            if "doc" in names and field not in (root if structure == "doc" else line):
                why = f"the condition asks for {structure}.{field}, which this file does not map"
                raise BadFile(rule.place.file, rule.place.line, rule.name, why, "Map that field too, or ask for another")
