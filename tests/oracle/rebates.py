"""Rebates: what programmes owe each dealer, reckoned from the ERP's documents alone, and whether the ERP's memos pay exactly that.

The judge reads Kingdee's records and, as plain rows, what the hub's ledger says that it settled and paid. Amounts are in CNY; each
result is rounded once, half-up to the fen. A day is the document's business day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from tests.oracle.door import Door
from tests.oracle.evidence import counts, lines
from tests.oracle.values import Doc, day, number, ref, text
from tests.oracle.verdict import Finding

FEN = Decimal("0.01")
DOCUMENTS: Mapping[str, tuple[str, str, str, str, str]] = {
    "order": ("sales_orders", "FDate", "FCustId", "FSaleOrderEntry", "FAmount"),
    "invoice": ("receivables", "FDATE", "FCUSTOMERID", "FEntityDetail", "FNoTaxAmountFor_D"),
}
"""Event -> stream, its day, its customer, its lines, a line's amount without tax. Red receivables are negative by themselves."""
FINANCIAL = "3"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a programme promises, as a person reads it."""

    programme: str
    event: Literal["order", "invoice"]
    periods: tuple[tuple[str, str], ...]
    """First day, and first day after the last."""
    tiers: tuple[tuple[Decimal, Decimal], ...]
    """From, rate; ascending."""
    marginal: bool
    """Each tier pays on what lies inside of it; else the reached tier pays on all."""
    tax_rate: Decimal


@dataclass(frozen=True, slots=True)
class Settled:
    """What the hub's ledger says that it settled for a dealer (by the ERP's number) under a programme, and how much no payout has paid."""

    dealer: str
    programme: str
    amount: Decimal
    waiting: Decimal


@dataclass(frozen=True, slots=True)
class Paid:
    """A payout as the hub's statement of payouts tells it: positive amounts, tax inside of the total."""

    id: str
    dealer: str
    tax_rate: Decimal
    total: Decimal
    tax: Decimal


def earned(terms: Terms, base: Decimal) -> Decimal:
    """What a period's base earns, to the fen; nothing for a base below zero."""
    if base <= 0:
        return Decimal(0)
    if not terms.marginal:
        rate = max((tier for tier in terms.tiers if tier[0] <= base), default=(Decimal(0), Decimal(0)))[1]
        return (base * rate).quantize(FEN, ROUND_HALF_UP)
    whole = Decimal(0)
    ends = [*(tier[0] for tier in terms.tiers[1:]), base]
    for (start, rate), end in zip(terms.tiers, ends, strict=True):
        whole += max(min(base, end) - start, Decimal(0)) * rate
    return whole.quantize(FEN, ROUND_HALF_UP)


def owed(terms: Terms, documents: Iterable[Doc], as_of: str) -> dict[str, Decimal]:
    """Dealer -> what the documents earn him up to a day, over all periods."""
    _, dated, customer, entry, amount = DOCUMENTS[terms.event]
    bases: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for doc in filter(counts, documents):
        if terms.event == "invoice" and text(doc.get("FSetAccountType")) != FINANCIAL:
            continue
        on = day(doc.get(dated))
        for begins, ends in terms.periods:
            if begins <= on < ends and on <= as_of:
                bases[ref(doc, customer), begins] += sum((number(row.get(amount)) for row in lines(doc, entry)), Decimal(0))
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for (dealer, _), base in bases.items():
        found[dealer] += earned(terms, base)
    return {dealer: amount for dealer, amount in found.items() if amount}


def judge_rebates(kingdee_url: str, terms: Sequence[Terms], settled: Sequence[Settled], paid: Sequence[Paid], as_of: str) -> list[Finding]:
    """What is wrong with the money of the programmes, by the ERP as it is now."""
    door = Door(kingdee_url)
    documents = {one.event: door.records(DOCUMENTS[one.event][0]) for one in terms}
    return [
        *judge_settled({one.programme: owed(one, documents[one.event], as_of) for one in terms}, settled),
        *judge_paid({one.programme: one.tax_rate for one in terms}, settled, paid),
        *judge_memos(door.records("other_receivables"), paid),
    ]


