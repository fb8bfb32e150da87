"""The use cases of performance on the ledger: publish a scorecard, keep a month as it stood, reckon it again, explain, load facts.

Everything is done within the caller's transaction and commits with it. What was kept of a month never changes: reckoned again it is a new
revision with a reason, and the one before stays.
"""

from __future__ import annotations

import json
from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

from channel.errors import ChannelError
from channel.performance import fact_queries, queries
from channel.performance.board import Board, Row, Snapshot, assess
from channel.performance.definitions import DEFINITIONS
from channel.performance.fact_queries import Connection
from channel.performance.gathering import Gathered, gather
from channel.performance.loading import load
from channel.performance.reporting import dealer_view, document
from channel.performance.scorecard import Scorecard
from channel.performance.snapshots import snapshot
from channel.rebates import fact_service
from channel.rebates.periods import add_months
from ledger.bulk import json_text

FOR_MANAGEMENT: Final = tuple(code for code, meaning in DEFINITIONS.items() if meaning.management)
"""Figures that tell cost or margin."""
MOST_MISSED: Final = 24
"""Months that are caught up at most: a scorecard that is in force for longer begins there."""


class VersionTaken(ChannelError):
    """This version was published, and says something else; or a later one was."""

    code: ClassVar[str] = "performance/version-taken"


class NotFoundHere(ChannelError):
    """There is no such scorecard, month or dealer on it."""

    kind: ClassVar[str] = "not_found"
    code: ClassVar[str] = "performance/not-found"


class NotOver(ChannelError):
    """The month is not over, or nothing may be kept of it."""

    code: ClassVar[str] = "performance/not-over"


class NoReason(ChannelError):
    """A month that was kept is reckoned again for a reason only."""

    kind: ClassVar[str] = "invalid"
    code: ClassVar[str] = "performance/no-reason"


# Scorecards ------------------------------------------------------------------------------------------------------------------


def publish(db: Connection, text: str | bytes, *, by: str, reason: str = "", file: str = "") -> Scorecard:
    """Publish a version of a scorecard; the same file again changes nothing. Raises: BadScorecard with every flaw; VersionTaken."""
    card = load(text, file)
    fact_queries.lock(db)
    before = queries.versions(db, card.scorecard)
    if any(row["version"] == card.version and row["hash"] == card.hash for row in before):
        return card
    if before and before[-1]["version"] >= card.version:
        raise VersionTaken(
            f"{card.scorecard} version {card.version} cannot be published: version {before[-1]['version']} is",
            next_step=f"write version: {before[-1]['version'] + 1}; what is published never changes",
        )
    queries.add_version(db, card, by, reason)
    return card


def card_for(db: Connection, scorecard: str, on: date) -> Scorecard | None:
    """The newest version that is in force on a day. Raises: NotFoundHere where the scorecard was never published."""
    found = queries.versions(db, scorecard)
    if not found:
        raise NotFoundHere(f"no scorecard {scorecard} is published", next_step="look with `hub performance scorecards`")
    return next((card for card in map(queries.card_of, reversed(found)) if card.valid.holds(on)), None)


# Months ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kept:
    """A month that was kept."""

    id: int
    scorecard: str
    version: int
    as_of: date
    revision: int
    dealers: int
    ranked: int
    came: tuple[tuple[UUID, str, str], ...]
    """Tags that came with it: dealer, tag, kind."""
    went: tuple[tuple[UUID, str], ...]
    """Tags that were on in the month before and are not any more."""


