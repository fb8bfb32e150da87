"""Facts that no connected system tells (complaints, attendance, targets, dealers' counts and sales), loaded from checked tables.

The same tables as on files. A table with one flaw is refused whole; a row that says what is known already changes nothing; another row with
the id of an earlier one corrects it, and what was known before stays known. Within the caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from canonical.values import decimal_text
from channel.performance import fact_queries
from channel.performance.errors import BadFacts, Flaw
from channel.performance.fact_queries import Connection
from channel.performance.facts import APART, DAYS, NUMBERS, TEXTS, Fact, Table, clashing, from_rows
from channel.performance.gathering import fact_of
from channel.performance.people import manual_tags
from channel.performance.queries import transaction_moment
from channel.performance.stock_files import holdings, sell_out
from channel.performance.tags import ManualTag
from channel.tables import MAX_FLAWS

Rows = Sequence[tuple[int, Mapping[str, Any]]]
FROM_DOCUMENTS: Final = frozenset(("sale", "return", "shipment", "rebate", "invoice", "payment", "credit_note"))
"""Kinds that follow from the documents of connected systems; loaded as well they would count twice."""
Loaded = tuple[str, str, UUID, date, str]


def known_dealers(db: Connection, codes: Iterable[str], file: str = "") -> dict[str, UUID]:
    """Dealers by the codes that a file names them by. Raises: BadFacts for one that the hub does not know."""
    wanted = sorted(set(codes))
    found = fact_queries.dealer_ids(db, wanted)
    fix = "write its number or hub key, as `hub why party` knows it"
    flaws = [Flaw("unknown_dealer", "dealer", f"the hub knows no dealer {code}", fix, None, file) for code in wanted if code not in found]
    if flaws:
        raise BadFacts(flaws[:MAX_FLAWS])
    return found


def load_facts(db: Connection, columns: Sequence[str], rows: Rows, *, by: str, file: str = "") -> int:
    """Facts as in the table of facts; how many are new or corrected. Raises: BadFacts."""
    table = from_rows(columns, rows, file)
    wrong = sorted({fact.kind for fact in table.facts} & FROM_DOCUMENTS)
    if wrong:
        fix = "take these rows out: the ledger has them from the documents of connected systems"
        raise BadFacts([Flaw("from_documents", "kind", f"{kind} cannot be loaded", fix, None, file) for kind in wrong])
    ids = known_dealers(db, (fact.dealer for fact in table.facts), file)
    _refuse_clashes(db, table, ids, file)
    return _add(db, [(f"loaded:{fact.id}", fact.kind, ids[fact.dealer], fact.date, _json(_said(fact))) for fact in table.facts], by)


def _refuse_clashes(db: Connection, table: Table, ids: Mapping[str, UUID], file: str) -> None:
    """Refuse a target that holds for days of one that was loaded before under another id. Raises: BadFacts."""
    fact_queries.lock(db)
    codes = {dealer: code for code, dealer in ids.items()}
    new = {f"loaded:{fact.id}": fact for fact in table.facts if fact.kind == "target"}
    kept = fact_queries.facts(db, ["target"], date.max, transaction_moment(db)) if new else []
    before = [
        fact_of(row, row["doc"], codes[row["dealer_id"]])
        for row in kept
        if row["recorded_by"] != fact_queries.RULE and row["dealer_id"] in codes and row["id"] not in new
    ]
    known = {fact.id for fact in before}
    flaws = []
    for pair in clashing([*before, *new.values()]):
        older, newer = sorted(pair, key=lambda one: one.id not in known)
        if older.id in known and newer.id not in known:
            what = f"{newer.id}: {newer.dealer} has {older.id.removeprefix('loaded:')} for some of these days already"
            flaws.append(Flaw("overlap", "to", what, f"load that one again with other days, or {APART}", None, file))
    if flaws:
        raise BadFacts(flaws[:MAX_FLAWS])


def load_stock(db: Connection, columns: Sequence[str], rows: Rows, as_of: date, *, by: str, file: str = "") -> int:
    """Counts of dealers' stock, and how a product is supplied; a count without a day is of `as_of`. Raises: BadFacts."""
    found = holdings(columns, rows, as_of, file)
    ids = known_dealers(db, (one.dealer for one in found), file)
    made = []
    for one in found:
        day = one.date or as_of
        said: dict[str, Any] = {"product": one.product, "quantity": decimal_text(one.quantity)}
        said |= {"lead_days": str(one.lead_days), "cover_days": str(one.cover_days), "multiple": decimal_text(one.multiple)}
        said |= {"region": one.region} if one.region else {}
        said |= {"on_order": decimal_text(one.on_order)} if one.on_order else {}  # else what our own orders say
        said |= {"restock_at": decimal_text(one.restock_at)} if one.restock_at is not None else {}
        made.append((f"loaded:stock:{ids[one.dealer]}:{one.product}:{day}", "stock", ids[one.dealer], day, _json(said)))
    return _add(db, made, by)


