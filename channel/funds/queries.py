"""Statements about funds, claims and price cuts. Amounts are in the programme's currency, days are business days (Asia/Shanghai)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter

from canonical.values import decimal_text
from channel.rebates import fact_queries
from channel.rebates.claims import Claimed, ClaimProgramme
from channel.rebates.facts import Fact
from channel.rebates.numbering import letters
from channel.rebates.queries import Connection, Row, one, rows
from channel.rebates.selecting import Dealer
from channel.rebates.values import FIRST_DAY
from ledger.bulk import from_json, json_text

TYPES: Final = ("fund", "ship_and_debit", "price_protection")
LIVE: Final = ("planned", "agreed", "submitted", "approved", "paid")
"""States in which a claim holds what it is for."""
_PROGRAMME: Final[TypeAdapter[Claimed]] = TypeAdapter(ClaimProgramme)
_YEAR: Final = "to_char(clock_timestamp() AT TIME ZONE 'Asia/Shanghai', 'YYYY')"
_NEXT: Final = f"{_YEAR} || '-' || lpad(nextval('claim_number')::text, 6, '0')"


def lock(db: Connection, programme: str) -> None:
    """Claims of one programme are judged one at a time, so that each sees what those before it took."""
    db.execute("SELECT pg_advisory_xact_lock(hashtextextended('fund ' || %s, 0))", [programme])


# Programmes and dealers ------------------------------------------------------------------------------------------------------


def programmes(db: Connection, name: str | None = None) -> list[Claimed]:
    """The newest version of each programme of claims, or of the one named."""
    query = (
        "SELECT DISTINCT ON (programme) doc::text AS doc FROM programme_version WHERE type <> 'rebate' "
        "AND (%(name)s::text IS NULL OR programme = %(name)s) ORDER BY programme, version DESC"
    )
    return [_PROGRAMME.validate_python(from_json(row["doc"])) for row in rows(db, query, {"name": name})]


_DEALERS: Final = (
    "SELECT p.id AS dealer_id, coalesce(nullif(p.number, ''), p.hub_key) AS dealer, coalesce(p.level, '') AS grade, "
    "coalesce((SELECT t.region FROM territorys AS t WHERE t.party_id = p.id AND NOT t.retired AND t.region <> '' "
    "AND (t.valid_from IS NULL OR t.valid_from <= %(day)s) AND (t.valid_to IS NULL OR t.valid_to >= %(day)s) ORDER BY t.region LIMIT 1), "
    "p.province, '') AS region, coalesce(p.channel_type, '') AS channel, "
    "coalesce((SELECT coalesce(nullif(u.number, ''), u.hub_key) FROM parties AS u WHERE u.id = p.parent_id), '') AS parent "
    "FROM parties AS p WHERE NOT p.retired "
)


def dealers(db: Connection, day: date) -> dict[UUID, Dealer]:
    """All dealers as they are on a day, by party."""
    found = rows(db, f"{_DEALERS} AND (p.doc->'roles')::jsonb ? 'dealer' ORDER BY dealer", {"day": day})
    return {row["dealer_id"]: _dealer(row) for row in found}


def dealer(db: Connection, dealer_id: UUID, day: date) -> Dealer | None:
    """One dealer as it is on a day."""
    found = one(db, f"{_DEALERS} AND p.id = %(id)s", {"day": day, "id": dealer_id})
    return None if found is None else _dealer(found)


def _dealer(row: Row) -> Dealer:
    return Dealer(row["dealer"], row["grade"], row["region"], row["channel"], row["parent"])


# The fund --------------------------------------------------------------------------------------------------------------------


def balances(db: Connection, *, programme: str | None = None, dealers: Sequence[UUID] | None = None) -> list[Row]:
    """What stands in the funds, by programme, dealer and period; of some parties, or of all."""
    query = (
        "SELECT programme, dealer, dealer_id, period, currency, accrued, available, frozen, used, expired FROM fund_balance "
        "WHERE (%(programme)s::text IS NULL OR programme = %(programme)s) "
        "AND (%(dealers)s::uuid[] IS NULL OR dealer_id = ANY(%(dealers)s)) ORDER BY 1, 2, 4"
    )
    return rows(db, query, {"programme": programme, "dealers": None if dealers is None else list(dealers)})


def balance(db: Connection, programme: str, dealer: str, period: str) -> Row | None:
    """What stands in one fund."""
    query = "SELECT * FROM fund_balance WHERE (programme, dealer, period) = (%s, %s, %s)"
    return one(db, query, [programme, dealer, period])


def filled(db: Connection, programme: str) -> dict[tuple[str, str], Decimal]:
    """What the programme itself has filled, by dealer and period."""
    query = "SELECT dealer, period, sum(amount) AS amount FROM fund_entry WHERE programme = %s AND cause = 'fill' GROUP BY 1, 2"
    return {(row["dealer"], row["period"]): row["amount"] for row in rows(db, query, [programme])}


def taken(db: Connection, programme: str, period: str) -> Decimal:
    """What the claims of all dealers hold or have used in a period."""
    query = "SELECT coalesce(sum(frozen + used), 0) AS amount FROM fund_balance WHERE programme = %s AND period = %s"
    found = one(db, query, [programme, period])
    return Decimal(found["amount"]) if found else Decimal(0)


def book(
    db: Connection, key: Row, period: str, moves: Mapping[str, Decimal], *, cause: str, booking: UUID, by: str, note: str = ""
) -> None:
    """Entries of one booking. key: programme, dealer, dealer_id, currency, and claim for what a claim moves; what is taken comes first."""
    for account, amount in sorted(moves.items(), key=lambda move: move[1]):
        if amount:
            db.execute(
                "INSERT INTO fund_entry "
                "(programme, dealer, dealer_id, period, currency, account, amount, booking, cause, claim_id, note, by) "
                "VALUES (%(programme)s, %(dealer)s, %(dealer_id)s, %(period)s, %(currency)s, %(account)s, %(amount)s, %(booking)s, "
                "%(cause)s, %(claim)s, %(note)s, %(by)s)",
                {
                    "claim": None, **key, "period": period, "account": account, "amount": amount, "booking": booking, "cause": cause,
                    "note": note, "by": by,
                },
            )  # fmt: skip


def entries(db: Connection, programme: str, dealer_id: UUID) -> list[Row]:
    """Every entry of one dealer's fund, oldest first."""
    query = (
        "SELECT id, at, period, account, amount, currency, cause, claim_id, note FROM fund_entry "
        "WHERE programme = %s AND dealer_id = %s ORDER BY id"
    )
    return rows(db, query, [programme, dealer_id])


