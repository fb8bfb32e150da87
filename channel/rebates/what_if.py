"""What a draft would cost on the hub's own facts, beside what is published. Nothing is stored; no statement comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from channel.rebates import fact_queries, periods, queries
from channel.rebates.calculating import calculate
from channel.rebates.checking import check_together
from channel.rebates.errors import BadProgramme, Flaw
from channel.rebates.facts import COLUMNS, Table
from channel.rebates.loading import load, place
from channel.rebates.programme import Programme
from channel.rebates.queries import Connection
from channel.rebates.simulating import compare
from channel.rebates.values import FIRST_DAY, LAST_DAY


def what_if(
    db: Connection, text: str | bytes, *, as_of: date, dealers: Sequence[str] | None = None, programme: str = "", file: str = ""
) -> dict[str, Any]:
    """The draft against the newest version of its programme, with every other published programme as it is, by dealer.

    as_of: the last business day whose events count. dealers: only these, by number. programme: the code that the draft must have.
    Raises: BadProgramme for an unclear draft, one of claims, or one of another code; BadFacts.
    """
    loaded = load(text, file)
    draft = loaded.programme
    if not isinstance(draft, Programme):
        raise BadProgramme([Flaw("not_a_rebate", "type", "a draft of claims has nothing to be compared with", "try a rebate", 1, file)])
    if programme and draft.programme != programme:
        raise BadProgramme(
            [Flaw("other_code", "programme", f"the draft is of {draft.programme}", f"write programme: {programme}", 1, file)]
        )
    current = queries.newest(db)
    others = [one for one in current if one.programme != draft.programme]
    flaws = [finding for at, finding in check_together([*others, draft]) if at == len(others)]
    if flaws:
        raise BadProgramme(place(flaws, loaded.source))
    start = min((_first(one) for one in [*current, draft]), default=as_of)
    end = min(as_of, LAST_DAY) + timedelta(days=1)  # no fact is later, and the calendar has a last day
    table = Table(tuple(fact_queries.facts(db, start, end, dealers=dealers)), COLUMNS)
    return compare(calculate(current, table, as_of=as_of), calculate([*others, draft], table, as_of=as_of))


def _first(programme: Programme) -> date:
    """The first day whose facts a programme may look at: a year before it begins, for growth."""
    begins = programme.valid.from_ or FIRST_DAY
    return periods.year_before(begins) if programme.growth is not None else begins
