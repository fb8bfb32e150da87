"""The judge: what each system should hold, by the oracle's own reckoning, against what it holds.

It shares no code with the hub and reads the two control doors only. Kingdee decides master data and documents, Zoho decides how a party
is reached and what was quoted (`ownership.py`).
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.oracle import documents, parties, quotes
from tests.oracle.evidence import Evidence, fetch
from tests.oracle.ownership import PARTY, PRODUCT, Pair
from tests.oracle.values import Doc, number, text
from tests.oracle.verdict import Finding, Verdict


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit that a user of a system made, as the test that made it remembers."""

    system: str
    stream: str
    key: str
    field: str
    value: Any


@dataclass(slots=True)
class Case:
    """Everything that one judgement looks at."""

    evidence: Evidence
    truth: Mapping[str, Any]
    since: str
    party_pairs: Sequence[Pair]
    product_pairs: Sequence[Pair]
    decided: Collection[str] = ()
    """Planted doubtful pairs (their ids) that a person has decided."""
    values: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    """(map, Kingdee's code) -> what Zoho should hold."""
    verdict: Verdict = field(default_factory=Verdict)
    account_of: dict[str, str] = field(default_factory=dict)
    """Customer number -> id of its account."""
    held_numbers: set[str] = field(default_factory=set)
    held_accounts: set[str] = field(default_factory=set)
    held_orders: set[str] = field(default_factory=set)

    def has_map(self, name: str) -> bool:
        """Whether the truth says anything about that value map."""
        return any(key[0] == name for key in self.values)

    def count(self, what: str) -> None:
        """Note that one more was compared."""
        self.verdict.counts[what] = self.verdict.counts.get(what, 0) + 1


def value_table(rows: Iterable[Mapping[str, str]]) -> dict[tuple[str, str, str], str]:
    """(map, "zoho", Kingdee's code) -> Zoho's code, by way of the canonical one."""
    zoho: dict[tuple[str, str], str] = {}
    kingdee: list[tuple[str, str, str]] = []
    for row in rows:
        if row["system_kind"] == "crm_zoho":
            zoho[row["map"], row["canonical_value"]] = row["vendor_value"]
        else:
            kingdee.append((row["map"], row["vendor_value"], row["canonical_value"]))
    return {(name, "zoho", code): zoho.get((name, canonical), canonical) for name, code, canonical in kingdee}


def judge(
    kingdee_url: str,
    zoho_url: str,
    truth: Mapping[str, Any] | None = None,
    *,
    since: str = "",
    late_values: bool = False,
    decided: Collection[str] = (),
    edits: Sequence[Edit] = (),
    party_pairs: Sequence[Pair] = PARTY,
    product_pairs: Sequence[Pair] = PRODUCT,
) -> Verdict:
    """Judge both servers as they are now.

    `truth` is the world's (`World.truth`); without it nothing is excused and codes that need a value map are not compared.
    `since`: shipments, receivables and receipts of that business day or later are expected in Zoho; empty takes the truth's day, else all.
    `late_values`: the clerk has filled in the planted missing values. `edits`: a journal; the last value of each field must be everywhere.
    """
    collecting = gc.isenabled()
    gc.disable()  # a million fresh objects without a cycle among them
    try:
        return judge_evidence(
            fetch(kingdee_url, zoho_url, since or text((truth or {}).get("since")), {edit.field for edit in edits}),
            truth or {},
            since=since,
            late_values=late_values,
            decided=decided,
            edits=edits,
            party_pairs=party_pairs,
            product_pairs=product_pairs,
        )
    finally:
        if collecting:
            gc.enable()


def judge_evidence(
    evidence: Evidence,
    truth: Mapping[str, Any],
    *,
    since: str = "",
    late_values: bool = False,
    decided: Collection[str] = (),
    edits: Sequence[Edit] = (),
    party_pairs: Sequence[Pair] = PARTY,
    product_pairs: Sequence[Pair] = PRODUCT,
) -> Verdict:
    """Judge records at hand; see `judge`."""
    rows = [*truth.get("value_maps", ()), *(truth.get("late_value", ()) if late_values else ())]
    case = Case(evidence, truth, since or text(truth.get("since")), party_pairs, product_pairs, decided, value_table(rows))
    parties.judge_parties(case)
    parties.judge_products(case)
    documents.judge_orders(case)
    documents.judge_followers(case)
    quotes.judge_quotes(case)
    judge_hub_keys(case)
    judge_edits(case, edits)
    return case.verdict


HUB_KEYS = {"kingdee": ("F_HUB_KEY", "FUseOrgId"), "zoho": ("Hub_Key", "")}


def judge_hub_keys(case: Case) -> None:
    """One hub key, one record, in each stream and organisation."""
    for system, streams in (("kingdee", case.evidence.kingdee), ("zoho", case.evidence.zoho)):
        name, org_key = HUB_KEYS[system]
        for stream, docs in streams.items():
            seen: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
            for doc in docs:
                if key := text(doc.get(name)):
                    org = doc.get(org_key) if org_key else ""
                    seen[key, text(org.get("FNumber") if isinstance(org, dict) else org)].append(record_key(doc))
            for (key, _), keys in seen.items():
                if len(keys) > 1:
                    case.verdict.duplicates.append(Finding("two of one hub key", system, stream, key, expected=", ".join(keys)))


def record_key(doc: Doc) -> str:
    """A record's identifier in its system."""
    return text(next((doc[name] for name in ("id", "FID", "FCUSTID", "FMATERIALID") if name in doc), ""))


def judge_edits(case: Case, edits: Sequence[Edit]) -> None:
    """The last value of each edited field must stand in the owner's record and must not be missing anywhere else."""
    last = {(edit.system, edit.stream, edit.key, edit.field): edit for edit in edits}
    by_key = {
        (system, stream, record_key(doc)): doc
        for system, streams in (("kingdee", case.evidence.kingdee), ("zoho", case.evidence.zoho))
        for stream, docs in streams.items()
        for doc in docs
    }
    wrong = {(*one.owner, one.field) for one in case.verdict.drift}
    gone = {one.owner for one in case.verdict.lost}
    for edit in last.values():
        where = (edit.system, edit.stream, edit.key)
        doc = by_key.get(where)
        now = None if doc is None else doc.get(edit.field)
        if isinstance(now, dict):
            now = now.get("FNumber", now.get("id"))
        if not _same_loosely(now, edit.value):
            found = Finding("overwritten", *where, edit.field, text(edit.value), text(now), where)
            case.verdict.lost.append(found)
        elif (*where, edit.field) in wrong or where in gone:
            case.verdict.lost.append(Finding("did not arrive", *where, edit.field, text(edit.value), "", where))
    case.verdict.counts["edits"] = len(last)


def _same_loosely(now: Any, then: Any) -> bool:
    if text(now) == text(then):
        return True
    try:
        return text(now) != "" and text(then) != "" and number(now) == number(then)
    except ValueError:
        return False
