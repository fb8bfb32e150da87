"""What a dealer hands in with a claim: is it complete, and what on it can be claimed only once. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any, Final

from canonical.values import decimal_text
from channel.rebates.claims import Claimed, Fund, PriceProtection, ShipAndDebit
from channel.rebates.facts import Fact
from channel.rebates.values import FIRST_DAY, LAST_DAY

WORLDWIDE: Final = 8
"""An invoice number of so many characters is a tax invoice's (发票号码 has 8 or 20 digits) and one in the country; a shorter one is the
dealer's own."""
NUMBERS: Final = ("amount", "quantity", "sell_price", "cost_price", "contract_price", "old_price")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a proof lies: its kind (`invoice`, `photo`, `contract`), its number or address, and a word about it."""

    kind: str
    reference: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Handed:
    """A claim as it is handed in. Amounts without tax, in the programme's currency."""

    programme: str
    on: date
    """Business day of the activity, the sale or the price cut (Asia/Shanghai)."""
    activity: str = ""
    campaign: str = ""
    amount: Decimal | None = None
    """What the activity cost, or will cost."""
    product: str = ""
    product_line: str = ""
    brand: str = ""
    region: str = ""
    customer: str = ""
    project: str = ""
    document: str = ""
    """The dealer's invoice to its customer."""
    cut: str = ""
    """The price cut, PC-2026-000001-3XD4AT."""
    quantity: Decimal | None = None
    sell_price: Decimal | None = None
    cost_price: Decimal | None = None
    contract_price: Decimal | None = None
    old_price: Decimal | None = None
    serials: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    note: str = ""


def missing(programme: Claimed, handed: Handed, *, planned: bool = False) -> list[str]:
    """What the claim lacks; empty when it can be judged. A plan needs no evidence yet."""
    found = [] if FIRST_DAY <= handed.on < LAST_DAY else [f"a business day ({handed.on}: is the year right?)"]
    match programme:
        case Fund():
            found += [] if handed.activity.strip() else ["activity"]
            found += [] if (handed.amount or 0) > 0 else ["amount"]
        case ShipAndDebit():
            found += [name for name in ("product", "quantity") if not getattr(handed, name)]
            found += [] if handed.document.strip() or handed.serials else ["document or serials"]
        case PriceProtection():
            found += [name for name in ("cut", "quantity") if not getattr(handed, name)]
    if handed.quantity is not None and handed.quantity <= 0:
        found.append("quantity above zero")
    if len(set(map(_same, handed.serials))) < len(handed.serials):
        found.append("each serial once")
    if handed.serials and handed.quantity is not None and handed.quantity != len(handed.serials):
        found.append(f"a serial for each unit ({decimal_text(handed.quantity)} units, {len(handed.serials)} serials)")
    if not planned:
        brought = {one.kind for one in handed.evidence if one.reference.strip()}
        found += [f"evidence: {kind}" for kind in programme.evidence if kind not in brought]
    return found


def keys(programme: Claimed, handed: Handed, dealer: str) -> list[str]:
    """What this claim is for and no other claim may be for: the activity, invoices, units by their serials."""
    match programme:
        case Fund():
            found = [f"activity|{programme.programme}|{dealer}|{handed.on}|{_same(handed.activity)}"]
            found += [_invoice(one.reference, dealer) for one in handed.evidence if one.kind == "invoice" and one.reference.strip()]
        case ShipAndDebit():
            found = [f"{_invoice(handed.document, dealer)}|{_same(handed.product)}"] if handed.document.strip() else []
            found += [f"serial|{_same(handed.product)}|{_same(serial)}" for serial in handed.serials]
        case _:
            found = [f"serial|{handed.cut}|{_same(serial)}" for serial in handed.serials]
    return list(dict.fromkeys(found))


def spoken(key: str) -> str:
    """A key as people say it: `invoice 44031900104`, `serial SN-1`."""
    kind, *parts = key.split("|")
    match kind:
        case "invoice":
            return f"invoice {parts[1]}" + (f" for {parts[2]}" if len(parts) > 2 else "")
        case "serial":
            return f"serial {parts[-1]}"
        case _:
            return f"the activity {parts[-1]} of {parts[-2]}"


def _invoice(number: str, dealer: str) -> str:
    plain = _same(number)
    return f"invoice|{'' if len(plain) >= WORLDWIDE else dealer}|{plain}"


def _same(text: str) -> str:
    """A number as it is compared: full-width or not, with or without blanks, in either case."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold().replace("|", "/")


def as_fact(handed: Handed, claim: str, dealer: str, *, grade: str = "", region: str = "", channel: str = "", parent: str = "") -> Fact:
    """The claim as the calculation reads it."""
    return Fact(
        id=claim, kind="claim", dealer=dealer, date=handed.on, status="approved", programme=handed.programme, amount=handed.amount,
        quantity=handed.quantity or Decimal(1), product=handed.product, product_line=handed.product_line, brand=handed.brand,
        region=handed.region, customer=handed.customer, project=handed.project, document=handed.document, sell_price=handed.sell_price,
        cost_price=handed.cost_price, contract_price=handed.contract_price, old_price=handed.old_price, dealer_grade=grade,
        dealer_region=region, dealer_channel=channel, dealer_parent=parent,
    )  # fmt: skip


def document(handed: Handed) -> dict[str, Any]:
    """The claim as it is kept: what was not said is left out."""
    told: dict[str, Any] = {}
    for field in fields(handed):
        value = getattr(handed, field.name)
        if field.name == "evidence":
            value = [{"kind": one.kind, "reference": one.reference, "note": one.note} for one in handed.evidence]
        elif field.name == "on":
            value = handed.on.isoformat()
        elif isinstance(value, Decimal):
            value = decimal_text(value)
        elif isinstance(value, tuple):
            value = list(value)
        if value not in (None, "", []):
            told[field.name] = value
    return told


def of_document(doc: Mapping[str, Any]) -> Handed:
    """The claim that was kept."""
    said: dict[str, Any] = dict(doc)
    said["on"] = date.fromisoformat(said["on"])
    said |= {name: Decimal(said[name]) for name in NUMBERS if name in said}
    said["serials"] = tuple(said.get("serials", ()))
    said["evidence"] = tuple(Evidence(**one) for one in _list(said.get("evidence")))
    return Handed(**said)


def _list(value: Any) -> Sequence[Mapping[str, Any]]:
    return value if isinstance(value, list) else ()
