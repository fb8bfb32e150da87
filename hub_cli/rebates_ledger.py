"""`hub rebates` on the hub's own ledger: publish, accrue, settle, close, try a draft, statements, payouts."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from hub_cli.answers import Answer, answers, of_run, plain
from hub_cli.exits import Exit
from hub_cli.place import Place, who
from hub_cli.rebates_account import account

if TYPE_CHECKING:
    from channel.rebates.service import Done

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
DAY = click.DateTime(["%Y-%m-%d"])
FULL = click.option("--full", is_flag=True, help="Read everything again instead of what is new, and sum it anew.")
AS_OF = click.option("--as-of", "day", type=DAY, help="The last business day whose events count.  [default: yesterday in Shanghai]")


@click.command()
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--reason", default="", help="Why, for those who ask later.")
@click.pass_obj
@answers
def publish(place: Place, files: tuple[Path, ...], reason: str) -> Answer:
    """Publish versions of programmes: all files or none. What is published never changes; a change is the next version."""
    from channel.rebates import service

    told = []
    with place.open_hub() as hub, hub.transaction() as db:
        for file in files:
            made = service.publish(db.connection, file.read_bytes(), by=who(), reason=reason, file=str(file))
            told.append({"programme": made.programme, "version": made.version, "hash": made.hash})
    text = "\n".join(f"{one['programme']} version {one['version']} is published" for one in told)
    return Answer({"programmes": told}, text=text)


@click.command()
@click.pass_obj
@answers
def programmes(place: Place) -> Answer:
    """The newest version of each published programme, with its periods that are closed."""
    from channel.rebates import queries

    with place.open_hub() as hub, hub.transaction() as db:
        rows = [
            {
                "programme": one.programme, "version": one.version, "name": one.name.zh, "currency": one.currency, "method": one.method,
                "from": one.valid.from_, "to": one.valid.to, "closed": ", ".join(sorted(queries.closed(db.connection, one.programme))),
            }
            for one in queries.newest(db.connection)
        ]  # fmt: skip
    return Answer(plain(rows), empty="no programme is published: hub rebates publish FILE")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@click.pass_obj
@answers
def load(place: Place, file: Path) -> Answer:
    """Load facts that no system tells (sell-out, targets, baselines, measures, complaints, stock): all rows of the file or none."""
    from channel.rebates.fact_loading import load as loaded
    from hub_cli.rebates_files import table

    columns, rows = table(file)
    with place.open_hub() as hub, hub.transaction() as db:
        done = loaded(db.connection, columns, rows, file=str(file))
    return Answer({"facts": done}, text=f"{done} facts are new or corrected")


@click.command()
@AS_OF
@FULL
@click.pass_obj
@answers
def accrue(place: Place, day: Any, *, full: bool) -> Answer:
    """Take new facts from the documents and book what should be accrued by now, less what is. A second run books nothing."""
    from sync import rebates

    with place.open_hub() as hub:
        done = rebates.accrue(hub, _day(day), by=who(), full=full)
    return _told(done, f"{done.results} results looked at, {len(done.units)} accruals changed{_sums(done.booked)}")


@click.command()
@AS_OF
@FULL
@click.option("--programme", "names", multiple=True, help="Only this one; may be repeated.")
@click.pass_obj
@answers
def settle(place: Place, day: Any, names: tuple[str, ...], *, full: bool) -> Answer:
    """Settle what the calendars say is due: earned to date less what was settled, with a statement each. A second run settles nothing."""
    from sync import rebates

    with place.open_hub() as hub:
        done = rebates.settle(hub, _day(day), by=who(), programmes=list(names) or None, full=full)
    numbers = "".join(f"\n  {number}  {unit}" for number, unit in zip(done.statements, done.units, strict=True))
    numbers += "".join(f"\n  {number}  handed on" for number in done.handed_on)
    return _told(done, f"{len(done.units)} of {done.results} results settled{_sums(done.booked)}{numbers}")


def _told(done: Done, text: str) -> Answer:
    """What was done; what could not be is in the answer, and the exit code is 3."""
    flaws = [error for problem in done.problems for error in problem.errors]
    said = [f"left as it was: {flaw['where']}: {flaw['what']}; {flaw['next_step']}" for flaw in flaws]
    said += [f"kept sums differ from their lines and are summed anew: {difference}" for difference in done.differs]
    data = {**dataclasses.asdict(dataclasses.replace(done, problems=())), "problems": flaws}
    return Answer(plain(data), Exit.DIFFERS if said else Exit.DONE, text="\n".join([text, *said]))


@click.command()
@click.argument("programme")
@click.argument("period")
@AS_OF
@click.pass_obj
@answers
def close(place: Place, programme: str, period: str, day: Any) -> Answer:
    """Close a period for good; it is settled finally first. What comes later is a correction in the open period."""
    from channel.rebates import service

    with place.open_hub() as hub, hub.transaction() as db:
        done = service.close(db.connection, programme, period, as_of=_day(day), by=who())
    return Answer({"programme": programme, "period": period, "closed": True}, text=f"{period} is {'closed' if done else 'closed already'}")


@click.command()
@click.argument("number", required=False)
@click.option("--dealer", help="Only this dealer's: number, hub key or id.")
@click.option("--sign", is_flag=True, help="The dealer agrees.")
@click.option("--dispute", metavar="REASON", help="The dealer does not agree, and why.")
@click.option("--resolve", metavar="ANSWER", help="We have answered the dispute.")
@click.option("--pdf", "pdf_file", type=click.Path(path_type=Path, dir_okay=False), help="Write it as PDF, to be signed.")
@click.option("--xlsx", "xlsx_file", type=click.Path(path_type=Path, dir_okay=False), help="Write it as Excel.")
@click.option("--lang", "--language", "language", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Of the paper.")
@click.pass_obj
@answers
def statements(
    place: Place, number: str | None, dealer: str | None, pdf_file: Path | None, xlsx_file: Path | None, language: Literal["zh", "en"], *,
    sign: bool, dispute: str | None, resolve: str | None,
) -> Answer:  # fmt: skip
    """List statements, show one, write its paper, or note what became of it: --sign, --dispute, --resolve."""
    from channel.rebates import queries, service
    from hub_cli.deals_claims import dealer_id

    acts = [sign, dispute is not None, resolve is not None]
    if sum(acts) > 1 or (any(acts) and number is None):
        raise click.UsageError("name one statement, and one of --sign, --dispute, --resolve")
    with place.open_hub() as hub, hub.transaction() as db:
        if number is None:
            whose = dealer_id(db.connection, dealer) if dealer else None
            return Answer(plain(queries.statements(db.connection, dealer_id=whose, limit=1000)), empty="no statements")
        if sign:
            service.sign(db.connection, number, by=who())
        elif dispute is not None:
            service.dispute(db.connection, number, by=who(), reason=dispute)
        elif resolve is not None:
            service.resolve(db.connection, number, by=who(), answer=resolve)
        found = queries.statement(db.connection, number)
        if found is None:
            raise service.NotFoundHere(f"there is no statement {number}")
        if pdf_file or xlsx_file:
            _write_paper(db.connection, found, pdf_file, xlsx_file, language)
    return Answer(plain(found), text=_statement(found))


def _write_paper(db: Any, found: dict[str, Any], pdf_file: Path | None, xlsx_file: Path | None, language: Literal["zh", "en"]) -> None:
    from channel import paper
    from channel.rebates import queries, statement_paper
    from hub_cli.rebates_outputs import Paper, write

    terms = queries.version(db, found["programme"], found["version"])
    name = queries.one(db, "SELECT name FROM parties WHERE id = %s", [found["dealer_id"]])
    written = terms.model_dump(mode="json", by_alias=True, exclude_defaults=True) if terms else {}
    made = statement_paper.paper(found, str(name["name"]) if name else "", written, language)
    papers = []
    if pdf_file is not None:
        papers.append(Paper(pdf_file, paper.pdf(made, font=paper.installed_font())))
    if xlsx_file is not None:
        papers.append(Paper(xlsx_file, paper.xlsx(made)))
    write(*papers)


@click.command("what-if")
@click.argument("file", type=FILE)
@AS_OF
@click.option("--dealer", "dealers", multiple=True, help="Only this dealer, by number; may be repeated.")
@click.pass_obj
@answers
def what_if(place: Place, file: Path, day: Any, dealers: tuple[str, ...]) -> Answer:
    """Try a draft on the hub's own facts beside the published version: cost by dealer, who moves tier. Nothing is stored."""
    from channel.rebates.what_if import what_if as tried

    with place.open_hub() as hub, hub.transaction() as db:
        told = tried(db.connection, file.read_bytes(), as_of=_day(day), dealers=list(dealers) or None, file=str(file))
    return Answer(plain(told))