# Claims ----------------------------------------------------------------------------------------------------------------------


def new_number(db: Connection, kind: str, said: Sequence[str]) -> str:
    """The next number of its kind (`FC` claim, `PC` price cut): `FC-2026-000001-7KQ2M9`, the letters of what it says."""
    found = one(db, f"SELECT {_NEXT} AS id")
    assert found is not None  # noqa: S101  a SELECT without FROM gives a row
    return f"{kind}-{found['id']}-{letters(said)}"


def add_claim(db: Connection, values: Mapping[str, Any]) -> None:
    """A claim as it was handed in."""
    names = (
        "id", "programme", "version", "type", "dealer", "dealer_id", "period", "currency", "on_day", "due_on", "asked", "judged", "worth",
        "state", "handed_in_by",
    )  # fmt: skip
    kept = {**values, "asked": json_text(values["asked"]), "judged": json_text(values["judged"])}
    marks = ", ".join(f"%({name})s" for name in names)
    db.execute(f"INSERT INTO fund_claim ({', '.join(names)}) VALUES ({marks})".encode(), kept)


def set_claim(db: Connection, number: str, values: Mapping[str, Any]) -> None:
    """Change what may still change of a claim."""
    kept = {name: json_text(value) if name in ("asked", "judged") else value for name, value in values.items()}
    told = ", ".join(f"{name} = %({name})s" for name in kept)
    db.execute(f"UPDATE fund_claim SET {told} WHERE id = %(id)s".encode(), {**kept, "id": number})


def event(db: Connection, number: str, what: str, by: str, note: str = "", doc: Mapping[str, Any] | None = None) -> None:
    """Something happened to a claim."""
    query = "INSERT INTO fund_claim_event (claim_id, what, by, note, doc) VALUES (%s, %s, %s, %s, %s)"
    db.execute(query, [number, what, by, note, None if doc is None else json_text(doc)])


