"""`hub performance` on the hub's own ledger: publish, load, run, show, explain, rank, and tags given by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from hub_cli.answers import Answer, answers, of_run, plain
from hub_cli.exits import Exit
from hub_cli.parameters import Day
from hub_cli.place import Place, who
from hub_cli.rebates import FILE

if TYPE_CHECKING:
    import psycopg

Reader = Callable[..., int]
HERE = click.Path(path_type=Path, dir_okay=False, exists=True)


class Month(click.ParamType[date]):
    """A month, `2026-10`; its last day."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The month's last day."""
        from channel.performance.service import month_end

        if isinstance(value, date):
            return value
        if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", str(value)):
            self.fail(f"{value!r} is no month; write YYYY-MM", param, ctx)
        return month_end(date.fromisoformat(f"{value}-01"))


MONTH = click.option("--month", type=Month(), help="Which month, YYYY-MM.  [default: the newest that was kept]")
SCORECARD = click.option("--scorecard", help="Which scorecard; may be left out where there is one.")


@click.command()
@click.argument("files", type=HERE, nargs=-1, required=True)
@click.option("--reason", default="", help="Why, for those who ask later.")
@click.pass_obj
@answers
def publish(place: Place, files: tuple[Path, ...], reason: str) -> Answer:
    """Publish versions of scorecards: all files or none. What is published never changes; a change is the next version."""
    from channel.performance import service

    told = []
    with place.open_hub() as hub, hub.transaction() as db:
        for file in files:
            made = service.publish(db.connection, file.read_bytes(), by=who(), reason=reason, file=str(file))
            told.append({"scorecard": made.scorecard, "version": made.version, "hash": made.hash})
    return Answer({"scorecards": told}, text="\n".join(f"{one['scorecard']} version {one['version']} is published" for one in told))


@click.command()
@click.pass_obj
@answers
def scorecards(place: Place) -> Answer:
    """Published scorecards with their versions, and the months that were kept of each."""
    from channel.performance import queries

    with place.open_hub() as hub, hub.transaction() as db:
        rows = []
        for row in queries.versions(db.connection):
            card = queries.card_of(row)
            kept = [one for one in queries.months(db.connection, card.scorecard) if one["version"] == card.version]
            rows.append(
                {
                    "scorecard": card.scorecard, "version": card.version, "name": card.name.zh, "period": card.period,
                    "from": card.valid.from_, "to": card.valid.to, "published_by": row["published_by"], "reason": row["reason"],
                    "months": len({one["as_of"] for one in kept}), "newest": f"{kept[-1]['as_of']:%Y-%m}" if kept else "",
                }
            )  # fmt: skip
    return Answer(plain(rows), empty="no scorecard is published: hub performance publish FILE")


@click.command()
@click.option("--facts", type=FILE, help="Complaints, attendance, targets and so on: the table of facts of docs/performance.md.")
@click.option("--stock", type=FILE, help="Counts of dealers' stock, and how each product is supplied.")
@click.option("--sellout", type=FILE, help="What dealers sold on.")
@click.option("--tags", type=FILE, help="Tags given by hand: dealer, tag, reason, owner, from, to.")
@click.option("--as-of", type=Day(), help="Day of counts that name none.  [default: yesterday in Shanghai]")
@click.pass_obj
@answers
def load(place: Place, facts: Path | None, stock: Path | None, sellout: Path | None, tags: Path | None, as_of: date | None) -> Answer:
    """Load what no connected system tells: all files or none. A row with the id of an earlier one corrects it."""
    from channel.performance import loads
    from hub_cli.performance_files import taken

    if not any((facts, stock, sellout, tags)):
        raise click.UsageError("name --facts, --stock, --sellout or --tags")
    day, done, by = as_of or _yesterday(), {}, who()
    with place.open_hub() as hub, hub.transaction() as cursor:
        db = cursor.connection
        readers: tuple[tuple[str, Path | None, Reader], ...] = (
            ("facts", facts, partial(loads.load_facts, db, by=by)),
            ("stock", stock, partial(loads.load_stock, db, as_of=day, by=by)),
            ("sellout", sellout, partial(loads.load_sell_out, db, as_of=day, by=by)),
            ("tags", tags, partial(loads.load_tags, db, by=by)),
        )
        for name, path, reader in readers:
            if path is not None:
                done[name] = taken(path, partial(reader, file=str(path)))
    return Answer({"changed": done}, text="\n".join(f"{name:<8} {number:>8} new or corrected" for name, number in done.items()))


