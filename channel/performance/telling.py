"""Whom to tell what when a month was kept or dealers' stock was looked at. Pure.

A dealer reads its own place and score, made from its own view: where the score would tell a margin it is not there to be told. Who could
help whom with goods is for our own people only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from canonical.values import decimal_text
from channel.notices.messages import FINANCE, MANAGER, Consequence, Message, Moot, to_party
from channel.performance.definitions import DEFINITIONS

MOST_NAMED: Final = 50
"""Products or transfers that one message names; it says how many there are."""
Said = Mapping[str, Any]


def scorecard_ready(dealer_id: UUID, head: Said, own: Sequence[Said], *, corrected: bool) -> Message:
    """A dealer's month is there, or was corrected. `own`: its own rows, one for each product line that is scored apart."""
    as_of = date.fromisoformat(head["as_of"])
    lines = [
        {name: row[name] for name in ("product_line", "place", "of", "previous_place", "score", "ranked", "known_weight") if name in row}
        for row in own
    ]
    zh, en = "；".join(_own_zh(row) for row in own), "; ".join(_own_en(row) for row in own)
    first_zh, first_en = ("绩效已更正", "was corrected") if corrected else ("绩效已出", "is ready")
    facts = {
        "scorecard": head["scorecard"], "version": head["version"], "name": head["name"], "month": f"{as_of:%Y-%m}", "lines": lines,
        "zh": f"{head['name']['zh']} {as_of.year} 年 {as_of.month} 月{first_zh}：{zh}",
        "en": f"{head['name']['en']} of {as_of:%Y-%m} {first_en}: {en}",
    }  # fmt: skip
    kind = "scorecard_corrected" if corrected else "scorecard_ready"
    return Message(kind, to_party(dealer_id), f"scorecard:{head['scorecard']}/{as_of:%Y-%m}", facts)


def _own_zh(row: Said) -> str:
    line = f"{row['product_line']} " if row["product_line"] else ""
    score = f"，得分 {decimal_text(row['score'], 2)}" if row.get("score") is not None else ""
    return f"{line}第 {row['place']} 名，同组共 {row['of']} 家{score}" if row["place"] else f"{line}数据不足，未参与排名"


def _own_en(row: Said) -> str:
    line = f"{row['product_line']} " if row["product_line"] else ""
    score = f", score {decimal_text(row['score'], 2)}" if row.get("score") is not None else ""
    return f"{line}place {row['place']} of {row['of']}{score}" if row["place"] else f"{line}not ranked, too much is not known"


def tag_raised(dealer_id: UUID, name: str, tag: str, kind: str, doc: Said, head: Said) -> Message:
    """A dealer got a tag: the channel manager reads which figures it stands on; finance, where they tell a margin."""
    proofs = [{key: proof[key] for key in ("kpi", "name", "value", "limit", "unit", "facts", "as_of")} for proof in doc["evidence"]]
    zh = "；".join(f"{proof['name']['zh']} {_shown(proof, 'value')}（限 {_shown(proof, 'limit')}）" for proof in proofs)
    en = "; ".join(f"{proof['name']['en']} {_shown(proof, 'value')} (limit {_shown(proof, 'limit')})" for proof in proofs)
    facts = {
        "dealer": str(dealer_id), "dealer_name": name, "tag": tag, "name": doc["name"], "since": doc["since"], "expires": doc["expires"],
        "scorecard": head["scorecard"], "version": head["version"], "month": head["as_of"][:7], "evidence": proofs,
        "zh": f"“{name}”被标记为{doc['name']['zh']}：{zh}", "en": f"{name} was tagged {doc['name']['en']}: {en}",
    }  # fmt: skip
    hidden = any(DEFINITIONS[name.partition(":")[0]].management for name in doc["streaks"])
    return Message(f"{kind}_tag_raised", FINANCE if hidden else MANAGER, tag_about(dealer_id, tag), facts)


