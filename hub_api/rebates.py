"""Rebates: the programmes that are published, and the statements that dealers sign or dispute.

A dealer's key sees the programmes that it takes part in, without the names, targets and figures of others, and the statements of its own
party and those below it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from channel import paper as papers
from channel.rebates import service, statement_paper
from channel.rebates.what_if import what_if
from hub_api import lists
from hub_api.actions import Action, doing
from hub_api.deps import Cursor, Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.lists import Listing
from hub_api.pages import acted, answer, listed, ok, own_rows, paged
from hub_api.papers import Format, Lang, described, sent
from hub_api.permissions import Role, Scope
from hub_api.problems import BadParameters, RecordNotFound, problems
from hub_api.rebates_problems import BadProgramme, RebateFacts, RebateNotFound, StatementState, VersionTaken
from hub_api.rebates_shapes import (
    COMPARED,
    PROGRAMME,
    STATEMENT,
    Compared,
    Dispute,
    Draft,
    ProgrammeFilters,
    ProgrammeOut,
    ProgrammesOut,
    Publish,
    Published,
    Resolve,
    StatementFilters,
    StatementOut,
    StatementsOut,
)
from hub_api.shapes import TEXT

programmes = APIRouter(prefix="/v1/programmes", tags=["rebates"])
statements = APIRouter(prefix="/v1/statements", tags=["rebates"])
Reader = Annotated[Caller, may(Scope.REBATES_READ)]
Number = Annotated[str, Path(max_length=40, pattern=TEXT, description="Its number, RS-2026-000001-7KQ2M9.")]
Code = Annotated[str, Path(max_length=200, pattern=TEXT, description="The programme's code.")]

_NEWEST = "NOT EXISTS (SELECT FROM programme_version AS n WHERE n.programme = p.programme AND n.version > p.version)"
PROGRAMMES = Listing(
    "SELECT p.programme, p.version, p.hash, p.published_at, p.published_by, p.reason, p.doc FROM programme_version AS p",
    {"programme": "p.programme::text"},
    {
        "programme": "p.programme = %s",
        "of": "(p.doc->'participants'->>'all' = 'true' OR EXISTS (SELECT FROM rebate_statement AS s WHERE s.programme = p.programme "
        "AND s.dealer_id = ANY(%s::uuid[]) AND coalesce(s.doc->>'kind', '') <> 'passed_on'))",
    },
    newest_first=False,
    always=_NEWEST,
)
STATEMENTS = Listing(
    "SELECT s.id, s.programme, s.version, s.dealer, s.dealer_id, p.name AS dealer_name, s.period, s.state, s.issued_at, s.doc "
    "FROM rebate_statement AS s LEFT JOIN parties AS p ON p.id = s.dealer_id",
    {"id": "s.id::text"},
    {
        "id": "s.id = %s",
        "programme": "s.programme = %s",
        "period": "s.period = %s",
        "state": "s.state = %s",
        "dealer": "s.dealer_id = %s",
        "of": "s.dealer_id = ANY(%s::uuid[])",
    },
)
_TERMS = ("name", "note", "currency", "valid", "scope", "base", "calendar", "method", "boundary", "tiers", "growth", "mix", "pass_through")
"""Parts of a programme that a dealer reads. Participants, targets, budgets and gates' figures of others are not among them."""
_NAMED = ("customers", "projects")
"""Whom these parts name may be another dealer's."""


def _programme(row: Mapping[str, Any], who: Caller) -> dict[str, Any]:
    told = {name: row[name] for name in ("programme", "version", "hash", "published_at")}
    if who.role is Role.DEALER:
        return told | {"terms": {name: _nameless(row["doc"][name]) for name in _TERMS if name in row["doc"]}}
    return told | {"published_by": row["published_by"], "reason": row["reason"], "terms": row["doc"]}


def _nameless(part: Any) -> Any:
    return {name: _nameless(inner) for name, inner in part.items() if name not in _NAMED} if isinstance(part, dict) else part


def _statement(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "dealer_id": None if row["dealer_id"] is None else str(row["dealer_id"])}


def _one(db: Cursor, who: Caller, number: str) -> dict[str, Any]:
    row = lists.one(db, STATEMENTS, id=number, **own_rows(db, who))
    if row is None:
        raise RebateNotFound
    return _statement(row)


