"""The board as a document of JSON words: whole for management, and for a dealer only what is its own.

A dealer sees its own figures, its own place and its group's quartiles. Cost and margin, other dealers, and tags are absent, not empty;
where the score is made of a figure for management only, the score and the quartiles are absent too, as they would tell it.
"""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import Any

from channel.performance.board import Board, Row, Standing
from channel.performance.definitions import DEFINITIONS
from channel.performance.kpis import Kpi, Overdue
from channel.performance.measuring import window
from channel.performance.ranking import Group
from channel.performance.scoring import KpiScore
from channel.performance.tags import ManualTag, Tag
from channel.performance.wording import number, scored, unranked

Document = dict[str, Any]


def document(board: Board) -> Document:
    """The whole board. Only for management: it holds margins and every dealer."""
    return {
        **_head(board),
        "facts_hash": board.facts_hash,
        "management": board.card.management,
        "results": [_row(board, row) for row in board.rows],
        "groups": [
            {
                "group": _group(board, group),
                "ranked": sum(1 for row in board.rows if row.group == group and row.place),
                "quartiles": _quartiles(values),
            }
            for group, values in sorted(board.quartiles.items())
        ],
        "uncounted": [{"dealer": dealer, "product_line": line, "facts": count} for (dealer, line), count in board.uncounted.items()],
    }


def dealer_view(board: Board, dealer: str) -> Document:
    """What one dealer may see; no results where it is not on the board."""
    return {**_head(board), "results": [_own(board, row) for row in board.rows if row.subject.dealer == dealer]}


def _head(board: Board) -> Document:
    card, span = board.card, board.window
    next_day = window(card.period, span.as_of + timedelta(days=1), card.fiscal_start).start
    return {
        "scorecard": card.scorecard,
        "version": card.version,
        "hash": card.hash,
        "name": {"zh": card.name.zh, "en": card.name.en},
        "currency": card.currency,
        "period": {"name": span.name, "from": span.start.isoformat()},
        "as_of": span.as_of.isoformat(),
        "live": next_day != span.end,
    }


def _row(board: Board, row: Row) -> Document:
    score = row.score
    used = {one.kpi.code: one for one in score.kpis}
    return {
        **_standing(board, row),
        "score": number(score.total),
        "parts": {code: number(part) for code, part in score.parts().items()},
        "driver": {"kpi": row.driver.code, "change": number(row.driver.change)} if row.driver is not None else None,
        "kpis": [_scored(one) for one in score.kpis],
        "deductions": [
            {"kpi": one.kpi.code, "name": {"zh": one.rule.name.zh, "en": one.rule.name.en}, "points": number(one.points)}
            for one in score.deductions
        ],
        "figures": [_figure(kpi) for code, kpi in sorted(row.measured.kpis.items()) if code not in used],
        "overdue": _overdue(row.measured.overdue),
        "tags": [of_tag(tag) for tag in row.tags],
        "manual_tags": [_manual(one) for one in row.manual],
    }


def _own(board: Board, row: Row) -> Document:
    """A dealer's own row, made from what it may see rather than by striking out what it may not."""
    hidden, score = board.card.management, row.score
    quartiles = board.quartiles.get(row.group)
    told = _standing(board, row)
    if not hidden:
        told["score"] = number(score.total)
        told["quartiles"] = _quartiles(quartiles)
    if row.driver is not None and not hidden:
        told["driver"] = {"kpi": row.driver.code, "change": number(row.driver.change)}
    open_to_all = [one for one in score.kpis if not DEFINITIONS[one.kpi.code].management]
    used = {one.kpi.code for one in score.kpis}
    told["kpis"] = [_figure(one.kpi) if hidden else _scored(one) for one in open_to_all]
    told["figures"] = [
        _figure(kpi) for code, kpi in sorted(row.measured.kpis.items()) if code not in used and not DEFINITIONS[code].management
    ]
    told["overdue"] = _overdue(row.measured.overdue)
    return told


def _standing(board: Board, row: Row) -> Document:
    told: Document = {
        "dealer": row.subject.dealer,
        "name": row.subject.name,
        "product_line": row.subject.product_line,
        "group": _group(board, row.group),
        "place": row.place,
        "of": row.of,
        "previous_place": _place(row.previous),
        "last_year_place": _place(row.last_year),
        "ranked": row.score.ranked,
        "known_weight": number(row.score.known),
    }
    return told if row.score.ranked else {**told, "why_unranked": unranked(row.score.known)}


def _place(standing: Standing | None) -> int | None:
    return standing.place if standing is not None else None


def _group(board: Board, group: Group) -> dict[str, str]:
    return dict(zip(board.card.peers, group, strict=True))


def _quartiles(values: tuple[Fraction, Fraction, Fraction] | None) -> list[str | None] | None:
    return [number(value) for value in values] if values is not None else None


def _figure(kpi: Kpi) -> Document:
    meaning = DEFINITIONS[kpi.code]
    return {
        "kpi": kpi.code,
        "definition": kpi.version,
        "name": {"zh": meaning.zh, "en": meaning.en},
        "unit": meaning.unit,
        "numerator": number(kpi.numerator),
        "denominator": number(kpi.denominator) if meaning.bottom else None,
        "value": number(kpi.value),
        "note": kpi.note or None,
        "as_of": kpi.as_of.isoformat(),
        "facts": list(kpi.evidence),
    }


def _scored(one: KpiScore) -> Document:
    return {
        **_figure(one.kpi),
        "weight": number(one.weight),
        "points": number(one.points),
        "part": number(one.part),
        "trace": scored(one),
    }


def _overdue(owed: Overdue) -> Document:
    said = {"receivable": number(owed.receivable), "overdue": number(owed.overdue), "invoices": owed.invoices}
    return said | {name: number(amount) for name, amount in owed.buckets.items()}


def of_tag(tag: Tag) -> Document:
    """A tag as it is handed on to the next cut-off, on or off."""
    return {
        "tag": tag.tag,
        "on": tag.on,
        "since": tag.since.isoformat() if tag.since else None,
        "expires": tag.expires.isoformat() if tag.expires else None,
        "stayed": tag.stayed,
        "clean": tag.clean,
        "streaks": dict(tag.streaks),
        "evidence": [{**_figure(one.kpi), "limit": number(one.limit), "facts": list(one.facts)} for one in tag.evidence],
    }


def _manual(tag: ManualTag) -> Document:
    said = {"tag": tag.tag, "reason": tag.reason, "owner": tag.owner}
    return {**said, "since": tag.since.isoformat(), "expires": tag.expires.isoformat()}