@click.command()
@SCORECARD
@click.option("--month", type=Month(), help="Only this month, YYYY-MM; absent: all that are over and were not kept.")
@click.option("--reason", default="", help="Why a month that was kept is reckoned again; it becomes the next revision.")
@click.option("--known-at", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d"]), help="Look at what was known then.  [default: now]")
@click.option("--quiet", is_flag=True, help="Tell nobody.")
@click.pass_obj
@answers
def run(place: Place, scorecard: str | None, month: date | None, reason: str, known_at: datetime | None, *, quiet: bool) -> Answer:
    """Score the months that are over and keep them, as the DAG `performance` does; or reckon one month again, with a reason."""
    from canonical.values import SHANGHAI
    from sync import performance

    with place.open_hub() as hub:
        if month is None:
            if reason or known_at or scorecard:
                raise click.UsageError("name the --month that is meant")
            return of_run(performance.monthly(hub))
        with hub.transaction() as db:
            name = _scorecard(db.connection, scorecard)
        known = known_at.replace(tzinfo=SHANGHAI) if known_at is not None and known_at.tzinfo is None else known_at
        kept = performance.keep(hub, name, month, by=who(), reason=reason, known_at=known, tell=not quiet)
    if kept is None:
        return Answer({"kept": None}, Exit.NOT_FOUND, f"no version of {name} is in force on {month}")
    told = {**plain(kept), "month": f"{month:%Y-%m}"}
    figures = f"{kept.dealers} results, {kept.ranked} ranked, {len(kept.came)} tags came"
    text = f"{name} of {month:%Y-%m} is kept as revision {kept.revision}: {figures}"
    return Answer(told, text=text)


@click.command()
@SCORECARD
@MONTH
@click.option("--revision", type=click.IntRange(min=1), help="Which revision.  [default: the newest]")
@click.option("--dealer", help="Only this dealer's: number, hub key or id.")
@click.option("--view", type=click.Choice(["full", "dealer"]), default="full", show_default=True, help="dealer: what the dealer may see.")
@click.pass_obj
@answers
def show(place: Place, scorecard: str | None, month: date | None, revision: int | None, dealer: str | None, view: str) -> Answer:
    """A month as it was kept: scores, places, tags."""
    from hub_cli.performance_text import board_table

    if view == "dealer" and dealer is None:
        raise click.BadParameter("name the dealer whose view it is", param_hint="--dealer")
    with place.open_hub() as hub, hub.transaction() as db:
        told = _told(db.connection, scorecard, month, revision, dealer, own=view == "dealer")
    return Answer(plain(told), text=board_table(told))


@click.command()
@click.argument("dealer")
@SCORECARD
@MONTH
@click.option("--revision", type=click.IntRange(min=1), help="Which revision.  [default: the newest]")
@click.option("--kpi", help="Only this figure, with every document behind it.")
@click.pass_obj
@answers
def explain(place: Place, dealer: str, scorecard: str | None, month: date | None, revision: int | None, kpi: str | None) -> Answer:
    """Why a dealer stands where it stands: each figure's numerator, denominator, definition, points, and the documents to look at."""
    from channel.performance import service
    from channel.performance.definitions import DEFINITIONS
    from hub_cli.performance_text import explained

    if kpi is not None and kpi not in DEFINITIONS:
        raise click.BadParameter(f"one of {', '.join(DEFINITIONS)}", param_hint="--kpi")
    with place.open_hub() as hub, hub.transaction() as db:
        told = _told(db.connection, scorecard, month, revision, dealer)
        told["evidence"] = service.evidence(db.connection, told, service.known_at(db.connection, told))
    return Answer(plain(told), text=explained(told, kpi))


@click.command()
@SCORECARD
@MONTH
@click.pass_obj
@answers
def rank(place: Place, scorecard: str | None, month: date | None) -> Answer:
    """Places inside each peer group with a bar for each score, last month's place and last year's, and the group's quartiles."""
    from hub_cli.performance_text import ranking

    with place.open_hub() as hub, hub.transaction() as db:
        told = _told(db.connection, scorecard, month, None, None)
    return Answer(plain(told), text=ranking(told))


@click.command()
@click.argument("dealer")
@SCORECARD
@click.option("--kpi", "kpis", multiple=True, help="Also this figure; may be repeated.  [default: those that are scored]")
@click.pass_obj
@answers
def trend(place: Place, dealer: str, scorecard: str | None, kpis: tuple[str, ...]) -> Answer:
    """A dealer's score, place and figures month by month, with a line of the scores."""
    from channel.performance import service
    from channel.performance.definitions import DEFINITIONS
    from hub_cli.deals_claims import dealer_id
    from hub_cli.performance_text import trended

    if strangers := [kpi for kpi in kpis if kpi not in DEFINITIONS]:
        raise click.BadParameter(f"{strangers[0]} is no figure: one of {', '.join(DEFINITIONS)}", param_hint="--kpi")
    with place.open_hub() as hub, hub.transaction() as db:
        told = service.trend(db.connection, _scorecard(db.connection, scorecard), dealer_id(db.connection, dealer))
    return Answer(plain(told), text=trended(told, kpis))


@click.command()
@SCORECARD
@MONTH
@click.pass_obj
@answers
def tags(place: Place, scorecard: str | None, month: date | None) -> Answer:
    """Dealers that are tagged by rule (risk, growth) and since when, with the figures that it stands on."""
    from channel.performance import queries
    from hub_cli.performance_text import why

    with place.open_hub() as hub, hub.transaction() as db:
        told = _told(db.connection, scorecard, month, None, None)
        kept = queries.month(db.connection, told["scorecard"], date.fromisoformat(told["as_of"]))
        found = queries.tags(db.connection, kept["id"]) if kept is not None else []
    rows = [
        {
            "dealer": row["dealer"], "product_line": row["product_line"], "tag": row["tag"], "kind": row["kind"], "since": row["since"],
            "new": row["new"], "why": why(row["doc"]), "evidence": row["doc"]["evidence"],
        }
        for row in found
    ]  # fmt: skip
    return Answer(plain(rows), columns=("dealer", "product_line", "tag", "kind", "since", "new", "why"), empty="nobody is tagged")


@click.command()
@click.argument("dealer")
@click.argument("tag")
@click.option("--reason", help="Why it is given.")
@click.option("--owner", help="Who answers for it.")
@click.option("--from", "since", type=Day(), help="First day.  [default: today in Shanghai]")
@click.option("--to", "until", type=Day(), help="The day on which it ends; every tag given by hand ends some day.")
@click.option("--end", is_flag=True, help="Take it back now.")
@click.pass_obj
@answers
def tag(
    place: Place, dealer: str, tag: str, reason: str | None, owner: str | None, since: date | None, until: date | None, *, end: bool
) -> Answer:
    """Give a dealer a tag by hand, with a reason, an owner and an end; or take it back."""
    from canonical.values import BadValue
    from channel.performance import loads
    from channel.performance.tags import ManualTag
    from hub_cli.deals_claims import dealer_id

    if not end and (reason is None or owner is None or until is None):
        raise click.UsageError("a tag given by hand needs --reason, --owner and --to")
    with place.open_hub() as hub, hub.transaction() as db:
        named = dealer_id(db.connection, dealer)
        if end:
            done = loads.end_tag(db.connection, named, tag, by=who())
        else:
            try:
                given = ManualTag(dealer, tag, reason or "", owner or "", since or _today(), until or _today())
            except BadValue as wrong:
                raise click.UsageError(str(wrong)) from wrong
            done = bool(loads.give_tag(db.connection, named, given, by=who()))
    said = ("taken back" if end else "given") if done else ("not there" if end else "given already")
    return Answer({"dealer": str(named), "tag": tag, "changed": done}, text=f"{tag} is {said}")


def _told(
    db: psycopg.Connection[Any], scorecard: str | None, month: date | None, revision: int | None, dealer: str | None, *, own: bool = False
) -> dict[str, Any]:
    """A month as it was kept; of one dealer, or of all."""
    from channel.performance import service
    from hub_cli.deals_claims import dealer_id

    named: UUID | None = dealer_id(db, dealer) if dealer is not None else None
    return service.shown(db, _scorecard(db, scorecard), month, revision=revision, dealer_id=named, own=own)


def _scorecard(db: psycopg.Connection[Any], named: str | None) -> str:
    """The scorecard that is meant: the one that is named, or the only one."""
    from channel.performance import queries

    known = sorted({row["scorecard"] for row in queries.versions(db)})
    if named is not None:
        return named
    if len(known) != 1:
        raise click.UsageError(f"name one with --scorecard: {', '.join(known) or 'none is published yet'}")
    return str(known[0])


def _today() -> date:
    from datetime import UTC

    from canonical.values import business_day

    return business_day(datetime.now(UTC))


def _yesterday() -> date:
    from datetime import timedelta

    return _today() - timedelta(days=1)


def stock_plan(place: Place, as_of: date | None, dealer: str | None) -> Answer:
    """Look at dealers' stock on the ledger and keep the plan; what is told of it, whole or of one dealer."""
    from channel.performance import stock_service
    from hub_cli.deals_claims import dealer_id
    from hub_cli.performance_text import stock_table
    from sync import performance

    with place.open_hub() as hub:
        performance.look(hub, as_of or _yesterday(), by=who())
        with hub.transaction() as db:
            named = dealer_id(db.connection, dealer) if dealer is not None else None
            told: Mapping[str, Any] = stock_service.shown(db.connection, as_of, dealer_id=named)
    return Answer(plain(told), text=stock_table(told) if told["advice"] else f"{told['looked_at']} counts looked at: nothing to do")


COMMANDS = (publish, scorecards, load, run, show, explain, rank, trend, tags, tag)