def events(db: Connection, number: str) -> list[Row]:
    """What happened to a claim, oldest first."""
    return rows(db, "SELECT what, by, note, at FROM fund_claim_event WHERE claim_id = %s ORDER BY id", [number])


def claim(db: Connection, number: str, *, lock_it: bool = False) -> Row | None:
    """One claim."""
    return one(db, f"SELECT * FROM fund_claim WHERE id = %s{' FOR UPDATE' if lock_it else ''}", [number])


def claims(db: Connection, *, dealers: Sequence[UUID] | None = None, state: str | None = None, programme: str | None = None) -> list[Row]:
    """Claims by number; of some parties, in a state, of a programme."""
    query = (
        "SELECT * FROM fund_claim WHERE (%(dealers)s::uuid[] IS NULL OR dealer_id = ANY(%(dealers)s)) "
        "AND (%(state)s::text IS NULL OR state = %(state)s) AND (%(programme)s::text IS NULL OR programme = %(programme)s) ORDER BY id"
    )
    return rows(db, query, {"dealers": None if dealers is None else list(dealers), "state": state, "programme": programme})


def take_keys(db: Connection, number: str, type_: str, keys: Sequence[str]) -> tuple[str, Row] | None:
    """Take what the claim is for; None when all of it was free, else what was not, and the claim (id, dealer_id) that has it.

    A claim at the same instant is waited for.
    """
    own = {row["key"] for row in rows(db, "SELECT key FROM fund_claim_key WHERE claim_id = %s AND live", [number])}
    for key in sorted(set(keys) - own):
        while not _taken(db, number, type_, key):
            query = (
                "SELECT c.id, c.dealer_id FROM fund_claim_key AS k JOIN fund_claim AS c ON c.id = k.claim_id "
                "WHERE k.type = %s AND k.key = %s AND k.live"
            )
            if (holder := one(db, query, [type_, key])) is not None:
                return key, holder
    return None


def _taken(db: Connection, number: str, type_: str, key: str) -> bool:
    query = "INSERT INTO fund_claim_key (claim_id, type, key) VALUES (%s, %s, %s) ON CONFLICT (type, key) WHERE live DO NOTHING"
    return db.execute(query, [number, type_, key]).rowcount == 1


def free_keys(db: Connection, number: str) -> None:
    """What the claim was for may be claimed again."""
    db.execute("UPDATE fund_claim_key SET live = false WHERE claim_id = %s", [number])


def contract_units(db: Connection, programme: str, *, without: str = "") -> dict[str, Fraction]:
    """Units of each contract that live claims use."""
    query = (
        "SELECT judged->>'contract' AS contract, sum((judged->>'quantity')::numeric) AS units FROM fund_claim "
        "WHERE programme = %s AND state = ANY(%s) AND id <> %s AND judged->>'contract' IS NOT NULL GROUP BY 1"
    )
    return {row["contract"]: Fraction(row["units"]) for row in rows(db, query, [programme, list(LIVE), without])}


def lock_stock(db: Connection, dealer_id: UUID, product: str) -> None:
    """Claims for one dealer's stock of one product are judged one at a time, whatever the programme and the cut."""
    db.execute("SELECT pg_advisory_xact_lock(hashtextextended('stock ' || %s || ' ' || %s, 0))", [str(dealer_id), product])


def cut_units(db: Connection, dealer_id: UUID, cut: str) -> list[Row]:
    """Price cuts that announce the same fall as one, itself among them, with the `units` that a dealer's live claims hold of each."""
    query = (
        "SELECT o.id, o.product, o.on_day, o.old_price, o.new_price, sum((c.judged->>'quantity')::numeric) AS units "
        "FROM price_cut AS p JOIN price_cut AS o ON one_fall(p, o) JOIN fund_claim AS c ON c.asked->>'cut' = o.id "
        "WHERE p.id = %s AND c.type = 'price_protection' AND c.dealer_id = %s AND c.state = ANY(%s) GROUP BY o.id ORDER BY o.id"
    )
    return rows(db, query, [cut, dealer_id, list(LIVE)])


