"""Scorecards: how dealers did in each month, as it was kept; their places in their peer group; and what stock they need.

A dealer's key sees its own party's results, made from what a dealer may see: its own figures, its place, how many are ranked beside it
and, in a group of five or more, the quartiles. Cost, margin, tags and other dealers, by name or figure, are absent. What is read here is
what was kept when the month was over; it never changes, and a month that was reckoned again has a higher `revision`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from channel.performance import service, stock_service
from hub_api import lists
from hub_api.deps import Cursor, Db, EngineDep, may
from hub_api.keys import Caller
from hub_api.lists import Listing
from hub_api.pages import Maybe, MaybeId, Paged, answer, listed, ok, paged
from hub_api.permissions import Role, Scope
from hub_api.problems import BadParameters, RecordNotFound, problems
from hub_api.scorecards_problems import ScorecardNotFound
from hub_api.shapes import TEXT

router = APIRouter(prefix="/v1/scorecards", tags=["scorecards"])
Reader = Annotated[Caller, may(Scope.PERFORMANCE_READ)]
Code = Annotated[str, Path(max_length=200, pattern=TEXT, description="The scorecard's code.")]
Month = Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="A month, YYYY-MM.")]
MaybeMonth = Month | SkipJsonSchema[None]

_NEWEST = "NOT EXISTS (SELECT FROM scorecard_month AS n WHERE n.scorecard = m.scorecard AND n.as_of = m.as_of AND n.revision > m.revision)"
_SAME = "(t.month_id, t.dealer_id, t.product_line) = (r.month_id, r.dealer_id, r.product_line)"
RESULTS = Listing(
    "SELECT m.scorecard, m.version, m.as_of, m.revision, m.made_at, (m.doc->>'management')::boolean AS management, r.month_id, "
    "r.dealer_id, r.product_line, r.doc, r.own "
    "FROM scorecard_result AS r JOIN scorecard_month AS m ON m.id = r.month_id",
    {"month_id": "r.month_id::bigint", "dealer_id": "r.dealer_id::uuid", "product_line": "r.product_line::text"},
    {
        "scorecard": "m.scorecard = %s",
        "month": "m.as_of = %s",
        "dealer": "r.dealer_id = %s",
        "product_line": "r.product_line = %s",
        "tag": f"EXISTS (SELECT FROM scorecard_tag AS t WHERE {_SAME} AND t.tag = %s)",
        "tag_without_margin": f"EXISTS (SELECT FROM scorecard_tag AS t WHERE {_SAME} AND t.tag = %s AND NOT EXISTS (SELECT FROM "
        f"json_object_keys(t.doc->'streaks') AS k WHERE split_part(k, ':', 1) = ANY('{{{','.join(service.FOR_MANAGEMENT)}}}')))",
        "own": "r.dealer_id = %s",
    },
    always=_NEWEST,
)
DEFINITIONS = Listing(
    "SELECT v.scorecard, v.version, v.hash, v.published_at, v.published_by, v.reason, v.doc FROM scorecard_version AS v",
    {"scorecard": "v.scorecard::text", "version": "v.version::int"},
    {
        "scorecard": "v.scorecard = %s",
        "own": "EXISTS (SELECT FROM scorecard_month AS m JOIN scorecard_result AS r ON r.month_id = m.id "
        "WHERE (m.scorecard, m.version) = (v.scorecard, v.version) AND r.dealer_id = %s)",
    },
    newest_first=False,
)
_TERMS = ("name", "note", "currency", "valid", "period", "fiscal_start", "sales", "target", "peers", "region_digits", "unranked_above")
"""Parts of a scorecard that a dealer reads, besides the figures that are not for management only. Tags are not among them."""


class ResultOut(BaseModel):
    """One dealer's month in short. Of a dealer's key the fields that it may not see are absent."""

    scorecard: str
    version: int
    month: str
    as_of: date
    revision: int
    dealer: str
    dealer_id: UUID
    name: str
    product_line: str
    group: dict[str, str]
    place: int | None = Field(description="Its place in its peer group; null: not ranked, for too much is not known.")
    of: int = Field(description="How many are ranked in the group.")
    previous_place: int | None
    last_year_place: int | None
    score: str | None = Field(default=None, description="0 to 100; null where nothing is known, absent where it would tell a margin.")
    driver: dict[str, Any] | None = Field(default=None, description="The figure that moved the score most; null where none did.")
    tags: list[str] | SkipJsonSchema[None] = Field(default=None, description="Tags that are on; absent for dealers.")


class ResultsOut(BaseModel):
    """A page of results."""

    items: list[ResultOut]
    next: str | None


class ResultFilters(Paged):
    """Filters of the list. A month has its newest revision."""

    scorecard: Maybe = None
    month: MaybeMonth = None
    dealer: MaybeId = None
    product_line: Maybe = None
    tag: Maybe = Field(default=None, description="Only dealers with this tag; not for dealers' keys.")


class DefinitionOut(BaseModel):
    """A version of a scorecard."""

    scorecard: str
    version: int
    hash: str = Field(description="Of everything that is written in it; each month names it.")
    published_at: datetime
    published_by: str | SkipJsonSchema[None] = Field(default=None, description="Absent for dealers.")
    reason: str | SkipJsonSchema[None] = Field(default=None, description="Absent for dealers.")
    terms: dict[str, Any] = Field(description="As it was written; for a dealer without tags and without figures for management.")


class DefinitionsOut(BaseModel):
    """A page of scorecards."""

    items: list[DefinitionOut]
    next: str | None


class DefinitionFilters(Paged):
    """Filters of the list."""

    scorecard: Maybe = None


class ExplainedOut(BaseModel):
    """A dealer's month with everything behind it."""

    scorecard: str
    version: int
    as_of: date
    revision: int
    results: list[dict[str, Any]] = Field(
        description="For each product line that is scored apart: every figure with numerator, denominator, definition, cut-off, points "
        "and the ids of the facts to look at; those that are scored with a sentence in both languages."
    )
    evidence: dict[str, dict[str, Any]] = Field(description="What these facts say, by id, as they were known then.")


