"""特批价 on the ledger: asked for, decided, used by lines of quotes and orders up to a ceiling that the database keeps, given back.

Everything is done within the caller's transaction. A line uses a price once: the same reference again changes nothing, another quantity
changes what it uses, nothing gives it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Literal
from uuid import UUID

import psycopg

from canonical.currencies import CODES, instead, places
from canonical.rounding import half_up
from channel.errors import ChannelError
from channel.pricing import asker_queries
from channel.pricing.errors import BadPricing, Mistake
from channel.pricing.queries import Connection, rows

Row = dict[str, Any]


class OverCeiling(ChannelError):
    """A line wants more of a special price than is left."""

    code: ClassVar[str] = "pricing/over-ceiling"


class SpecialState(ChannelError):
    """The special price is not approved, or was decided already."""

    code: ClassVar[str] = "pricing/special-state"


class SpecialNotFound(ChannelError):
    """There is no such special price."""

    kind: ClassVar[str] = "not_found"
    code: ClassVar[str] = "pricing/special-not-found"


@dataclass(frozen=True, slots=True)
class SpecialItem:
    """An item of a special price; `ceiling` in base units."""

    item: str
    price: Decimal
    ceiling: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for. Names by number, hub key or id; days half-open; amounts on the side of the prices."""

    dealer: str
    project: str
    items: Sequence[SpecialItem]
    company: str = ""
    currency: str = "CNY"
    tax_included: bool = False
    valid_from: date | None = None
    valid_to: date | None = None
    over_ceiling: Literal["next_kind", "refuse"] = "next_kind"
    ceiling_amount: Decimal | None = None
    reason: str = ""


def ask(db: Connection, wanted: Wanted, *, by: str, today: date) -> str:
    """Ask for a special price; its number. It prices nothing until somebody approves it.

    Raises: BadPricing for names that nobody has, a project of another dealer, days or items that contradict each other.
    """
    wrong: list[Mistake] = []
    dealer = asker_queries.party(db, wanted.dealer, today)
    if dealer is None:
        wrong.append(Mistake("dealer", f"there is no dealer {wanted.dealer!r}", "use its number, hub key or id"))
    found = asker_queries.projects(db, wanted.project)
    mine = [one for one in found if dealer is not None and one.dealer == dealer.name]
    if dealer is not None and not mine:
        wrong.append(Mistake("project", f"{dealer.name} has registered no project {wanted.project!r}", "name a registration, or its deal"))
    products = _products(db, wanted.items, wrong)
    company = rows(db, "SELECT id FROM companies WHERE number = %s", [wanted.company]) if wanted.company else []
    if wanted.company and not company:
        wrong.append(Mistake("company", f"there is no company {wanted.company!r} of ours", "use its number, or leave it out"))
    if wanted.currency not in CODES:
        wrong.append(Mistake("currency", f"{wanted.currency!r} is no code of ISO 4217", f"write {instead(wanted.currency)}"))
    if wanted.valid_from and wanted.valid_to and wanted.valid_to <= wanted.valid_from:
        wrong.append(Mistake("valid_to", "it ends before it begins", "valid_to is the day after the last"))
    if wrong or dealer is None:
        raise BadPricing(wrong)
    values = {
        "dealer": dealer.id, "registration": mine[0].id, "deal": mine[0].deal_id, "company": company[0]["id"] if company else None,
        "currency": wanted.currency, "included": wanted.tax_included, "from": wanted.valid_from, "to": wanted.valid_to,
        "over": wanted.over_ceiling, "amount": wanted.ceiling_amount, "reason": wanted.reason, "by": by,
    }  # fmt: skip
    number = str(rows(db, _ASK, values)[0]["id"])
    for one in wanted.items:
        db.execute(
            "INSERT INTO special_price_item (special_id, product_id, price, ceiling) VALUES (%s, %s, %s, %s)",
            [number, products[one.item], one.price, one.ceiling],
        )
    _note(db, number, "asked", by, wanted.reason)
    return number


_ASK = (
    "INSERT INTO special_price (id, dealer_id, registration_id, deal_id, company_id, currency, tax_included, valid_from, valid_to, "
    "over_ceiling, ceiling_amount, reason, asked_by) VALUES ('SP-' || to_char(clock_timestamp() AT TIME ZONE 'Asia/Shanghai', 'YYYY') "
    "|| '-' || lpad(nextval('special_price_number')::text, 6, '0'), %(dealer)s, %(registration)s, %(deal)s, %(company)s, %(currency)s, "
    "%(included)s, %(from)s, %(to)s, %(over)s, %(amount)s, %(reason)s, %(by)s) RETURNING id"
)


