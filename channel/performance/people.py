"""Dealers and tags given by hand, from tables of text. A flaw refuses the whole table, with its line and its fix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from canonical.values import BadValue
from channel.performance.errors import BadFacts, Flaw
from channel.performance.facts import Table
from channel.performance.ranking import Key, Subject
from channel.performance.tags import ManualTag
from channel.rebates.values import day
from channel.tables import Rows, cell, header

DEALER_COLUMNS: Final = ("id", "name", "grade", "region", "product_line")
TAG_COLUMNS: Final = ("dealer", "tag", "reason", "owner", "from", "to")


def subjects(columns: Iterable[str], rows: Rows, file: str = "") -> list[Subject]:
    """Who is scored. A dealer with several product lines has a row for each. Raises: BadFacts."""
    flaws = header(list(columns), ("id",), file, known=DEALER_COLUMNS)
    found: dict[Key, Subject] = {}
    if flaws:
        raise BadFacts(flaws)
    for line, row in rows:
        said = {name: cell(row, name) for name in DEALER_COLUMNS}
        subject = Subject(said.pop("id"), **said)
        if not subject.dealer:
            flaws.append(Flaw("missing", "id", "the id is empty", "give every dealer its code", line, file))
        elif subject.key in found:
            what = f"{' '.join(subject.key).strip()} stands twice"
            flaws.append(Flaw("duplicate_id", "id", what, "keep one, or name another product line", line, file))
        found[subject.key] = subject
    lines = {dealer: {line for one, line in found if one == dealer} for dealer, _ in found}
    flaws += [
        Flaw("contradiction", "product_line", f"{dealer} stands with and without product line", "name it on every row", None, file)
        for dealer, names in lines.items()
        if len(names) > 1 and "" in names
    ]
    if flaws:
        raise BadFacts(flaws)
    return list(found.values())


def of_facts(table: Table) -> list[Subject]:
    """Every dealer of the facts, all in one group: where no file of dealers was given."""
    return [Subject(dealer) for dealer in sorted({fact.dealer for fact in table.facts})]


def manual_tags(columns: Iterable[str], rows: Rows, known: Iterable[str], file: str = "") -> list[ManualTag]:
    """Tags given by hand: each with reason, owner and an end. Raises: BadFacts."""
    flaws = header(list(columns), TAG_COLUMNS, file, known=TAG_COLUMNS)
    if flaws:
        raise BadFacts(flaws)
    dealers, found = frozenset(known), []
    for line, row in rows:
        said = {name: cell(row, name) for name in TAG_COLUMNS}
        try:
            tag = ManualTag(said["dealer"], said["tag"], said["reason"], said["owner"], day(said["from"]), day(said["to"]))
        except BadValue as wrong:
            flaws.append(Flaw("bad_tag", "row", str(wrong), "fill in dealer, tag, reason, owner, from, to", line, file))
            continue
        if tag.dealer not in dealers:
            flaws.append(Flaw("unknown_dealer", "dealer", f"{tag.dealer} is not known", "correct the code", line, file))
        found.append(tag)
    if flaws:
        raise BadFacts(flaws)
    return found