class RankingOut(BaseModel):
    """Places in the peer groups of a month."""

    scorecard: str
    month: str
    revision: int
    groups: list[dict[str, Any]] = Field(
        description="Each group with how many are ranked, its quartiles (five or more), and its rows; a dealer's own row only."
    )


class StockOut(BaseModel):
    """What is to be done about dealers' stock."""

    as_of: date | None = Field(description="The day that the stock was looked at; null: never.")
    advice: list[dict[str, Any]] = Field(description="Most urgent first: dry before goods arrive, then what to order.")
    transfers: list[dict[str, Any]] | SkipJsonSchema[None] = Field(
        default=None, description="Goods that could go from one dealer to another; absent for dealers."
    )


class Whose(BaseModel):
    """Filters of the plan."""

    model_config = ConfigDict(extra="forbid")

    dealer: MaybeId = None


class Which(BaseModel):
    """Which month; the newest where none is named."""

    model_config = ConfigDict(extra="forbid")

    month: MaybeMonth = None


class WhichRevision(Which):
    """Which month and revision; the newest where none is named."""

    revision: Annotated[int, Field(ge=1, le=1_000_000)] | SkipJsonSchema[None] = None


RESULT: dict[str, Any] = {
    "scorecard": "health", "version": 1, "month": "2026-10", "as_of": "2026-10-31", "revision": 1, "dealer": "CUST00001",
    "dealer_id": "01931f5e-7c00-7000-8000-00000000000a", "name": "杭州恒远机电", "product_line": "",
    "group": {"grade": "core", "region": "浙江"}, "place": 2, "of": 12, "previous_place": 4, "last_year_place": None, "score": "78.5",
}  # fmt: skip
DEFINITION: dict[str, Any] = {
    "scorecard": "health", "version": 1, "hash": "9f2c1a", "published_at": "2026-01-05T02:11:12Z",
    "terms": {"period": "year", "kpis": [{"kpi": "target_completion", "weight": "70"}]},
}  # fmt: skip
FIGURE: dict[str, Any] = {
    "kpi": "overdue_share", "definition": 1, "name": {"zh": "逾期占比", "en": "overdue share"}, "unit": "share", "numerator": "11300",
    "denominator": "79100", "value": "0.142857", "as_of": "2026-10-31", "facts": ["invoice:01931f5e-7c00-7000-8000-00000000000b"],
}  # fmt: skip
EXPLAINED: dict[str, Any] = {
    "scorecard": "health", "version": 1, "as_of": "2026-10-31", "revision": 1, "results": [{"dealer": "CUST00001", "figures": [FIGURE]}],
    "evidence": {FIGURE["facts"][0]: {"document": "AR000123", "date": "2026-09-01", "due_date": "2026-10-01", "amount": "11300"}},
}  # fmt: skip
RANKING: dict[str, Any] = {
    "scorecard": "health", "month": "2026-10", "revision": 1,
    "groups": [{"group": {"grade": "core"}, "ranked": 12, "quartiles": ["55", "70.5", "82"], "rows": [{"place": 2, "score": "78.5"}]}],
}  # fmt: skip
STOCK: dict[str, Any] = {
    "as_of": "2026-11-05",
    "advice": [{"product": "P-100", "on_hand": "10", "pace": "2", "cover_days": "5", "warning": True, "restock": "60"}],
}  # fmt: skip
_EVIDENCE = ("kind", "date", "document", "due_date", "done_date", "amount", "status")
"""What a dealer reads of a fact about itself."""