def load_sell_out(db: Connection, columns: Sequence[str], rows: Rows, as_of: date, *, by: str, file: str = "") -> int:
    """What dealers sold on. Several rows of a dealer, product and day are one fact, their sum. Raises: BadFacts."""
    found = sell_out(columns, rows, as_of, file)
    ids = known_dealers(db, (one.dealer for one in found), file)
    sums: dict[tuple[UUID, str, date], list[Any]] = {}
    for one in found:
        sold = sums.setdefault((ids[one.dealer], one.product, one.date), [0, 0])
        sold[0] += one.quantity
        sold[1] += one.returned
    return _add(
        db,
        [
            (
                f"loaded:sell_out:{dealer}:{product}:{day}", "sell_out", dealer, day,
                _json({"product": product, "quantity": decimal_text(sold), "returned": decimal_text(back)}),
            )
            for (dealer, product, day), (sold, back) in sums.items()
        ],
        by,
    )  # fmt: skip


def load_tags(db: Connection, columns: Sequence[str], rows: Rows, *, by: str, file: str = "") -> int:
    """Tags given by hand. Raises: BadFacts."""
    kept = list(rows)
    ids = known_dealers(db, (str(row.get("dealer") or "").strip() for _, row in kept), file)
    return sum(give_tag(db, ids[tag.dealer], tag, by=by) for tag in manual_tags(columns, kept, ids, file))


def give_tag(db: Connection, dealer_id: UUID, tag: ManualTag, *, by: str) -> int:
    """Give a dealer a tag by hand; 0 where it has it so already."""
    said = {"tag": tag.tag, "reason": tag.reason, "owner": tag.owner, "to": tag.expires.isoformat()}
    return _add(db, [(tag_id(dealer_id, tag.tag), "manual_tag", dealer_id, tag.since, _json(said))], by)


def end_tag(db: Connection, dealer_id: UUID, tag: str, *, by: str) -> bool:
    """Take back a tag given by hand; False where there is none."""
    fact_queries.lock(db)
    return fact_queries.end(db, tag_id(dealer_id, tag), by)


def is_dealer(db: Connection, party: UUID) -> bool:
    """True for a dealer that the hub knows."""
    return fact_queries.is_dealer(db, party)


def tag_id(dealer_id: UUID, tag: str) -> str:
    """The fact that a tag given by hand is."""
    return f"tag:{dealer_id}:{tag}"


def _said(fact: Fact) -> dict[str, str]:
    said = {name: getattr(fact, name) for name in TEXTS if getattr(fact, name)}
    said |= {name: decimal_text(value) for name in (*NUMBERS, "discount") if (value := getattr(fact, name)) is not None}
    return said | {name: value.isoformat() for name in DAYS if name != "date" and (value := getattr(fact, name)) is not None}


def _json(said: Mapping[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False)


def _add(db: Connection, facts: Sequence[Loaded], by: str) -> int:
    fact_queries.lock(db)
    return fact_queries.add(db, facts, by)