@programmes.get("", operation_id="list_programmes", responses=listed(ProgrammesOut, PROGRAMME), response_class=Response)
def list_programmes(asked: Annotated[ProgrammeFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """The newest version of each programme, by code."""
    page = paged(engine, db, who, PROGRAMMES, asked, more=own_rows(db, who))
    return answer(page | {"items": [_programme(row, who) for row in page["items"]]})


@programmes.get(
    "/{programme}",
    operation_id="get_programme",
    responses=ok(ProgrammeOut, PROGRAMME, "The programme.") | problems(RecordNotFound, RebateNotFound),
    response_class=Response,
)
def get_programme(programme: Code, who: Reader, db: Db) -> Response:
    """The newest version of one programme."""
    row = lists.one(db, PROGRAMMES, programme=programme, **own_rows(db, who))
    if row is None:
        raise RebateNotFound
    return answer(_programme(row, who))


@programmes.post(
    "",
    operation_id="publish_programme",
    responses=acted(Published, {"programme": "pumps-2026", "version": 1, "hash": "9f2c1a"}, "It is published.", BadProgramme, VersionTaken),
    response_class=Response,
)
def publish(told: Publish, act: Annotated[Action, doing("programme.publish", Scope.REBATES_MANAGE)]) -> Response:
    """Publish a version, checked by itself and beside the others. What is published never changes."""
    act.on("programme")
    with act.engine.connection() as db, db.transaction():
        made = service.publish(db, told.text, by=act.by, reason=told.reason)
    return act.done({"programme": made.programme, "version": made.version, "hash": made.hash})


@programmes.post(
    "/{programme}/simulate",
    operation_id="simulate_programme",
    responses=acted(Compared, COMPARED, "What the draft would cost.", RecordNotFound, BadProgramme, RebateFacts),
    response_class=Response,
)
def simulate(programme: Code, told: Draft, act: Annotated[Action, doing("programme.simulate", Scope.REBATES_MANAGE)]) -> Response:
    """Try a draft on the hub's own facts beside the published version: cost by dealer, who moves tier. Nothing is stored."""
    act.on(f"programme:{programme}")
    with act.engine.connection() as db, db.transaction():
        return act.done(what_if(db, told.text, as_of=told.as_of, dealers=told.dealers, programme=programme))


@statements.get("", operation_id="list_statements", responses=listed(StatementsOut, STATEMENT), response_class=Response)
def list_statements(asked: Annotated[StatementFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Statements, newest first."""
    page = paged(engine, db, who, STATEMENTS, asked, more=own_rows(db, who))
    return answer(page | {"items": [_statement(row) for row in page["items"]]})


@statements.get(
    "/{number}",
    operation_id="get_statement",
    responses=ok(StatementOut, STATEMENT, "The statement.") | problems(RecordNotFound, RebateNotFound),
    response_class=Response,
)
def get_statement(number: Number, who: Reader, db: Db) -> Response:
    """One statement."""
    return answer(_one(db, who, number))


def _paper(kind: Format, number: str, who: Caller, db: Cursor, lang: Lang) -> Response:
    """The statement on paper, made of its pinned document and the published tiers."""
    row = _one(db, who, number)
    db.execute("SELECT doc FROM programme_version WHERE programme = %s AND version = %s", [row["programme"], row["version"]])
    terms = (db.fetchone() or {"doc": {}})["doc"]
    made = statement_paper.paper(row, row["dealer_name"] or "", terms, lang)
    content = papers.pdf(made, font=papers.installed_font()) if kind == "pdf" else papers.xlsx(made)
    return sent(content, f"{number}-{lang}", kind)


@statements.get(
    "/{number}/paper.pdf",
    operation_id="get_statement_pdf",
    responses=described("pdf") | problems(BadParameters, RecordNotFound, RebateNotFound),
    response_class=Response,
)
def statement_pdf(number: Number, who: Reader, db: Db, lang: Lang = "zh") -> Response:
    """返利对账单 as PDF, to be signed."""
    return _paper("pdf", number, who, db, lang)


@statements.get(
    "/{number}/paper.xlsx",
    operation_id="get_statement_xlsx",
    responses=described("xlsx") | problems(BadParameters, RecordNotFound, RebateNotFound),
    response_class=Response,
)
def statement_xlsx(number: Number, who: Reader, db: Db, lang: Lang = "zh") -> Response:
    """返利对账单 as Excel, with figures that can be added."""
    return _paper("xlsx", number, who, db, lang)


def _moved(number: str, act: Action, what: str, reason: str) -> Response:
    """Note what became of a statement that the caller may see. Raises: RebateNotFound, StatementState."""
    act.on(f"statement:{number}")
    with act.engine.reading() as db:
        _one(db, act.caller, number)
    with act.engine.connection() as connection, connection.transaction():
        if what == "sign":
            service.sign(connection, number, by=act.by)
        elif what == "dispute":
            service.dispute(connection, number, by=act.by, reason=reason)
        else:
            service.resolve(connection, number, by=act.by, answer=reason)
    with act.engine.reading() as db:
        return act.done(_one(db, act.caller, number))


_MOVES = (RecordNotFound, RebateNotFound, StatementState)


@statements.post(
    "/{number}/sign",
    operation_id="sign_statement",
    responses=acted(StatementOut, STATEMENT | {"state": "signed"}, "Signed.", *_MOVES),
    response_class=Response,
)
def sign(number: Number, act: Annotated[Action, doing("statement.sign", Scope.REBATES_SIGN)]) -> Response:
    """The dealer agrees with a statement."""
    return _moved(number, act, "sign", "")


@statements.post(
    "/{number}/dispute",
    operation_id="dispute_statement",
    responses=acted(StatementOut, STATEMENT | {"state": "disputed"}, "Disputed.", *_MOVES),
    response_class=Response,
)
def dispute(number: Number, told: Dispute, act: Annotated[Action, doing("statement.dispute", Scope.REBATES_SIGN)]) -> Response:
    """The dealer does not agree, and says why."""
    return _moved(number, act, "dispute", told.reason)


@statements.post(
    "/{number}/resolve",
    operation_id="resolve_statement",
    responses=acted(StatementOut, STATEMENT | {"state": "resolved"}, "Answered.", *_MOVES),
    response_class=Response,
)
def resolve(number: Number, told: Resolve, act: Annotated[Action, doing("statement.resolve", Scope.REBATES_MANAGE)]) -> Response:
    """Answer a dispute; what changes is settled as a correction."""
    return _moved(number, act, "resolve", told.answer)