def automatic(db: Connection, programme: str, dealer: str, period: str) -> Decimal:
    """What a dealer's claims got by the rule alone in a period."""
    query = (
        "SELECT coalesce(sum(allowed), 0) AS amount FROM fund_claim "
        "WHERE (programme, dealer, period) = (%s, %s, %s) AND automatic AND state IN ('approved', 'paid')"
    )
    found = one(db, query, [programme, dealer, period])
    return Decimal(found["amount"]) if found else Decimal(0)


def overdue(db: Connection, today: date) -> list[Row]:
    """Plans that were agreed and not followed by a claim in time, or that nobody agreed to before their last day."""
    return rows(db, "SELECT * FROM fund_claim WHERE state IN ('planned', 'agreed') AND due_on < %s ORDER BY id FOR UPDATE", [today])


# Price cuts and stock --------------------------------------------------------------------------------------------------------


def add_cut(db: Connection, values: Mapping[str, Any]) -> str:
    """Announce a price cut; its number. The same cut again keeps its number. None of an announced cut changes."""
    there = "SELECT id FROM price_cut WHERE (product, dealer, on_day, currency) = (%(product)s, %(dealer)s, %(on)s, %(currency)s)"
    said = [
        values["product"],
        values["dealer"],
        str(values["on"]),
        decimal_text(values["old"]),
        decimal_text(values["new"]),
        values["currency"],
    ]
    found = (
        one(db, there, values)
        or one(
            db,
            "INSERT INTO price_cut (id, product, dealer, on_day, old_price, new_price, currency, note, by) VALUES (%(id)s, "
            "%(product)s, %(dealer)s, %(on)s, %(old)s, %(new)s, %(currency)s, %(note)s, %(by)s) "
            "ON CONFLICT (product, dealer, on_day, currency) DO NOTHING RETURNING id",
            {**values, "id": new_number(db, "PC", said)},
        )
        or one(db, there, values)
    )
    assert found is not None  # noqa: S101  it conflicted with one that never goes
    return str(found["id"])


def cuts(db: Connection, number: str | None = None) -> list[Row]:
    """Price cuts by number, or the one."""
    return rows(db, "SELECT * FROM price_cut WHERE %(id)s::text IS NULL OR id = %(id)s ORDER BY id", {"id": number})


def moves(db: Connection, dealer_id: UUID, dealer: str, product: str, until: date) -> list[Fact]:
    """What is known of a dealer's stock of a product: facts up to a day, and counts of its own stock."""
    found = [
        fact
        for fact in fact_queries.facts(db, FIRST_DAY, until + timedelta(days=1), dealers=[dealer])
        if fact.product == product and fact.kind in ("stock", "sale", "return", "sell_out")
    ]
    query = (
        "SELECT max(s.id::text) AS id, ((s.doc->>'as_of')::timestamptz AT TIME ZONE 'Asia/Shanghai')::date AS day, "
        "sum(s.quantity) AS quantity FROM stock_levels AS s JOIN products AS p ON p.id = s.product_id "
        "WHERE s.holder_id = %s AND p.number = %s AND NOT s.retired AND s.doc->>'as_of' IS NOT NULL AND s.quantity IS NOT NULL GROUP BY 2"
    )
    return found + [
        Fact(id=f"stock:{row['id']}", kind="stock", dealer=dealer, date=row["day"], quantity=row["quantity"], product=product)
        for row in rows(db, query, [dealer_id, product])
    ]


# Payouts ---------------------------------------------------------------------------------------------------------------------


def unpaid(db: Connection) -> list[Row]:
    """Approved claims that nothing has paid yet."""
    return rows(db, "SELECT * FROM fund_claim WHERE state = 'approved' ORDER BY dealer, currency, type, id FOR UPDATE")


def add_paid(db: Connection, number: str, payout: str, amount: Decimal) -> None:
    """A payout pays a claim."""
    db.execute("INSERT INTO fund_payout_item (claim_id, payout_id, amount) VALUES (%s, %s, %s)", [number, payout, amount])


def payout_of(db: Connection, number: str) -> str:
    """Which payout pays a claim; empty: none yet."""
    found = one(db, "SELECT payout_id FROM fund_payout_item WHERE claim_id = %s", [number])
    return str(found["payout_id"]) if found else ""