def judge_settled(expected: Mapping[str, Mapping[str, Decimal]], settled: Sequence[Settled]) -> list[Finding]:
    """Settled is what the documents earn, for each dealer and programme, neither more nor less; and so in total."""
    said: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for one in settled:
        said[one.programme, one.dealer] += one.amount
    wanted = {(programme, dealer): amount for programme, by_dealer in expected.items() for dealer, amount in by_dealer.items()}
    wrong = [
        Finding(
            "settled otherwise", "hub", programme, dealer, "amount", text(wanted.get((programme, dealer), 0)), text(said[programme, dealer])
        )
        for programme, dealer in sorted({*wanted, *said})
        if wanted.get((programme, dealer), Decimal(0)) != said[programme, dealer]
    ]
    total, told = sum(wanted.values(), Decimal(0)), sum(said.values(), Decimal(0))
    if total != told:
        wrong.append(Finding("settled otherwise", "hub", "all", "total", "amount", text(total), text(told)))
    return wrong


def judge_paid(tax_rates: Mapping[str, Decimal], settled: Sequence[Settled], paid: Sequence[Paid]) -> list[Finding]:
    """All that was settled is paid, but for what adds up to nothing or less: that waits for later settlements."""
    due: defaultdict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
    waiting: defaultdict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
    for one in settled:
        due[one.dealer, tax_rates[one.programme]] += one.amount
        waiting[one.dealer, tax_rates[one.programme]] += one.waiting
    out: defaultdict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
    wrong = []
    for payout in paid:
        out[payout.dealer, payout.tax_rate] += payout.total
        tax = payout.total - (payout.total / (1 + payout.tax_rate)).quantize(FEN, ROUND_HALF_UP)
        if tax != payout.tax:
            wrong.append(Finding("differs", "hub", "payouts", payout.id, "tax", text(tax), text(payout.tax)))
    for who in sorted({*due, *out}):
        if waiting[who] > 0:
            wrong.append(Finding("not paid", "hub", "payouts", who[0], "waiting", "0 or less", text(waiting[who])))
        if out[who] + waiting[who] != due[who]:
            wrong.append(Finding("paid otherwise", "hub", "payouts", who[0], "total", text(due[who] - waiting[who]), text(out[who])))
    return wrong


def judge_memos(memos: Sequence[Doc], paid: Sequence[Paid]) -> list[Finding]:
    """Each payout stands in the ERP as exactly one red other receivable: its number, its dealer, its amounts to the fen, audited."""
    found: defaultdict[str, list[Doc]] = defaultdict(list)
    for doc in memos:
        if text(doc.get("F_HUB_PAYOUT")) and text(doc.get("FCancelStatus")) != "B":
            found[text(doc.get("F_HUB_PAYOUT"))].append(doc)
    wrong = []
    for payout in paid:
        booked = found.pop(payout.id, [])
        if not booked:
            wrong.append(Finding("lost memo", "kingdee", "other_receivables", payout.id, expected=f"{payout.total} for {payout.dealer}"))
        if len(booked) > 1:
            numbers = ", ".join(text(doc.get("FBillNo")) for doc in booked)
            wrong.append(Finding("two memos of one payout", "kingdee", "other_receivables", payout.id, expected=numbers))
        wrong += [one for doc in booked for one in _memo(doc, payout)]
    wrong += [Finding("memo of no payout", "kingdee", "other_receivables", payout) for payout in sorted(found)]
    return wrong


def _memo(doc: Doc, payout: Paid) -> list[Finding]:
    rows = lines(doc, "FEntity")
    expected = (
        ("FCONTACTUNIT", payout.dealer, ref(doc, "FCONTACTUNIT")),
        ("FDOCUMENTSTATUS", "C", text(doc.get("FDocumentStatus", doc.get("FDOCUMENTSTATUS")))),
        ("FCURRENCYID", "PRE001", ref(doc, "FCURRENCYID")),
        ("FAMOUNTFOR", -payout.total, number(doc.get("FAMOUNTFOR"))),
        ("FAMOUNTFOR_D", -payout.total, sum((number(row.get("FAMOUNTFOR_D")) for row in rows), Decimal(0))),
        ("FTAXAMOUNTFOR", -payout.tax, sum((number(row.get("FTAXAMOUNTFOR")) for row in rows), Decimal(0))),
    )
    return [
        Finding("differs", "kingdee", "other_receivables", payout.id, name, text(want), text(have))
        for name, want, have in expected
        if want != have
    ]