def _products(db: Connection, items: Sequence[SpecialItem], wrong: list[Mistake]) -> dict[str, UUID]:
    found: dict[str, UUID] = {}
    for at, one in enumerate(items):
        query = "SELECT id FROM products WHERE (number = %(n)s OR hub_key = %(n)s OR id::text = %(n)s) AND NOT retired ORDER BY id LIMIT 1"
        found_rows = rows(db, query, {"n": one.item})
        if not found_rows:
            wrong.append(Mistake(f"items.{at}.item", f"there is no item {one.item!r}", "use a product's number"))
        elif found_rows[0]["id"] in found.values():
            wrong.append(Mistake(f"items.{at}.item", f"{one.item} stands twice", "keep one"))
        else:
            found[one.item] = found_rows[0]["id"]
        if one.price < 0 or (one.ceiling is not None and one.ceiling <= 0):
            wrong.append(Mistake(f"items.{at}", "a price is negative, or a ceiling is not above zero", "mend it"))
    if not items:
        wrong.append(Mistake("items", "it has no items", "write at least one"))
    return found


def _note(db: Connection, number: str, what: str, by: str, note: str) -> None:
    db.execute("INSERT INTO special_price_event (special_id, what, by, note) VALUES (%s, %s, %s, %s)", [number, what, by, note])


def decide(db: Connection, number: str, answer: Literal["approved", "rejected", "ended"], *, by: str, reason: str = "") -> None:
    """Approve or reject what was asked for, or end what was approved; the same answer again changes nothing.

    Raises: SpecialNotFound, SpecialState.
    """
    found = rows(db, "SELECT state FROM special_price WHERE id = %s FOR UPDATE", [number])
    if not found:
        raise SpecialNotFound(f"there is no special price {number}")
    if found[0]["state"] == answer:
        return
    if found[0]["state"] != ("approved" if answer == "ended" else "asked"):
        raise SpecialState(f"special price {number} is {found[0]['state']}", next_step="ask for a new one")
    db.execute("UPDATE special_price SET state = %s, decided_by = %s, decided_at = clock_timestamp() WHERE id = %s", [answer, by, number])
    _note(db, number, answer, by, reason)


def consume(
    db: Connection, special: str, reference: str, quantity: Decimal, *, by: str, item: str = "", on: date | None = None
) -> Decimal | None:
    """A line uses a special price: what it uses in all is `quantity` base units at its price afterwards. Returns what is left.

    `reference`: the line, e.g. `order:SO-1/10`; said again with the same figures it changes nothing. `item`: where the price has several.
    The amount that counts is quantity x special price, as when a cart is priced: not what was taken off by hand, nor freight, nor another
    currency. Raises: OverCeiling when less is left, whoever else takes at this moment; SpecialNotFound; SpecialState when it is not
    approved, or does not hold on the day.
    """
    found = rows(db, "SELECT state, valid_from, valid_to, currency FROM special_price WHERE id = %s FOR NO KEY UPDATE", [special])
    if not found:
        raise SpecialNotFound(f"there is no special price {special}")
    product, price = _product_of(db, special, item)
    head = found[0]
    amount = half_up(price * quantity, places(head["currency"]))
    used = rows(
        db, "SELECT quantity FROM special_price_use WHERE (reference, special_id, product_id) = (%s, %s, %s)", [reference, special, product]
    )
    less = bool(used) and quantity <= used[0]["quantity"]
    if head["state"] != "approved" and not less:
        raise SpecialState(f"special price {special} is {head['state']}", next_step="price the line anew")
    if on is not None and not less and not (head["valid_from"] or date.min) <= on < (head["valid_to"] or date.max):
        raise SpecialState(f"special price {special} does not hold on {on}", next_step="price the line anew")
    try:
        with db.transaction():
            db.execute(
                "INSERT INTO special_price_use (special_id, product_id, reference, quantity, amount, by) VALUES (%s, %s, %s, %s, %s, %s) "
                "ON CONFLICT (reference, special_id, product_id) DO UPDATE SET quantity = excluded.quantity, amount = excluded.amount, "
                "by = excluded.by WHERE (special_price_use.quantity, special_price_use.amount) <> (excluded.quantity, excluded.amount)",
                [special, product, reference, quantity, amount, by],
            )
    except psycopg.errors.CheckViolation as refused:
        if refused.diag.constraint_name not in ("special_price_within_ceiling", "special_price_amount_within_ceiling"):
            raise
        raise OverCeiling(
            f"{reference} wants {quantity} of {item or 'the item'} from special price {special}, which has not so much left",
            next_step="take less, or price the line anew",
        ) from None
    left = rows(
        db, "SELECT ceiling - consumed AS rest FROM special_price_item WHERE (special_id, product_id) = (%s, %s)", [special, product]
    )
    return left[0]["rest"]  # type: ignore[no-any-return]  # a row of names and values