def month_end(text: str) -> date:
    """The last day of a month as it stands in an address."""
    return service.month_end(date.fromisoformat(f"{text}-01"))


def month_of(text: str | None) -> date | None:
    """The same, or None for the newest."""
    return month_end(text) if text is not None else None


def _is_dealer(who: Caller) -> bool:
    return who.role is Role.DEALER


def _sees_margin(who: Caller) -> bool:
    """One scope shows cost and margin, here as in prices."""
    return Scope.PRICES_COST in who.scopes


def _without_margin(row: Mapping[str, Any], *, management: bool) -> dict[str, Any]:
    """A result without what tells a margin; where the score is made of one, without the score too, for it could be reckoned from it."""
    told = dict(row)
    told["kpis"] = [one for one in row["kpis"] if not service.is_for_management(one["kpi"])]
    told["figures"] = [one for one in row["figures"] if not service.is_for_management(one["kpi"])]
    told["tags"] = [tag for tag in row["tags"] if not service.rests_on_margin(tag)]
    if management:
        for name in ("score", "parts", "driver", "deductions"):
            told.pop(name, None)
        hidden = ("weight", "points", "part", "trace")
        told["kpis"] = [{name: value for name, value in one.items() if name not in hidden} for one in told["kpis"]]
    return told


def _own(who: Caller) -> dict[str, Any]:
    """The filter that a dealer's key always has: its own party, and none below it, for these may be its peers."""
    return {"own": who.party} if _is_dealer(who) else {}


def _short(row: Mapping[str, Any], who: Caller) -> dict[str, Any]:
    said = row["own"] if _is_dealer(who) else row["doc"]
    if not _is_dealer(who) and not _sees_margin(who):
        said = _without_margin(said, management=row["management"])
    told = {name: row[name] for name in ("scorecard", "version", "revision")}
    told |= {"month": f"{row['as_of']:%Y-%m}", "as_of": row["as_of"].isoformat(), "dealer_id": str(row["dealer_id"])}
    wanted = ("dealer", "name", "product_line", "group", "place", "of", "previous_place", "last_year_place", "score", "driver")
    told |= {name: said[name] for name in wanted if name in said}
    return told if _is_dealer(who) else told | {"tags": sorted(tag["tag"] for tag in said["tags"] if tag["on"])}


def _definition(row: Mapping[str, Any], who: Caller) -> dict[str, Any]:
    told = {name: row[name] for name in ("scorecard", "version", "hash", "published_at")}
    if not _is_dealer(who):
        return told | {"published_by": row["published_by"], "reason": row["reason"], "terms": row["doc"]}
    terms = {name: row["doc"][name] for name in _TERMS if name in row["doc"]}
    for part in ("kpis", "deductions"):
        terms[part] = [one for one in row["doc"].get(part, ()) if not service.is_for_management(one["kpi"])]
    return told | {"terms": terms}