def _statement(found: dict[str, Any]) -> str:
    doc = found["doc"]
    head = f"{found['id']}  {doc['name']['zh']} ({found['programme']} version {found['version']})  {found['period']}  {found['state']}"
    said = [f"  {sentence['zh']}" for sentence in doc["sentences"]]
    return "\n".join([head, *said, f"  应付 payable {doc['payable']} {doc['currency']}"])


@click.command()
@click.pass_obj
@answers
def pay(place: Place) -> Answer:
    """Make payouts of what is settled and unpaid; each becomes one credit memo that the next sync books in the ERP."""
    from sync import rebates

    with place.open_hub() as hub:
        paid = rebates.pay_due(hub, by=who())
    return Answer(plain(paid), columns=("id", "currency", "net", "tax", "total", "note"), empty="nothing is to be paid")


@click.command()
@click.pass_obj
@answers
def payouts(place: Place) -> Answer:
    """Every payout beside the ERP's memos, matched by the payout's number. Exit code 3 when something differs."""
    from sync import rebates

    with place.open_hub() as hub:
        found = rebates.reconcile(hub)
    wrong = [row for row in found if row["state"] not in ("matched", "missing_in_erp")]
    columns = ("payout", "dealer", "currency", "total", "memo", "booked", "state")
    return Answer(plain(found), Exit.DIFFERS if wrong else Exit.DONE, columns=columns, empty="no payouts")


