"""Two dealers and one customer: dealers at work in the CRM, and the judge of who may be protected.

The judge reads the CRM's deals and, as plain rows, what the hub's ledger says of each; it knows by itself which names are one firm.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.oracle.door import Door
from tests.oracle.values import Doc, text
from tests.oracle.verdict import Finding

FIRMS = (
    ("杭州海康威视数字技术股份有限公司", "海康威视（杭州）数字技术有限公司"),
    ("苏州汇川控制技术有限公司", "苏州匯川控制技術有限公司"),
    ("成都天府水泵制造有限公司", "天府水泵制造（成都）有限公司"),
    ("无锡先导自动化设备股份有限公司", "无锡先导自动化设备有限公司（总部）"),
)
"""Firms under two spellings."""
DEALERS = ("上海东方工业设备有限公司", "武汉西部机电有限公司")
LIVE = ("submitted", "held", "protected", "converted")
HOLDS = ("protected", "converted")


@dataclass(frozen=True, slots=True)
class Entered:
    """A deal as it was entered."""

    key: str
    firm: int
    spelling: int
    dealer: str


@dataclass(frozen=True, slots=True)
class Decided:
    """What the hub's ledger says of a deal: state and last protected day of the registration that it stands on."""

    key: str
    status: str
    until: str


class Dealers:
    """Dealers who enter deals in the CRM, as users do."""

    def __init__(self, zoho_url: str, seed: int) -> None:
        self.zoho, self.rng = Door(zoho_url), Random(seed)
        self.accounts = {name: self.zoho.put("accounts", {"Account_Name": name, "Account_Type": "Distributor"}) for name in DEALERS}
        self.firms: dict[tuple[int, int], Doc] = {}
        self.entered: list[Entered] = []

    def enter_twice(self) -> str:
        """Both dealers enter a deal with one firm, each under a spelling of his own, in whatever order. Gives what they did, in words."""
        firm = self.rng.randrange(len(FIRMS))
        for spelling in self.rng.sample(range(len(DEALERS)), len(DEALERS)):
            self.enter(firm, spelling, DEALERS[spelling])
        return f"two dealers enter firm {firm}"

    def enter(self, firm: int, spelling: int, dealer: str) -> None:
        """One deal."""
        if (firm, spelling) not in self.firms:
            self.firms[firm, spelling] = self.zoho.put("accounts", {"Account_Name": FIRMS[firm][spelling]})
        doc = {
            "Deal_Name": f"项目 {len(self.entered) + 1}", "Stage": "Qualification", "Closing_Date": "2027-03-01", "Amount": 100_000,
            "Dealer": {"id": self.accounts[dealer]["id"]}, "Account_Name": {"id": self.firms[firm, spelling]["id"]},
        }  # fmt: skip
        self.entered.append(Entered(text(self.zoho.put("deals", doc)["id"]), firm, spelling, dealer))

    def pair(self) -> tuple[int, str, str] | None:
        """A firm that has both its accounts, with their ids; None when none has."""
        whole = [firm for firm in range(len(FIRMS)) if (firm, 0) in self.firms and (firm, 1) in self.firms]
        if not whole:
            return None
        firm = self.rng.choice(whole)
        return firm, text(self.firms[firm, 0]["id"]), text(self.firms[firm, 1]["id"])


def judge_claims(deals: Sequence[Doc], entered: Sequence[Entered], decided: Sequence[Decided], apart: Sequence[int] = ()) -> list[Finding]:
    """What is wrong. `apart`: firms whose two spellings a person has told apart; each of them is a firm of its own then."""
    shown = {text(doc["id"]): doc for doc in deals}
    ledger = {one.key: one for one in decided}
    wrong: list[Finding] = []
    holders: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
    for one in entered:
        doc, known = shown.get(one.key), ledger.get(one.key)
        state = text(doc.get("Protection_State")) if doc else ""
        if doc is None or not state or known is None:
            wrong.append(Finding("no decision", "zoho", "deals", one.key, expected=f"for {one.dealer}"))
            continue
        wrong += _shown_as_decided(one, doc, known)
        if state in LIVE:
            holders[one.firm, one.spelling if one.firm in apart else 0].add(one.dealer)
    wrong += [
        Finding("two dealers hold one firm", "zoho", "deals", FIRMS[firm][spelling], expected=", ".join(sorted(names)))
        for (firm, spelling), names in holders.items()
        if len(names) > 1
    ]
    for firm in {one.firm for one in entered} - {firm for firm, _ in holders}:
        wrong.append(Finding("nobody holds it", "zoho", "deals", FIRMS[firm][0]))
    return wrong


def _shown_as_decided(one: Entered, doc: Mapping[str, Any], known: Decided) -> list[Finding]:
    state, until, why = (text(doc.get(name)) for name in ("Protection_State", "Protected_Until", "Refusal_Reason"))
    found = []
    if state != known.status:
        found.append(Finding("differs", "zoho", "deals", one.key, "Protection_State", known.status, state))
    if until != (known.until if state in HOLDS else ""):
        found.append(Finding("differs", "zoho", "deals", one.key, "Protected_Until", known.until, until))
    if (state in HOLDS) == bool(why):
        found.append(Finding("differs", "zoho", "deals", one.key, "Refusal_Reason", "a reason exactly when it is not protected", why))
    if any(name[2:4] in why for name in DEALERS):
        found.append(Finding("names another", "zoho", "deals", one.key, "Refusal_Reason", found=why))
    return found