def month_end(day: date) -> date:
    """The last day of a day's month."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def missed(db: Connection, scorecard: str, until: date) -> list[date]:
    """Month ends up to a day that nothing was kept of: from the month after the last one that was kept, else from when it is in force."""
    last = queries.month(db, scorecard)
    if last is not None:
        start = last["as_of"] + timedelta(days=1)
    else:
        begins = [card.valid.from_ for card in map(queries.card_of, queries.versions(db, scorecard)) if card.valid.from_ is not None]
        if not begins:
            return []
        start = max(min(begins), add_months(until.replace(day=1), 1 - MOST_MISSED))
    ends = []
    while (end := month_end(start)) <= until:
        ends.append(end)
        start = end + timedelta(days=1)
    return ends


def keep(
    db: Connection, scorecard: str, as_of: date, *, today: date, by: str, reason: str = "", known_at: datetime | None = None
) -> Kept | None:
    """Reckon a month and keep it; None where no version is in force on its last day. Raises: NotFoundHere, NotOver, NoReason.

    as_of: the last day of the month; today: the business day it is. known_at: look at what was known then; absent: at what is known now.
    A month that was kept already needs a reason, and becomes its next revision.
    """
    fact_queries.lock(db)
    if as_of != month_end(as_of) or as_of >= today:
        raise NotOver(f"{as_of} is no last day of a month that is over", next_step="name a month that is over, such as 2026-10")
    if queries.month(db, scorecard, as_of) is not None and not reason.strip():
        raise NoReason(f"{as_of:%Y-%m} of {scorecard} was kept already", next_step="say with --reason why it is reckoned again")
    card = card_for(db, scorecard, as_of)
    if card is None:
        return None
    fact_service.refresh(db)
    fact_queries.refresh(db, as_of)
    known = known_at or queries.transaction_moment(db)
    found = gather(db, card, as_of, known)
    before, last_year = queries.month_before(db, scorecard, as_of), queries.month(db, scorecard, month_end(add_months(as_of, -12)))
    board = assess(
        card,
        found.table,
        found.subjects,
        as_of,
        previous=_snapshot(db, card, before, as_of, found),
        last_year=_snapshot(db, card, last_year, as_of, found),
        manual=found.manual,
    )
    values = {
        "scorecard": scorecard, "version": card.version, "hash": card.hash, "as_of": as_of, "known_at": known,
        "facts_hash": found.table.hash, "previous_id": before and before["id"], "last_year_id": last_year and last_year["id"],
        "reason": reason, "by": by,
    }  # fmt: skip
    return _keep(db, board, found, values)


def _keep(db: Connection, board: Board, found: Gathered, values: Mapping[str, Any]) -> Kept:
    told = document(board)
    results = told.pop("results")
    head = {**told, "facts": len(found.table.facts), "left_out": dict(found.left_out)}
    number = queries.add_month(db, {**values, "doc": json_text(head)})
    own = {dealer: {row["product_line"]: row for row in dealer_view(board, dealer)["results"]} for dealer in found.ids}
    lines, tags = [], []
    for row, said in zip(board.rows, results, strict=True):
        subject, dealer = row.subject, found.ids[row.subject.dealer]
        mine = json_text(own[subject.dealer][subject.product_line])
        score = said["score"]
        lines.append((number, dealer, subject.product_line, subject.dealer, row.place, row.of, score, json_text(said), mine))
        tags += [(number, dealer, subject.product_line, *one) for one in _on(board.card, row, said)]
    queries.add_results(db, lines, tags)
    came = tuple((dealer, tag, kind) for _, dealer, _, tag, kind, _, new, _ in tags if new)
    went = tuple(
        (found.ids[row.subject.dealer], tag.tag)
        for row in board.rows if row.previous is not None
        for tag in row.tags if not tag.on and tag.tag in row.previous.tags and row.previous.tags[tag.tag].on
    )  # fmt: skip
    month = queries.month(db, values["scorecard"], values["as_of"])
    revision = int(month["revision"]) if month is not None else 1
    ranked = sum(1 for row in board.rows if row.place is not None)
    return Kept(number, board.card.scorecard, board.card.version, board.window.as_of, revision, len(lines), ranked, came, went)


def _on(card: Scorecard, row: Row, said: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    """The tags of a row that are on."""
    rules = {rule.tag: rule for rule in card.tags}
    for tag, doc in zip(row.tags, said["tags"], strict=True):
        if tag.on:
            rule = rules[tag.tag]
            before = row.previous.tags.get(tag.tag) if row.previous is not None else None
            new = before is None or not before.on
            name = {"zh": rule.name.zh, "en": rule.name.en}
            yield tag.tag, rule.kind, tag.since, new, json_text({**doc, "name": name, "kind": rule.kind})


def _snapshot(db: Connection, card: Scorecard, month: Mapping[str, Any] | None, as_of: date, found: Gathered) -> Snapshot | None:
    """A month that was kept, as the rules read it; each dealer by the code that it has now."""
    if month is None:
        return None
    codes = {dealer: code for code, dealer in found.ids.items()}
    results = [{**row["doc"], "dealer": codes.get(row["dealer_id"], row["dealer"])} for row in queries.results(db, month["id"])]
    told = {"scorecard": card.scorecard, "version": month["version"], "as_of": month["as_of"].isoformat(), "results": results}
    return snapshot(json.dumps(told).encode(), card, as_of)


# Looking ---------------------------------------------------------------------------------------------------------------------


def shown(
    db: Connection,
    scorecard: str,
    as_of: date | None = None,
    *,
    revision: int | None = None,
    dealer_id: UUID | None = None,
    own: bool = False,
) -> dict[str, Any]:
    """A month as it stood, whole or of one dealer, as `hub performance score` writes it. `own`: as the dealer may read it, and no more.

    Raises: NotFoundHere.
    """
    month = queries.month(db, scorecard, as_of, revision)
    if month is None:
        named = f"{as_of:%Y-%m} of {scorecard}" if as_of else scorecard
        raise NotFoundHere(f"nothing was kept of {named}", next_step="look with `hub performance scorecards`")
    found = queries.results(db, month["id"], dealer_id)
    if dealer_id is not None and not found:
        raise NotFoundHere(f"the dealer is not on {scorecard} of {month['as_of']:%Y-%m}", next_step="look with `hub performance rank`")
    if own:
        head = {name: month["doc"][name] for name in _HEAD_OF_DEALERS}
        return {**head, "revision": month["revision"], "results": [row["own"] for row in found]}
    head = {name: month[name] for name in ("revision", "reason", "by")}
    return {
        **month["doc"],
        **head,
        "known_at": month["known_at"].isoformat(),
        "made_at": month["made_at"].isoformat(),
        "results": [{**row["doc"], "dealer_id": str(row["dealer_id"])} for row in found],
    }


def trend(db: Connection, scorecard: str, dealer_id: UUID) -> list[dict[str, Any]]:
    """A dealer's months as they stand, oldest first: score, place and every figure. Raises: NotFoundHere."""
    found = []
    for row in queries.trend(db, scorecard, dealer_id):
        scored = [one["kpi"] for one in row["doc"]["kpis"]]
        told = {name: row["doc"][name] for name in ("dealer", "name", "product_line", "place", "of", "score")}
        figures = [
            {name: one[name] for name in ("kpi", "name", "unit", "value", "numerator", "denominator")} | {"scored": one["kpi"] in scored}
            for one in (*row["doc"]["kpis"], *row["doc"]["figures"])
        ]
        found.append({"month": f"{row['as_of']:%Y-%m}", "revision": row["revision"], **told, "figures": figures})
    if not found:
        raise NotFoundHere(f"the dealer is not on {scorecard}", next_step="look with `hub performance rank`")
    return found


