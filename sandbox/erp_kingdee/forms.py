"""The forms of the ERP: which fields they have, where a field stands, and what it refers to.

A form is written as a few lines of text (`catalogue_*.py`) and compiled once. The same metadata answers QueryBusinessInfo, reads Save
models, resolves query keys and lays out the stored documents, so none of them can drift from the others.

A stored document is a head (list of values by position) and, per entry entity, a list of such lists. Sub-heads
(`FSaleOrderFinance`) lie in the head; only models and views show them apart, queries do not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

ZERO = Decimal("0.0")
"""How an empty number is kept: shows as 0.0, not 0E-10."""
_PLACES = Decimal(1).scaleb(-10)
_WIDE = Context(prec=60)
LARGEST = Decimal(10) ** 13
"""The database keeps decimal(23,10): saves refuse more. A loaded world may hold what an old release let in."""
_shown: dict[Any, Decimal] = {}

EMPTY_REFERENCE = 0
KINDS = {"t": "text", "d": "date", "dt": "datetime", "n": "number", "i": "integer", "b": "boolean", "e": "enumeration", "r": "reference"}


class BadValue(ValueError):
    """A value that does not fit its field. The text is what the ERP answers."""


def number_value(value: Any) -> Decimal:
    """A number as the ERP keeps it: ten places. Raises BadValue."""
    if value.__class__ not in (str, int, Decimal):
        value = "" if value is None else str(value)
    known = _shown.get(value)
    if known is not None:
        return known
    try:
        exact = value if value.__class__ is Decimal else Decimal(str(value).strip() or "0")
        kept = exact.quantize(_PLACES, ROUND_HALF_UP, _WIDE) if exact else ZERO
    except ArithmeticError as error:
        raise BadValue(f"“{str(value)[:40]}”不是有效的数值") from error
    if not kept.is_finite():
        raise BadValue(f"“{str(value)[:40]}”不是有效的数值")
    if len(_shown) < 200_000:
        _shown[value] = kept
    return kept


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form."""

    key: str
    kind: str
    """One of the codes of `KINDS`."""
    title: str
    entity: int
    """0 is the head; n is the n-th entry entity."""
    at: int
    """Position in the list of its entity."""
    sub: str = ""
    """Key of the sub-head it stands in; empty for the head itself."""
    form: str = ""
    """Form that a reference points at."""
    scope: str = ""
    """Head field whose organisation a reference is looked up in; empty takes the form's own."""
    must: bool = False
    read_only: bool = False
    default: str = ""
    orm: str = ""

    def empty(self) -> Any:
        """The value of a field nobody filled."""
        if self.kind == "n":
            return number_value(self.default) if self.default else ZERO
        if self.kind == "i":
            return int(self.default or 0)
        if self.kind == "b":
            return self.default == "true"
        if self.kind == "r":
            return EMPTY_REFERENCE
        return None if self.kind in ("d", "dt") else self.default


@dataclass(slots=True)
class Entity:
    """The head, or one list of lines."""

    key: str
    orm: str
    title: str
    pk: str
    """Key of the line's id in models; empty for the head."""
    fields: list[Field] = field(default_factory=list)
    blank: list[Any] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.fields)


