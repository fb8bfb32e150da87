"""The dealer's rebate account (返利账户): what an order freezes, which ERP line uses it, what is given back, what expires.

Each function is one step within the caller's transaction. What is settled by a way that is no memo stands here until an order uses it.
The database adds the entries up and refuses what would fall below zero, so that two orders at one instant cannot freeze the same money.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

from canonical.ids import new_id
from canonical.values import decimal_text
from channel.rebates import account_queries, queries
from channel.rebates.errors import AccountState, NotEnough, NotFoundHere
from channel.rebates.queries import Connection, Row

BY: Final = "rule:rebates"
NONE: Final = Decimal(0)
Rest = Literal["keep", "release"]


@dataclass(frozen=True, slots=True)
class Account:
    """Whose money, of which programme."""

    dealer: str
    programme: str
    currency: str


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved: `amount` from one part of the account to another, for an order, and why."""

    account: Account
    amount: Decimal
    reference: str
    why: str
    dealer_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Expiring:
    """What will be lost after a day, if no order uses it before."""

    account: Account
    on: date
    amount: Decimal
    dealer_id: UUID | None = None


# Orders ------------------------------------------------------------------------------------------------------------------------


def freeze(db: Connection, account: Account, amount: Decimal, *, order: str, by: str) -> str:
    """Set an amount aside for an order of the dealer; the order's name. What other orders need no more is given back first.

    Raises: NotFoundHere, AccountState (void, closed, other currency, more than the order is worth), NotEnough.
    """
    queries.lock(db)
    found = _order(db, account, order, alive=True)
    give_back(db, by=BY, dealer=account.dealer)
    free = account_queries.spendable(db, *_key(account))
    if amount <= 0 or free < amount:
        raise _too_much(account, "available for orders", free, amount)
    held = account_queries.held_for(db, found["id"])
    if found["total"] is not None and held + amount > found["total"]:
        what = f"order {found['name']} is worth {decimal_text(found['total'])}, and holds {decimal_text(held)} of rebates"
        raise AccountState(what, next_step=f"take at most {decimal_text(max(found['total'] - held, NONE))}")
    _transfer(db, account, "available", "frozen", amount, cause="freeze", order=found, by=by)
    return str(found["name"])


def release(db: Connection, account: Account, amount: Decimal | None, *, order: str, by: str) -> Decimal:
    """Give back what an order does not use after all, all of it when no amount is said; how much. Raises: NotFoundHere, NotEnough."""
    queries.lock(db)
    found = _order(db, account, order)
    frozen = _frozen(db, account, found["name"])
    given = frozen if amount is None else amount
    if given <= 0 or frozen < given:
        raise _too_much(account, f"frozen for {found['name']}", frozen, given)
    _transfer(db, account, "frozen", "available", given, cause="release", order=found, by=by)
    return given


def use(db: Connection, account: Account, amount: Decimal, *, order: str, line: str, by: str, rest: Rest = "keep") -> None:
    """An ERP line has used what was frozen for its order. The same line and amount again changes nothing.

    line: of an order whose lines the hub knows, one of them, by its number, product or id; else whatever the ERP calls it.
    rest: `release` gives back what the order still holds. Raises: NotFoundHere, AccountState, NotEnough.
    """
    if not line.strip():
        raise AccountState("the ERP line that used it is not named", next_step="say which line of which document")
    queries.lock(db)
    found = _order(db, account, order)
    line, before = _used(db, account, found, line)
    if before["amount"]:
        if before["amount"] != amount:
            what = f"line {line} of {found['name']} has used {decimal_text(before['amount'])} already"
            raise AccountState(what, next_step="take that back first, or name another line")
        return
    _alive(found)
    frozen = _frozen(db, account, found["name"])
    if amount <= 0 or frozen < amount:
        raise _too_much(account, f"frozen for {found['name']}", frozen, amount)
    move = f"use|{'|'.join(_key(account))}|{found['name']}|{line}|{before['taken_back']}"
    _transfer(db, account, "frozen", "used", amount, cause="use", order=found, by=by, line=line, move=move)
    if rest == "release" and frozen > amount:
        _transfer(db, account, "frozen", "available", frozen - amount, cause="release", order=found, by=by, note="not used")