@router.get("", operation_id="list_scorecards", responses=listed(ResultsOut, RESULT), response_class=Response)
def list_scorecards(asked: Annotated[ResultFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Results of dealers by month, the newest first."""
    if asked.tag is not None and _is_dealer(who):
        raise BadParameters("A dealer's key cannot filter by tag.")
    more = _own(who) | {"month": month_of(asked.month)}
    tag = asked.tag if _sees_margin(who) else None
    more |= {"tag_without_margin": None if _sees_margin(who) else asked.tag}
    page = paged(engine, db, who, RESULTS, asked.model_copy(update={"month": None, "tag": tag}), more=more)
    return answer(page | {"items": [_short(row, who) for row in page["items"]]})


@router.get(
    "/definitions", operation_id="list_scorecard_definitions", responses=listed(DefinitionsOut, DEFINITION), response_class=Response
)
def list_definitions(asked: Annotated[DefinitionFilters, Query()], who: Reader, engine: EngineDep, db: Db) -> Response:
    """Every published version of each scorecard, by code."""
    page = paged(engine, db, who, DEFINITIONS, asked, more=_own(who))
    return answer(page | {"items": [_definition(row, who) for row in page["items"]]})


@router.get("/stock", operation_id="get_stock_advice", responses=ok(StockOut, STOCK, "The newest plan.") | problems(BadParameters),
            response_class=Response)  # fmt: skip
def stock(asked: Annotated[Whose, Query()], who: Reader, db: Db) -> Response:
    """Who runs dry before goods arrive, what to order, and, for our own people, who could help whom. A dealer reads its own."""
    if _is_dealer(who):
        if asked.dealer not in (None, who.party):
            return answer({"as_of": None, "advice": []})
        return answer(stock_service.shown(db.connection, dealer_id=who.party, own=True))
    return answer(stock_service.shown(db.connection, dealer_id=asked.dealer))


@router.get(
    "/{scorecard}/ranking",
    operation_id="get_ranking",
    responses=ok(RankingOut, RANKING, "The ranking.") | problems(BadParameters, RecordNotFound, ScorecardNotFound),
    response_class=Response,
)
def ranking(scorecard: Code, asked: Annotated[Which, Query()], who: Reader, db: Db) -> Response:
    """Places in the peer groups of a month. A dealer reads its own place, how many are ranked, and the quartiles of five or more."""
    return answer(_ranking(db, scorecard, asked.month, who))


def _ranking(db: Cursor, scorecard: str, month: str | None, who: Caller) -> dict[str, Any]:
    told = _kept(db, scorecard, month_of(month), None, who, who.party if _is_dealer(who) else None)
    groups: dict[tuple[str, ...], dict[str, Any]] = {}
    ends = {tuple(one["group"].values()): one for one in told.get("groups", ())}
    for row in told["results"]:
        key = tuple(row["group"].values())
        quartiles = row.get("quartiles") if _is_dealer(who) else (ends.get(key) or {}).get("quartiles")
        group = groups.setdefault(key, {"group": row["group"], "ranked": row["of"], "quartiles": quartiles, "rows": []})
        wanted = ("dealer", "dealer_id", "name", "product_line", "place", "previous_place", "last_year_place", "score", "driver")
        group["rows"].append({name: row[name] for name in wanted if name in row})
    return {"scorecard": scorecard, "month": told["as_of"][:7], "revision": told["revision"], "groups": list(groups.values())}


def _kept(db: Cursor, scorecard: str, as_of: date | None, revision: int | None, who: Caller, dealer: UUID | None) -> dict[str, Any]:
    """A month as it was kept. Raises: ScorecardNotFound; of a dealer that is not on it, of another's and of none the same."""
    told = service.shown(db.connection, scorecard, as_of, revision=revision, dealer_id=dealer, own=_is_dealer(who))
    if _is_dealer(who) or _sees_margin(who):
        return told
    hidden = bool(told["management"])
    told["results"] = [_without_margin(row, management=hidden) for row in told["results"]]
    if hidden:
        told["groups"] = [one | {"quartiles": None} for one in told["groups"]]
    return told


@router.get(
    "/{scorecard}/dealers/{dealer}",
    operation_id="explain_scorecard",
    responses=ok(ExplainedOut, EXPLAINED, "The month.") | problems(BadParameters, RecordNotFound, ScorecardNotFound),
    response_class=Response,
)
def explain(
    scorecard: Code,
    dealer: Annotated[UUID, Path(description="The dealer's party.")],
    asked: Annotated[WhichRevision, Query()],
    who: Reader,
    db: Db,
) -> Response:
    """Why a dealer stands where it stands: each figure's sides, definition, points and sentence, and the documents to look at."""
    if _is_dealer(who) and dealer != who.party:
        raise ScorecardNotFound
    told = _kept(db, scorecard, month_of(asked.month), asked.revision, who, dealer)
    proofs = service.evidence(db.connection, told, service.known_at(db.connection, told))
    if _is_dealer(who):
        proofs = {fact: {name: said[name] for name in _EVIDENCE if name in said} for fact, said in proofs.items()}
    return answer({**told, "evidence": proofs})


def definition(db: Cursor, scorecard: str, version: int, who: Caller) -> dict[str, Any]:
    """One version as the caller may read it. Raises: ScorecardNotFound."""
    rows = lists.page(db, DEFINITIONS, {"scorecard": scorecard}, after=None, limit=1000)
    found = [row for row in rows if row["version"] == version]
    if not found:
        raise ScorecardNotFound
    return _definition(found[0], who)