@dataclass(slots=True, eq=False)
class Form:
    """One form with its compiled look-ups."""

    id: str
    title: str
    pk: str
    number: str = ""
    """Key of the business number; empty where there is none."""
    table: str = ""
    """Database table of the entry entity, as links name it."""
    prefix: str = ""
    """Start of automatic numbers."""
    org: str = ""
    """Head field that holds the organisation of a document."""
    copies: bool = False
    """Base data with a copy per use organisation."""
    base: bool = False
    guid: bool = False
    """Ids are GUID texts."""
    writable: bool = True
    entities: list[Entity] = field(default_factory=list)
    subs: dict[str, str] = field(default_factory=dict)
    """Sub-heads: key -> ORM name."""
    columns: dict[str, bool] = field(default_factory=dict)
    """Head fields kept as columns of the table -> whether indexed."""
    by_key: dict[str, Field] = field(default_factory=dict)
    """Lower-case key -> field, over all entities."""
    by_query: dict[str, Field] = field(default_factory=dict)
    """Lower-case key as queries name it -> field: entry ids and row numbers carry the entity's key."""
    subs_lower: dict[str, str] = field(default_factory=dict)
    entities_lower: dict[str, int] = field(default_factory=dict)

    def at(self, key: str) -> int:
        """Position of a field in its entity. Raises KeyError."""
        return self.by_key[key.lower()].at

    def has(self, key: str) -> bool:
        """Whether the form has the field."""
        return key.lower() in self.by_key

    def blank_head(self) -> list[Any]:
        """A head nobody filled."""
        return self.entities[0].blank.copy()

    def blank_line(self, entity: int) -> list[Any]:
        """A line nobody filled."""
        return self.entities[entity].blank.copy()


FORMS: dict[str, Form] = {}
ALIASES: dict[str, str] = {}
"""Lower-case form id -> form id, other names of a form included."""


def form_of(name: str) -> Form | None:
    """The form of that id, in any case; None when there is none."""
    known = ALIASES.get(name.strip().lower())
    return FORMS[known] if known else None


def define(form: Form, text: str, *aliases: str) -> Form:
    """Compile a form from its lines.

    `[KEY orm]` starts a sub-head, `[]` ends it; `{KEY pk orm} title` starts an entry entity. Any other line is a field:
    `KEY kind flags title`, flags of `*` required, `#` indexed column, `@` column, `!` read-only, `=x` default, `^KEY` scope; a
    reference's kind is `r:FORM`.
    """
    form.entities.append(Entity("FBillHead", "", form.title, ""))
    sub = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("["):
            key, _, orm = line.strip("[]").partition(" ")
            sub = key
            if key:
                form.subs[key] = orm or key.removeprefix("F")
        elif line.startswith("{"):
            sub = ""
            inside, _, title = line[1:].partition("}")
            key, pk, orm = inside.split()
            form.entities.append(Entity(key, orm, title.strip(), pk))
            _add(form, pk, "i", "!", "分录内码", "")
            _add(form, "FSEQ", "i", "!", "行号", "")
        else:
            key, kind, *rest = line.split()
            flags = rest[0] if len(rest) > 1 else ""
            _add(form, key, kind, flags, rest[-1] if rest else key, sub)
    _compile(form)
    FORMS[form.id] = form
    for name in (form.id, *aliases):
        ALIASES[name.lower()] = form.id
    return form


def _add(form: Form, key: str, kind: str, flags: str, title: str, sub: str) -> None:
    entity = len(form.entities) - 1
    into = form.entities[entity]
    kind, _, target = kind.partition(":")
    scope = flags.partition("^")[2].partition("=")[0]
    default = flags.partition("=")[2].partition("^")[0]
    marks = flags.partition("=")[0].partition("^")[0]
    orm = {"FEntryTaxRate": "TaxRate"}.get(key, key.removeprefix("F"))
    into.fields.append(
        Field(
            key, kind, title, entity, len(into.fields), sub, target, scope, "*" in marks, "!" in marks, default, orm
        )  # one line per field
    )
    if entity == 0 and ("#" in marks or "@" in marks):
        form.columns[key] = "#" in marks


def _compile(form: Form) -> None:
    for number, entity in enumerate(form.entities):
        entity.blank = [f.empty() for f in entity.fields]
        if number:
            form.entities_lower[entity.key.lower()] = number
        for f in entity.fields:
            if number and f.at < 2:
                form.by_query[f"{entity.key}_{f.key}".lower()] = f
                if number == 1:
                    form.by_key.setdefault(f.key.lower(), f)
                continue
            form.by_key[f.key.lower()] = f
            form.by_query[f.key.lower()] = f
    form.subs_lower = {key.lower(): key for key in form.subs}