_HEAD_OF_DEALERS: Final = ("scorecard", "version", "hash", "name", "currency", "period", "as_of")
"""What a dealer reads of a month besides its own rows."""


def known_at(db: Connection, told: Mapping[str, Any]) -> datetime:
    """Up to which moment the facts of a month were looked at."""
    month = queries.month(db, told["scorecard"], date.fromisoformat(told["as_of"]), told["revision"])
    if month is None:
        raise NotFoundHere(f"nothing was kept of {told['as_of']} of {told['scorecard']}")
    moment: datetime = month["known_at"]
    return moment


def evidence(db: Connection, told: Mapping[str, Any], known: datetime) -> dict[str, dict[str, Any]]:
    """What the facts behind a month's results say, by their ids: documents, days and amounts, as they were known then."""
    ids = {
        fact
        for row in told["results"]
        for figure in (*row["kpis"], *row["figures"], *(proof for tag in row.get("tags", ()) for proof in tag["evidence"]))
        for fact in figure["facts"]
    }
    return {
        row["id"]: {"kind": row["kind"], "date": row["date"].isoformat(), **row["doc"]}
        for row in fact_queries.named(db, sorted(ids), known)
    }


def rests_on_margin(tag: Mapping[str, Any]) -> bool:
    """True for a tag, as a month keeps it, with a condition on a figure that tells cost or margin."""
    return any(is_for_management(name.partition(":")[0]) for name in tag["streaks"])


def is_for_management(kpi: str) -> bool:
    """True for a figure that tells cost or margin."""
    return DEFINITIONS[kpi].management