def take_back(db: Connection, account: Account, *, order: str, line: str, by: str, reason: str) -> Decimal:
    """What an ERP line has used becomes available again, for that line was taken back; how much. Raises: NotFoundHere, AccountState."""
    queries.lock(db)
    found = _order(db, account, order)
    line, used = _used(db, account, found, line)
    if not reason.strip() or used["amount"] <= 0:
        raise AccountState(
            f"line {line} of {found['name']} has used {decimal_text(used['amount'])}", next_step="name its line, and say why"
        )
    move = f"take-back|{'|'.join(_key(account))}|{found['name']}|{line}|{used['taken_back']}"
    given: Decimal = used["amount"]
    _transfer(db, account, "used", "available", given, cause="release", order=found, by=by, line=line, note=reason, move=move)
    return given


def give_back(db: Connection, *, by: str = BY, dealer: str | None = None) -> list[Moved]:
    """Release what is frozen for orders that are void or gone, and what a closed order's lines have left. A second run releases nothing."""
    queries.lock(db)
    done = []
    for row in account_queries.to_give_back(db, dealer):
        account = Account(row["dealer"], row["programme"], row["currency"])
        after = account_queries.last_entry(db, *_key(account), row["reference"])
        order = {"id": row["order_id"], "name": row["reference"]}
        why = "the order is void" if row["why"] == "void" else "the order is closed"
        move = f"give-back|{'|'.join(_key(account))}|{row['reference']}|{after}"
        _transfer(db, account, "frozen", "available", row["frozen"], cause="release", order=order, by=by, note=why, move=move)
        done.append(Moved(account, row["frozen"], row["reference"], row["why"], row["dealer_id"]))
    return done


def _order(db: Connection, account: Account, name: str, *, alive: bool = False) -> Row:
    """The dealer's order of that name. Raises: NotFoundHere, AccountState."""
    owner = queries.dealer_ids(db, [account.dealer]).get(account.dealer)
    found = account_queries.orders_named(db, name)
    own = [row for row in found if owner is not None and owner in (row["party_id"], row["payer_id"], row["settling_id"])]
    if not own:
        raise NotFoundHere(f"{account.dealer} has no order {name}", next_step="name an order of this dealer that the hub has read")
    living = [row for row in own if not row["retired"]] or own
    if len(living) > 1:
        raise AccountState(f"{len(living)} orders are called {name}", next_step="name it by its hub key or id")
    if alive:
        _alive(living[0])
        if living[0]["currency"] not in ("", account.currency):
            what = f"order {living[0]['name']} is in {living[0]['currency']}, not in {account.currency}"
            raise AccountState(what, next_step="take money of a programme in the order's currency")
    return living[0]


def _used(db: Connection, account: Account, order: Row, said: str) -> tuple[str, Row]:
    """How a line is called here, and what it has used: under the name that is said, if something is booked under it, else under its own."""
    booked = account_queries.used_by(db, *_key(account), order["name"], said)
    if booked["amount"]:
        return said, booked
    line = _line(db, order, said)
    return line, account_queries.used_by(db, *_key(account), order["name"], line)


def _line(db: Connection, order: Row, said: str) -> str:
    """How a line of the order is called here, so that it is booked once whatever it was called. Raises: AccountState, with all of them."""
    known = account_queries.lines_of(db, order["id"])
    wanted = said.strip().removeprefix(order["name"]).lstrip("/-# ") or said.strip()
    found = [row for row in known if wanted in (row["name"], row["id"])] or [row for row in known if wanted == row["product"]]
    if not known:
        return said.strip()
    if len(found) == 1 and found[0]["status"] != "void":
        return str(found[0]["name"])
    state = "is void" if len(found) == 1 else "is no line of it" if not found else f"stands for {len(found)} of its lines"
    names = ", ".join(
        f"{row['name']} ({row['product']})" if row["product"] else row["name"] for row in known[:20] if row["status"] != "void"
    )
    more = f" and {len(known) - 20} more" if len(known) > 20 else ""
    raise AccountState(f"order {order['name']}: {said.strip()} {state}", next_step=f"name one of its lines: {names}{more}")


