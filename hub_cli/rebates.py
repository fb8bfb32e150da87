"""`hub rebates`: what dealers earn under written programmes, from files alone (docs/rebates.md) or on the hub's ledger."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub_cli import rebates_ledger
from hub_cli.answers import Answer, CommandFailed, answers
from hub_cli.exits import Exit
from hub_cli.listing import Words
from hub_cli.parameters import Day, Moment

if TYPE_CHECKING:
    from channel.rebates.claiming import Balance, Claim
    from channel.rebates.loading import Loaded
    from channel.rebates.programme import Programme
    from channel.rebates.reporting import View
    from channel.rebates.results import Calculation

FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(cls=Words)
def rebates() -> None:
    """Rebates: what dealers earn by written programmes, shown line by line."""


for _command in rebates_ledger.COMMANDS:
    rebates.add_command(_command)


PROGRAMMES = click.option(
    "--programme", "programmes", type=FILE, multiple=True, required=True, help="A programme (YAML or JSON); may be repeated."
)
FACTS = click.option(
    "--facts", "facts_file", type=click.Path(path_type=Path), required=True,
    help="Facts: CSV (UTF-8), Parquet, or a folder that `hub rebates export` wrote.",
)  # fmt: skip
DEALERS = click.option("--dealers", "dealers_file", type=FILE, help="Dealers: CSV or Parquet; with it an unknown dealer is refused.")
SETTLED = click.option("--settled", "settled_file", type=FILE, help="More facts: what was settled before (kind settlement).")
AS_OF = click.option("--as-of", type=Day(), required=True, help="The last day whose events count.")
KNOWN_AT = click.option("--known-at", type=Moment(), help="Nothing recorded later is looked at.  [default: everything]")


@rebates.command()
@click.argument("files", type=FILE, nargs=-1, required=True)
@answers
def check(files: tuple[Path, ...]) -> Answer:
    """Check programmes as publishing does, each and together: every flaw with its line and its fix. Exit code 2 for flaws."""
    loaded = load(files)
    told = [
        {"file": one.source.file, "programme": one.programme.programme, "version": one.programme.version, "hash": one.programme.hash}
        for one in loaded
    ]
    text = "\n".join(f"{one['file']}: {one['programme']} version {one['version']} can be published" for one in told)
    return Answer({"ok": True, "programmes": told}, text=text)


@rebates.command()
@PROGRAMMES
@FACTS
@DEALERS
@SETTLED
@AS_OF
@KNOWN_AT
@click.option("--dealer", help="Only this dealer's results.")
@click.option("--view", type=click.Choice(["full", "dealer"]), default="full", show_default=True, help="dealer: what the dealer may see.")
@click.option("--out", type=FILE, help="Write results here: .json, .jsonl, .csv or .parquet.")
@click.option(
    "--lines",
    "lines_file",
    type=click.Path(path_type=Path),
    help="Write every line here: .csv, .jsonl, .json or .parquet; of millions a folder too.",
)
@click.option("--schedule", is_flag=True, help="Also what each settlement day up to --as-of pays.")
@answers
def calculate(
    programmes: tuple[Path, ...], facts_file: Path, dealers_file: Path | None, settled_file: Path | None, as_of: date,
    known_at: datetime | None, dealer: str | None, view: View, out: Path | None, lines_file: Path | None, *, schedule: bool,
) -> Answer:  # fmt: skip
    """What every dealer earned, is entitled to and is now to be paid. Needs no database."""
    from channel.rebates.reporting import LINE_COLUMNS, document, lines, of_claims
    from hub_cli import rebates_bulk
    from hub_cli.rebates_outputs import Output, check, write

    _one_dealer(view, dealer)
    read = (*programmes, facts_file, dealers_file, settled_file)
    check({"--out": out}, read)
    loaded = load(programmes)
    if view == "full" and not schedule and dealers_file is None and settled_file is None and rebates_bulk.fits(facts_file, loaded):
        check({"--out": out, "--lines": lines_file}, read, folders=True)
        in_sets = rebates_bulk.calculate(_rebates(loaded)[0], facts_file, as_of, known_at, out, lines_file, dealer)
        if in_sets is not None:
            return in_sets
    check({"--out": out, "--lines": lines_file}, read)
    calculation, found, balances = run(loaded, facts_file, dealers_file, settled_file, as_of, known_at)
    told = document(calculation, view, dealer)
    told.update(of_claims(found, balances, dealer))
    if schedule:
        told["schedule"] = _schedule(loaded, facts_file, dealers_file, as_of, dealer)
    files = []
    if out is not None:
        rows = told if out.suffix.lower() not in (".csv", ".jsonl", ".parquet") else (flat(result) for result in told["results"])
        files.append(Output(out, rows, RESULT_COLUMNS))
    if lines_file is not None:
        files.append(Output(lines_file, lines(calculation, view, dealer), LINE_COLUMNS))
    write(*files)
    return Answer(told, text=_table(told))


@rebates.command()
@PROGRAMMES
@FACTS
@DEALERS
@SETTLED
@AS_OF
@KNOWN_AT
@click.option("--dealer", required=True, help="Whose results to explain.")
@click.option("--line", "line_id", help="Only this fact: does it count, and why not.")
@click.option("--view", type=click.Choice(["full", "dealer"]), default="full", show_default=True, help="dealer: what the dealer may see.")
@click.option(
    "--lang", "--language", "language", type=click.Choice(["zh", "en"]), default="en", show_default=True, help="Language of the sentences."
)
@answers
def explain(
    programmes: tuple[Path, ...], facts_file: Path, dealers_file: Path | None, settled_file: Path | None, as_of: date,
    known_at: datetime | None, dealer: str, line_id: str | None, view: View, language: str,
) -> Answer:  # fmt: skip
    """Why a dealer gets what it gets: each line, the tier, the gates, the rounding, in sentences."""
    from channel.rebates.reporting import document, lines, of_claims

    _one_dealer(view, dealer)
    calculation, found, balances = run(load(programmes), facts_file, dealers_file, settled_file, as_of, known_at)
    told = document(calculation, view, dealer)
    told.update(of_claims(found, balances, dealer))
    told["lines"] = [line for line in lines(calculation, view, dealer) if line_id in (None, line["fact"])]
    if not told["lines"] and not told["results"]:
        what = f"line {line_id} of dealer {dealer}" if line_id else f"dealer {dealer}"
        raise CommandFailed(
            f"there is nothing about {what}", "look at the dealer's code in the facts", code="rebates/not-found", exits=Exit.NOT_FOUND
        )
    said = []
    for result in told["results"] if line_id is None else ():
        said.append(f"{result['programme']} {result['period']['name']} {' '.join(result['scope'].values())}".rstrip())
        said += [f"  {sentence[language]}" for sentence in result["sentences"]]
    said += [f"{line['fact']:<16} {line['date']} {line['base_amount'] or '-':>14}  {line['reason_' + language]}" for line in told["lines"]]
    return Answer(told, text="\n".join(said))


@rebates.command()
@click.option("--current", type=FILE, multiple=True, required=True, help="The programmes as they are now; may be repeated.")
@click.option("--draft", type=FILE, multiple=True, required=True, help="The programmes as they would be; may be repeated.")
@FACTS
@DEALERS
@AS_OF
@KNOWN_AT
@click.option("--out", type=FILE, help="Write the comparison here (.json).")
@answers
def simulate(
    current: tuple[Path, ...], draft: tuple[Path, ...], facts_file: Path, dealers_file: Path | None, as_of: date, known_at: datetime | None,
    out: Path | None,
) -> Answer:  # fmt: skip
    """Compare a draft with the current programme on the same facts: cost by dealer, who moves tier, how far to the next."""
    from channel.rebates.simulating import compare
    from hub_cli import rebates_outputs

    rebates_outputs.check({"--out": out}, (*current, *draft, facts_file, dealers_file))
    before, _, _ = run(load(current), facts_file, dealers_file, None, as_of, known_at)
    after, _, _ = run(load(draft), facts_file, dealers_file, None, as_of, known_at)
    told = compare(before, after)
    if out is not None:
        rebates_outputs.write(rebates_outputs.Output(out, told))
    rows = [
        f"{row['dealer']:<14} {row['current']:>16} {row['draft']:>16} {row['difference']:>16}  {row['moves']}" for row in told["dealers"]
    ]
    head = f"{'dealer':<14} {'current':>16} {'draft':>16} {'difference':>16}  tier"
    totals = [f"{row['currency']:<14} {row['current']:>16} {row['draft']:>16} {row['difference']:>16}" for row in told["totals"]]
    return Answer(told, text="\n".join([head, *rows, *totals]))


def load(files: tuple[Path, ...]) -> list[Loaded]:
    """Programmes from files, checked each and together. Raises: BadProgramme; CommandFailed for a file that cannot be read."""
    from channel.rebates.loading import load_all

    texts = []
    for path in files:
        try:
            texts.append((path.read_bytes(), str(path)))
        except OSError as wrong:
            raise CommandFailed(f"{path}: {wrong.strerror}", "check the path", code="rebates/bad-programme", exits=Exit.USAGE) from wrong
    return load_all(texts)


def run(
    loaded: list[Loaded], facts_file: Path, dealers_file: Path | None, settled_file: Path | None, as_of: date, known_at: datetime | None
) -> tuple[Calculation, list[Claim], list[Balance]]:
    """The calculation on files, and the claims of programmes that pay by claim. Raises: BadFacts, BadProgramme."""
    from channel.rebates.addressing import refuse_unaddressed
    from channel.rebates.calculating import calculate as calculated
    from channel.rebates.claiming import claims
    from channel.rebates.claims import Claimed
    from channel.rebates.facts import joined
    from channel.rebates.units import refuse_mixed
    from hub_cli import rebates_files

    who = rebates_files.dealers(dealers_file) if dealers_file is not None else None
    table = rebates_files.facts(facts_file, who)
    if settled_file is not None:
        table = joined(table, rebates_files.facts(settled_file, who))
    found: list[Claim] = []
    balances: list[Balance] = []
    for one in loaded:
        if isinstance(one.programme, Claimed):
            mine, funds = claims(one.programme, table, as_of=as_of, known_at=known_at, dealers=who)
            found += mine
            balances += funds
    calculation = calculated(_rebates(loaded), table, as_of=as_of, known_at=known_at, dealers=who)
    refuse_mixed(calculation, calculation.programmes, str(facts_file))
    refuse_unaddressed(table.facts, calculation.programmes, str(facts_file))
    return calculation, found, balances


def _rebates(loaded: list[Loaded]) -> list[Programme]:
    from channel.rebates.programme import Programme

    return [one.programme for one in loaded if isinstance(one.programme, Programme)]


def _schedule(loaded: list[Loaded], facts_file: Path, dealers_file: Path | None, as_of: date, dealer: str | None) -> list[dict[str, Any]]:
    from channel.rebates.settling import schedule
    from hub_cli import rebates_files

    who = rebates_files.dealers(dealers_file) if dealers_file is not None else None
    rows = schedule(_rebates(loaded), rebates_files.facts(facts_file, who), as_of, who)
    return [row for row in rows if dealer in (None, row["dealer"])]


def _one_dealer(view: str, dealer: str | None) -> None:
    if view == "dealer" and dealer is None:
        raise click.BadParameter("name the dealer whose view it is", param_hint="--dealer")


RESULT_COLUMNS = (
    "programme", "version", "dealer", "scope", "period", "period_from", "period_to", "currency", "method", "base_amount", "base_quantity",
    "read", "baseline", "target", "tier", "rate", "to_next", "rated", "earned", "entitled", "held", "settled", "disputed", "forfeited",
    "open", "payable", "accrued", "posts_in",
)  # fmt: skip


def flat(result: dict[str, Any]) -> dict[str, Any]:
    """A result as one row of a table."""
    return {
        **{name: result.get(name) for name in RESULT_COLUMNS},
        "scope": ";".join(f"{name}={value}" for name, value in result["scope"].items()),
        "period": result["period"]["name"],
        "period_from": result["period"]["from"],
        "period_to": result["period"]["to"],
        "base_amount": result["base"]["amount"],
        "base_quantity": result["base"]["quantity"],
        "tier": result["tier"]["number"] if result["tier"] else None,
    }


def _table(told: dict[str, Any]) -> str:
    widths = (20, 12, 8, -16, -4, -8, -14, -12, -14)
    heads = ("programme", "dealer", "period", "base", "tier", "rate", "earned", "held", "payable")
    rows = [
        (
            one["programme"], one["dealer"], one["period"]["name"], one["base"]["amount"], one["tier"]["number"] if one["tier"] else "-",
            one["rate"] or "-", one["earned"], one["held"], one["payable"],
        )
        for one in told["results"]
    ]  # fmt: skip
    lines = [
        " ".join(str(cell).rjust(-width) if width < 0 else str(cell).ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in (heads, *rows)
    ]
    lines += [
        f"{one['programme']:<20} {one['dealer']:<12} {one['fact']:<16} {one['payable']:>14} {one['why'] or ''}".rstrip()
        for one in told["claims"]
    ]
    lines += [
        f"{one['programme']:<20} {one['dealer']:<12} {one['period']['name']:<8} filled {one['filled']}, left {one['left']}"
        for one in told["funds"]
    ]
    return "\n".join([*lines, *(f"{one['programme']}: payable {one['payable']} {one['currency']}" for one in told["totals"])])
