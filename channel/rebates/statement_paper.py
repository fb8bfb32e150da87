"""返利对账单: a statement as it was issued, on paper for the dealer to sign, in Chinese or English.

It is made of the pinned document, which is the dealer's own view, and of the published tiers: no accrual, no budget, no figure of another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from canonical.values import business_day
from channel.paper import Cell, Grid, Language, Paper

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("返利对账单", "Rebate statement"),
    "number": ("对账单号", "Statement"),
    "dealer": ("经销商", "Dealer"),
    "programme": ("返利政策", "Programme"),
    "period": ("考核周期", "Period"),
    "issued": ("出具日期", "Issued on"),
    "currency": ("币种", "Currency"),
    "state": ("状态", "State"),
    "to": ("至", "to"),
    "version": ("第 {} 版", "version {}"),
    "issued_state": ("待确认", "to be confirmed"),
    "signed": ("已确认", "signed"),
    "disputed": ("有异议", "disputed"),
    "resolved": ("异议已答复", "dispute answered"),
    "money": ("返利计算", "What is paid"),
    "item": ("项目", "Item"),
    "amount": ("金额", "Amount"),
    "base_amount": ("计算基数（金额）", "Base, amount"),
    "base_quantity": ("计算基数（数量）", "Base, quantity"),
    "earned": ("应计返利", "Earned"),
    "held": ("暂扣（条件未满足）", "Held back by conditions"),
    "forfeited": ("不予支付", "Not paid"),
    "disputed_amount": ("争议中", "In dispute"),
    "settled": ("此前已结算", "Settled before"),
    "set_off": ("抵减以前多结", "Set off against earlier overpayment"),
    "payable_net": ("其中未税", "Of it without tax"),
    "payable_tax": ("其中税额", "Of it tax"),
    "payable": ("本次应付", "Payable now"),
    "handed_on": ("转付二级经销商（累计）", "Handed on to the second level, to date"),
    "customer": ("客户", "Customer"),
    "tiers": ("返利档位", "Tiers"),
    "tier": ("档位", "Tier"),
    "from": ("起", "From"),
    "below": ("止", "To"),
    "gives": ("返利", "Gives"),
    "reached": ("达成", "Reached"),
    "yes": ("● 已达成", "● reached"),
    "gap": ("距下一档还差 {}", "{} to the next tier"),
    "top": ("已达最高档", "the highest tier"),
    "per_unit": ("每单位", "a unit"),
    "gates": ("支付条件", "Conditions"),
    "gate": ("条件", "Condition"),
    "value": ("实际", "Actual"),
    "passed": ("满足", "met"),
    "failed": ("未满足", "not met"),
    "why": ("计算过程", "How it came about"),
    "ours": ("出具方（盖章）", "Issued by (seal)"),
    "theirs": ("经销商确认（盖章）", "Confirmed by the dealer (seal)"),
    "signature": ("签字", "Signature"),
    "day": ("日期", "Date"),
    "foot": (
        "本对账单出具后不再变更; 之后到达的单据在下一期结算。如有异议, 请在系统中说明原因。",
        "This statement does not change; what arrives later is settled in the next period. If you do not agree, say why in the system.",
    ),
}
"""What stands on a statement, in Chinese and English."""

_SHARES: Final = ("target", "growth", "mix")
_LINES: Final = ("earned", "held", "forfeited", "disputed", "settled", "set_off")


def word(name: str, lang: Language) -> str:
    """A word of the statement in its language."""
    return WORDS[name][0 if lang == "zh" else 1]


def paper(statement: Mapping[str, Any], dealer: str, terms: Mapping[str, Any], lang: Language = "zh") -> Paper:
    """The statement as a paper. statement: its row; dealer: the party's name; terms: the published version as it was written."""
    doc: Mapping[str, Any] = statement["doc"]
    span = doc.get("period") if isinstance(doc.get("period"), Mapping) else {}
    name = (doc.get("name") or {}).get(lang) or statement["programme"]
    days = f"{span['from']} {word('to', lang)} {_last(span['to'])}" if span else ""
    state = "issued_state" if statement["state"] == "issued" else statement["state"]
    facts = [
        ("number", str(statement["id"])),
        ("issued", business_day(statement["issued_at"]).isoformat()),
        ("dealer", f"{dealer} ({statement['dealer']})" if dealer else str(statement["dealer"])),
        ("currency", str(doc.get("currency", ""))),
        ("programme", f"{name} ({statement['programme']}, {word('version', lang).format(statement['version'])})"),
        ("period", f"{statement['period']} {f'({days})' if days else ''}".strip()),
        ("state", word(state, lang)),
        *[(key, str(value)) for key, value in (doc.get("scope") or {}).items()],
    ]
    own = {} if doc.get("kind") == "passed_on" else terms  # how the first level is rated is not the second level's business
    grids = [_money(doc, lang), *_handed_on(doc, lang), *_tiers(doc, own, lang), *_gates(doc, lang)]
    by_hand = (word("signature", lang), word("day", lang))
    return Paper(
        title=word("title", lang),
        facts=[(word(key, lang) if key in WORDS else key, value) for key, value in facts if value],
        grids=grids,
        sentences=[str(one.get(lang, "")) for one in doc.get("sentences") or ()],
        about_sentences=word("why", lang),
        signers=((word("ours", lang), by_hand), (word("theirs", lang), by_hand)),
        foot=word("foot", lang) + (f" [{doc['hash'][:16]}]" if doc.get("hash") else ""),
    )


