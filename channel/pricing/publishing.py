"""The publish check: what would be ambiguous or dead when it is asked is refused before.

Overlapping prices under one key, ties between rules, gaps and overlaps of scales, names that nobody has, rings of formulas.
"""

from __future__ import annotations

from collections.abc import Iterator

from channel.pricing.asking import PricingFile
from channel.pricing.compiled import in_order
from channel.pricing.errors import BadPricing, Mistake
from channel.pricing.found import Found, Path
from channel.pricing.loading import place
from channel.pricing.model import DEFAULT_ACCESS, KEY_FIELDS, AccessStep, PriceRecord
from channel.pricing.naming import names, twice
from channel.pricing.overlapping import overlaps, scales, validities
from channel.pricing.parts import Scale
from channel.pricing.source import Table
from channel.pricing.ties import bands, ties


def check(rules: PricingFile, tree: Table, file: str) -> None:
    """Refuse rules that cannot be published. Raises: BadPricing with every mistake, its line and its fix."""
    found = findings(rules)
    if found:
        raise BadPricing([Mistake(place(tree, file, path), what, fix) for path, what, fix in found])


def findings(rules: PricingFile) -> list[tuple[Path, str, str]]:
    """Everything that keeps rules from being published: where, what, and the fix."""
    return [one for look in (names, validities, overlaps, scales, ties, bands, _access, _unseen, _rings, _ask) for one in look(rules)]


def _access(rules: PricingFile) -> Found:
    for at, plan in enumerate(rules.access):
        for row, step in enumerate(plan.order):
            for what, fix in _keys(step):
                yield ("access", at, "order", row), what, fix
        for path, what, fix in twice(plan.order, "order", lambda step: step.kind):
            yield ("access", at, *path), what, fix
    seen: set[str] = set()
    for at, plan in enumerate(rules.access):
        for company in plan.companies or ("",):
            if company in seen:
                yield ("access", at), f"two search orders for {company or 'all other companies'}", "keep one"
            seen.add(company)


def _keys(step: AccessStep) -> list[tuple[str, str]]:
    if not step.keys:
        return [(f"{step.kind} is looked for under no key", "write keys, such as [[dealer, item], [item]]")]
    strange = [name for key in step.keys for name in key if name not in KEY_FIELDS]
    return [(f"there is no key {name!r}", f"use {', '.join(KEY_FIELDS)}") for name in strange]


def _unseen(rules: PricingFile) -> Found:
    """Prices under a key that no search looks for."""
    looked = {(step.kind, in_order(key)) for plan in (rules.access or (DEFAULT_ACCESS,)) for step in plan.order for key in step.keys}
    for at, book in enumerate(rules.books):
        if (book.dealers or book.grades or book.channels) and any(book.kind == kind for kind, _ in looked):
            continue  # a list for some is looked through under whatever keys it has
        for row, record in enumerate(book.prices):
            fields = fields_of(record)
            if fields and (book.kind, fields) not in looked:
                keys = sorted({f"[{', '.join(key)}]" for kind, key in looked if kind == book.kind})
                fix = f"keep it under {' or '.join(keys)}" if keys else f"add kind {book.kind} to access"
                yield ("books", at, "prices", row), f"a {book.kind} price under [{', '.join(fields)}] is never looked for", fix


def fields_of(record: PriceRecord) -> tuple[str, ...]:
    """The names of the keys that a price is kept under."""
    return tuple(name for name in KEY_FIELDS if getattr(record, name))


def _rings(rules: PricingFile) -> Found:
    kinds = {book.id: book.kind for book in rules.books}
    known = {step.kind for plan in (rules.access or (DEFAULT_ACCESS,)) for step in plan.order}
    uses: dict[str, set[str]] = {}
    for at, book in enumerate(rules.books):
        for row, record in enumerate(book.prices):
            if record.formula is None:
                continue
            base = record.formula.base
            path: Path = ("books", at, "prices", row, "formula", "base")
            if base.startswith("book:") and base.removeprefix("book:") not in kinds:
                yield path, f"there is no book {base.removeprefix('book:')!r}", f"use one of {', '.join(sorted(kinds))}"
            elif not base.startswith("book:") and base not in known | {"cost"}:
                yield path, f"there is no price kind {base!r}", f"use cost, book:ID or one of {', '.join(sorted(known))}"
            target = f"book:{base.removeprefix('book:')}" if base.startswith("book:") else base
            uses.setdefault(f"book:{book.id}", set()).add(target)
            uses.setdefault(book.kind, set()).add(target)
            if _reaches(uses, target, {f"book:{book.id}", *({book.kind} if not base.startswith("book:") else set())}):
                yield path, "the formula comes back to itself", "take another base"


def _reaches(uses: dict[str, set[str]], start: str, goal: set[str]) -> bool:
    seen, todo = set(), [start]
    while todo:
        one = todo.pop()
        if one in goal:
            return True
        if one not in seen:
            seen.add(one)
            todo += uses.get(one, ())
    return False


def _scales(rules: PricingFile) -> Iterator[Scale]:
    yield from (record.scale for book in rules.books for record in book.prices if record.scale is not None)
    yield from (rule.scale for rule in rules.adjustments if rule.scale is not None)


def _ask(rules: PricingFile) -> Found:
    ask = rules.ask
    if ask is None:
        return
    items = {one.id for one in rules.items}
    if ask.dealer and ask.dealer not in {one.id for one in rules.dealers}:
        yield ("ask", "dealer"), f"there is no dealer {ask.dealer!r}", "name one under dealers"
    if ask.project and ask.project not in {one.id for one in rules.registrations}:
        yield ("ask", "project"), f"there is no project {ask.project!r}", "name one under registrations"
    for at, line in enumerate(ask.lines):
        if line.item not in items:
            yield ("ask", "lines", at, "item"), f"there is no item {line.item!r}", "name one under items"
    counted = {scale.accumulated for scale in _scales(rules)}
    for name in ask.accumulated:
        if name not in counted:
            told = ", ".join(sorted(counted - {""})) or "none"
            yield ("ask", "accumulated", name), f"no scale counts {name!r}", f"scales count {told}; write accumulated: {name} in a scale"
    for path, what, fix in twice([one for one in ask.lines if one.id], "lines"):
        yield ("ask", *path), what, fix
    currency = ask.currency or rules.settings.currency
    known = {
        rules.settings.currency,
        *(book.currency for book in rules.books if book.currency),
        *(rate.to for rate in rules.fx),
        *(rate.from_ for rate in rules.fx),
    }
    if currency not in known:
        yield (
            ("ask", "currency"),
            f"no price and no rate is in {currency}",
            f"use one of {', '.join(sorted(known))}, or add a rate under fx",
        )