def _alive(order: Row) -> None:
    if order["retired"] or order["status"] in ("void", "closed"):
        state = "gone" if order["retired"] else order["status"]
        raise AccountState(f"order {order['name']} is {state}", next_step="name an order that is open")


def _frozen(db: Connection, account: Account, reference: str) -> Decimal:
    found = account_queries.hold(db, *_key(account), reference)
    return Decimal(found["frozen"]) if found else NONE


def _key(account: Account) -> tuple[str, str, str]:
    return account.dealer, account.programme, account.currency


def _too_much(account: Account, where: str, standing: Decimal, amount: Decimal) -> NotEnough:
    what = f"{account.dealer} has {decimal_text(standing)} {account.currency} {where} of {account.programme}, not {decimal_text(amount)}"
    return NotEnough(what, next_step="take a positive amount up to that; what a memo pays is not for orders")


def _transfer(
    db: Connection, account: Account, source: str, target: str, amount: Decimal, *, cause: str, by: str,
    order: dict[str, Any] | None = None, line: str = "", note: str = "", move: str | None = None, reference: str = "",
) -> None:  # fmt: skip
    """Move an amount between two parts of an account: two entries that add up to zero, under one lock of the caller's."""
    queries.book(
        db, *_key(account), {source: -amount, target: amount}, cause=cause, reference=order["name"] if order else reference,
        booking=new_id(), by=by, order_id=order["id"] if order else None, line=line, note=note, move=move,
    )  # fmt: skip


# What expires ------------------------------------------------------------------------------------------------------------------


def expiring(came: Iterable[tuple[date | None, Decimal]], left: Decimal) -> list[tuple[date, Decimal]]:
    """What of the money that is left is lost after which day: orders use first what expires first.

    came: what came in, with the last day on which it can be used; None: for ever. Amounts in one currency.

    >>> jan, june = date(2026, 1, 31), date(2026, 6, 30)
    >>> came = [(jan, Decimal(100)), (june, Decimal(50)), (None, Decimal(20))]
    >>> [(day.isoformat(), str(lost)) for day, lost in expiring(came, Decimal(90))]
    [('2026-01-31', '20'), ('2026-06-30', '50')]
    """
    found = []
    for day, amount in sorted(came, key=lambda lot: lot[0] or date.max, reverse=True):
        mine = max(min(amount, left), NONE)
        left -= mine
        if day is not None and mine:
            found.append((day, mine))
    return sorted(found)


def coming(db: Connection, *, dealers: Sequence[str] | None = None) -> list[Expiring]:
    """What expires on which day of every account, or of some dealers' ones, if no order uses it before."""
    found = []
    for row in account_queries.lots(db, dealers=dealers):
        came: dict[date | None, Decimal] = dict(zip(row["days"] or (), row["amounts"] or (), strict=True))
        came[None] = max(came.get(None, NONE) - row["by_memo"], NONE)
        account = Account(row["dealer"], row["programme"], row["currency"])
        found += [Expiring(account, day, amount, row["dealer_id"]) for day, amount in expiring(came.items(), row["left_over"])]
    return found


def expire_due(db: Connection, as_of: date, *, by: str = BY) -> list[Moved]:
    """Book as expired what could be used up to a business day and was not. A second run books nothing."""
    queries.lock(db)
    done = []
    for one in coming(db):
        if one.on <= as_of:
            note = f"could be used until {one.on.isoformat()}"
            _transfer(db, one.account, "available", "expired", one.amount, cause="expiry", by=by, note=note, reference=one.on.isoformat())
            done.append(Moved(one.account, one.amount, one.on.isoformat(), "expired", one.dealer_id))
    return done


def expire(db: Connection, account: Account, amount: Decimal, *, reason: str, by: str) -> None:
    """Write off by hand what was not used. Raises: NotEnough."""
    queries.lock(db)
    free = account_queries.spendable(db, *_key(account))
    if amount <= 0 or free < amount:
        raise _too_much(account, "available", free, amount)
    _transfer(db, account, "available", "expired", amount, cause="expiry", by=by, note=reason, reference=reason)


def within(found: Iterable[Expiring], as_of: date, days: int) -> list[Expiring]:
    """Those whose last day is at most so many days away."""
    return [one for one in found if as_of < one.on <= as_of + timedelta(days=days)]