def _last(end: str) -> str:
    return (date.fromisoformat(end) - timedelta(days=1)).isoformat()


def _money(doc: Mapping[str, Any], lang: Language) -> Grid:
    base = doc.get("base") or {}
    rows: list[tuple[Cell, Cell]] = [
        (word(f"base_{name}", lang), Decimal(base[name])) for name in ("amount", "quantity") if base.get(name) not in (None, "0")
    ]
    for name in _LINES:
        value = doc.get(name)
        if value is not None and (name == "earned" or Decimal(value)):
            rows.append((word("disputed_amount" if name == "disputed" else name, lang), Decimal(value)))
    rows += [(word(name, lang), Decimal(doc[name])) for name in ("payable_net", "payable_tax") if doc.get(name) is not None]
    rows.append((word("payable", lang), Decimal(doc.get("payable", "0"))))
    return Grid(word("money", lang), (word("item", lang), word("amount", lang)), (120, 60), rows, total=True)


def _handed_on(doc: Mapping[str, Any], lang: Language) -> Iterator[Grid]:
    """What the dealer hands on to its customers of the second level, to date."""
    if handed := doc.get("passed_on"):
        rows: list[tuple[Cell, ...]] = [(str(name), Decimal(amount)) for name, amount in handed.items()]
        yield Grid(word("handed_on", lang), (word("customer", lang), word("amount", lang)), (120, 60), rows)


def _tiers(doc: Mapping[str, Any], terms: Mapping[str, Any], lang: Language) -> Iterator[Grid]:
    tiers = terms.get("tiers") or ()
    if not tiers:
        return
    reached = (doc.get("tier") or {}).get("number")
    shares = any(terms.get(name) and terms[name].get("tier_on", "percent") in ("percent", "share") for name in _SHARES)
    rows: list[tuple[Cell, ...]] = []
    for at, tier in enumerate(tiers, 1):
        start, end = _edge(tier.get("from"), shares=shares), _edge(tier.get("to"), shares=shares)
        rows.append((str(at), start, end, _gives(tier, lang), word("yes", lang) if at == reached else ""))
    gap = doc.get("to_next")
    told = word("gap", lang).format(_text(gap, shares=shares)) if gap is not None else word("top", lang) if reached == len(tiers) else ""
    title = f"{word('tiers', lang)}{f' ({told})' if told else ''}"
    columns = [word(name, lang) for name in ("tier", "from", "below", "gives", "reached")]
    yield Grid(title, columns, (20, 45, 45, 40, 30), rows)


def _edge(value: Any, *, shares: bool) -> Cell:
    if value is None:
        return ""
    return _text(value, shares=True) if shares else Decimal(str(value))


def _text(value: Any, *, shares: bool) -> str:
    return f"{(Decimal(str(value)) * 100).normalize():f} %" if shares else f"{Decimal(str(value)):,f}"


def _gives(tier: Mapping[str, Any], lang: Language) -> str:
    told = []
    if tier.get("rate") is not None:
        told.append(_text(tier["rate"], shares=True))
    if tier.get("per_unit") is not None:
        told.append(f"{_text(tier['per_unit'], shares=False)} {word('per_unit', lang)}")
    if tier.get("amount") is not None:
        told.append(_text(tier["amount"], shares=False))
    if goods := tier.get("goods"):
        told.append(f"{goods['quantity']} × {goods['product']}")
    return " + ".join(told)


def _gates(doc: Mapping[str, Any], lang: Language) -> Iterator[Grid]:
    gates = doc.get("gates") or ()
    if gates:
        rows = [
            (str(gate["name"][lang]), str(gate.get("value") or "-"), word("passed" if gate["passed"] else "failed", lang),
             Decimal(gate.get("held") or "0"))
            for gate in gates
        ]  # fmt: skip
        columns = (word("gate", lang), word("value", lang), word("state", lang), word("held", lang))
        yield Grid(word("gates", lang), columns, (70, 40, 30, 40), rows)