def _product_of(db: Connection, special: str, item: str) -> tuple[UUID, Decimal]:
    """The product, and its special price."""
    query = (
        "SELECT i.product_id, i.price FROM special_price_item AS i JOIN products AS p ON p.id = i.product_id "
        "WHERE i.special_id = %(special)s "
        "AND (%(item)s = '' OR p.number = %(item)s OR p.hub_key = %(item)s OR p.id::text = %(item)s) LIMIT 2"
    )
    found = rows(db, query, {"special": special, "item": item})
    if len(found) != 1:
        raise SpecialNotFound(
            f"special price {special} has {'several items' if found else f'no item {item}'}", next_step="name one of its items"
        )
    return found[0]["product_id"], found[0]["price"]


def give_back(db: Connection, reference: str, *, by: str) -> int:
    """A line was voided: it uses no special price any more. How many prices got something back; a second time none."""
    specials = rows(
        db,
        "SELECT DISTINCT special_id FROM special_price_use WHERE reference = %s AND (quantity > 0 OR amount > 0) ORDER BY special_id",
        [reference],
    )
    for one in specials:
        db.execute("SELECT FROM special_price WHERE id = %s FOR NO KEY UPDATE", [one["special_id"]])
        db.execute(
            "UPDATE special_price_use SET quantity = 0, amount = 0, by = %s WHERE reference = %s AND special_id = %s",
            [by, reference, one["special_id"]],
        )
    return len(specials)


SHOWN = """
SELECT s.id, s.dealer_id, coalesce(nullif(p.number, ''), p.hub_key) AS dealer, p.name AS dealer_name,
    coalesce(nullif(e.number, ''), s.registration_id::text) AS project, coalesce(o.number, '') AS company, s.currency, s.tax_included,
    s.valid_from, s.valid_to, s.over_ceiling, s.ceiling_amount, s.consumed_amount, s.state, s.reason, s.asked_by, s.asked_at, s.decided_by,
    s.decided_at
FROM special_price AS s JOIN parties AS p ON p.id = s.dealer_id LEFT JOIN companies AS o ON o.id = s.company_id
    LEFT JOIN registration AS r ON r.id = s.registration_id LEFT JOIN deals AS e ON e.id = coalesce(s.deal_id, r.deal_id)
"""


def show(db: Connection, number: str) -> Row:
    """A special price with its items and what is used of them. Raises: SpecialNotFound."""
    found = rows(db, f"{SHOWN} WHERE s.id = %s", [number])
    if not found:
        raise SpecialNotFound(f"there is no special price {number}")
    return found[0] | {"items": items(db, number), "uses": uses(db, number)}


def specials(db: Connection, *, dealer: UUID | None = None, state: str | None = None, after: str = "", limit: int = 100) -> list[Row]:
    """Special prices in the order of their numbers, without their uses."""
    query = (
        f"{SHOWN} WHERE s.id > %(after)s AND (%(dealer)s::uuid IS NULL OR s.dealer_id = %(dealer)s) "
        "AND (%(state)s::text IS NULL OR s.state = %(state)s) ORDER BY s.id LIMIT %(limit)s"
    )
    return rows(db, query, {"after": after, "dealer": dealer, "state": state, "limit": limit})


def items(db: Connection, number: str) -> list[Row]:
    """Its items: price, ceiling, consumed, left."""
    query = (
        "SELECT coalesce(nullif(p.number, ''), p.hub_key) AS item, p.name, i.price, i.ceiling, i.consumed, i.ceiling - i.consumed AS rest "
        "FROM special_price_item AS i JOIN products AS p ON p.id = i.product_id WHERE i.special_id = %s ORDER BY 1"
    )
    return rows(db, query, [number])


def uses(db: Connection, number: str) -> list[Row]:
    """Which lines use it now, and how much."""
    query = (
        "SELECT u.reference, coalesce(nullif(p.number, ''), p.hub_key) AS item, u.quantity, u.amount, u.by FROM special_price_use AS u "
        "JOIN products AS p ON p.id = u.product_id WHERE u.special_id = %s AND u.quantity > 0 ORDER BY 1, 2"
    )
    return rows(db, query, [number])