@click.command()
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="Where to.  [default: rebates.export of hub.yaml]")
@click.pass_obj
@answers
def export(place: Place, folder: Path | None) -> Answer:
    """Write facts that are new since the last export as Parquet by month; `calculate --facts FOLDER` reads them."""
    from sync.rebate_export import export as exported

    with place.open_hub() as hub:
        target = folder or hub.config.rebates.export
        if target is None:
            raise click.UsageError("name a folder with --to, or set rebates.export in hub.yaml")
        return of_run(exported(hub, target))


@click.command()
@click.pass_obj
@answers
def nightly(place: Place) -> Answer:
    """What the DAG `rebates` does each night: accrue, settle what is due, pay, compare with the ERP."""
    from sync import rebates

    with place.open_hub() as hub:
        return of_run(rebates.nightly(hub))


def _day(given: Any) -> date:
    """The day that was named, or yesterday in Shanghai."""
    from datetime import UTC, datetime

    from canonical.values import business_day

    found: date = given.date() if given is not None else business_day(datetime.now(UTC)) - timedelta(days=1)
    return found


def _sums(booked: Any) -> str:
    return "".join(f", {amount} {currency}" for currency, amount in booked.items())


COMMANDS = (publish, programmes, load, accrue, settle, close, what_if, statements, pay, payouts, account, export, nightly)