def tag_gone(dealer_id: UUID, tag: str) -> list[Consequence]:
    """A tag went: nobody needs its notice any more."""
    return [Moot(f"{kind}_tag_raised", tag_about(dealer_id, tag)) for kind in ("risk", "growth")]


def tag_about(dealer_id: UUID, tag: str) -> str:
    """What a tag's notice is about."""
    return f"tag:{dealer_id}/{tag}"


def _shown(proof: Said, side: str) -> str:
    """A figure as people read it: a share in per cent."""
    value = proof[side]
    if value is None:
        return "-"
    return decimal_text(_hundred(value), 2) + " %" if proof["unit"] == "share" else decimal_text(value, 2)


def _hundred(value: str) -> str:
    return decimal_text(Decimal(value) * 100)


def stock_told(dealer_id: UUID, as_of: date, advice: Sequence[Said]) -> Message:
    """What a dealer should do about its stock: its own products only, most urgent first."""
    dry = [row for row in advice if row["warning"]]
    restock = [row for row in advice if row["restock"]]
    products = [
        {name: row["doc"][name] for name in ("product", "on_hand", "on_order", "pace", "cover_days", "out_on", "lead_days", "restock")}
        | {"warning": row["warning"]}
        for row in advice[:MOST_NAMED]
    ]
    kind = "stock_out_warning" if dry else "restock_suggested"
    zh = [f"{len(dry)} 个产品将在补货到达前断货（{_names(dry, '、')}）"] if dry else []
    zh += [f"建议补货 {len(restock)} 个产品（{_orders(restock, '、')}）"] if restock else []
    en = [f"{len(dry)} products run dry before goods ordered today arrive ({_names(dry, ', ')})"] if dry else []
    en += [f"{len(restock)} products should be ordered ({_orders(restock, ', ')})"] if restock else []
    facts = {"as_of": as_of.isoformat(), "products": products, "zh": "；".join(zh), "en": "; ".join(en)}
    return Message(kind, to_party(dealer_id), stock_about(dealer_id), facts)


def stock_settled(dealer_id: UUID) -> list[Consequence]:
    """What was said of a dealer's stock is of no use any more."""
    return [Moot(kind, stock_about(dealer_id)) for kind in ("stock_out_warning", "restock_suggested")]


def stock_about(dealer_id: UUID) -> str:
    """What the notices of a dealer's stock are about."""
    return f"stock:{dealer_id}"


def transfers_proposed(as_of: date, moves: Sequence[Said], names: Mapping[UUID, str]) -> Message:
    """Who could help whom with goods; only for the channel manager, for it names dealers to each other."""
    told = [
        {
            "from": str(one["giver_id"]), "from_name": names.get(one["giver_id"], ""), "to": str(one["taker_id"]),
            "to_name": names.get(one["taker_id"], ""), "product": one["product"], "quantity": one["quantity"],
        }
        for one in moves[:MOST_NAMED]
    ]  # fmt: skip
    zh = "；".join(f"{one['product']} {one['quantity']} 件：{one['from_name']} → {one['to_name']}" for one in told[:5])
    en = "; ".join(f"{one['quantity']} of {one['product']} from {one['from_name']} to {one['to_name']}" for one in told[:5])
    facts = {
        "as_of": as_of.isoformat(), "transfers": told, "number": len(moves),
        "zh": f"建议经销商间调拨 {len(moves)} 笔：{zh}", "en": f"{len(moves)} transfers between dealers are proposed: {en}",
    }  # fmt: skip
    return Message("transfer_proposed", MANAGER, "stock:transfers", facts)


def transfers_settled() -> list[Consequence]:
    """What was proposed before is of no use any more."""
    return [Moot("transfer_proposed", "stock:transfers")]


def _names(rows: Iterable[Said], between: str) -> str:
    return between.join(f"{row['product']}" for row in list(rows)[:5])


def _orders(rows: Iterable[Said], between: str) -> str:
    return between.join(f"{row['product']} × {decimal_text(row['restock'])}" for row in list(rows)[:5])
