"""Parties and products: one account for each customer, one product for each material, and each field as its owner says."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tests.oracle.evidence import master
from tests.oracle.ownership import Pair
from tests.oracle.values import Doc, ref, same, text
from tests.oracle.verdict import Finding

if TYPE_CHECKING:
    from tests.oracle.judging import Case


def judge_parties(case: Case) -> None:
    """Link customers with accounts by what is sure, then compare."""
    _hold(case)
    candidates = _candidates(case)
    accounts = {text(doc["id"]): doc for doc in case.evidence.zoho["accounts"]}
    for customer, copies in sorted(case.evidence.copies.items()):
        found = sorted(candidates.get(customer, ()))
        if customer in case.held_numbers:
            _held_party(case, customer, found, accounts)
            continue
        if len(found) > 1:
            case.verdict.duplicates.append(Finding("two of one party", "zoho", "accounts", customer, expected=", ".join(found)))
        if not found:
            case.verdict.lost.append(_missing("zoho", "accounts", ("kingdee", "customers", text(master(copies).get("FCUSTID"))), customer))
            continue
        # Of several, the one that is not the hub's own work stands for the party.
        account = min((accounts[key] for key in found), key=lambda doc: (text(doc.get("Hub_Key")) != "", text(doc["id"])))
        case.account_of[customer] = text(account["id"])
        case.count("parties")
        _compare_party(case, customer, copies, account)
    _accounts_without_customer(case, accounts, {key for keys in candidates.values() for key in keys})
    _double_customers(case)


def _hold(case: Case) -> None:
    for pair in case.truth.get("doubtful", ()):
        if pair["id"] not in case.decided:
            case.held_numbers.update(pair["kingdee"])
            case.held_accounts.update(pair["zoho"])
            case.verdict.explained.append(
                Finding(f"doubtful pair {pair['kind']}", "zoho", "accounts", pair["id"], expected=" | ".join(pair["names"]))
            )
    if not case.has_map("salesperson"):
        return
    for customer, copies in case.evidence.copies.items():
        if any(code and ("salesperson", "zoho", code) not in case.values for code in (ref(doc, "FSELLER") for doc in copies.values())):
            case.held_numbers.add(customer)
            case.verdict.explained.append(Finding("waits for a value", "kingdee", "customers", customer))


def _candidates(case: Case) -> dict[str, set[str]]:
    """Customer number -> accounts that are this party, by truth, code, registration code, or a hub-made twin's name."""
    by_code: defaultdict[str, set[str]] = defaultdict(set)
    by_uscc: defaultdict[str, set[str]] = defaultdict(set)
    made_by_name: defaultdict[str, set[str]] = defaultdict(set)
    for doc in case.evidence.zoho["accounts"]:
        key = text(doc["id"])
        if key in case.held_accounts:
            continue
        by_code[text(doc.get("ERP_Code"))].add(key)
        by_uscc[text(doc.get("USCC"))].add(key)
        if text(doc.get("Hub_Key")):
            made_by_name[text(doc.get("Account_Name"))].add(key)
    living = {text(doc["id"]) for doc in case.evidence.zoho["accounts"]}
    told = {text(seed.get("number")): set(seed["zoho"]) & living for seed in case.truth.get("parties", {}).values() if seed.get("number")}
    names: defaultdict[str, int] = defaultdict(int)
    for copies in case.evidence.copies.values():
        names[text(master(copies).get("FName"))] += 1
    found = {}
    for customer, copies in case.evidence.copies.items():
        doc = master(copies)
        uscc, name = text(doc.get("FSOCIALCRECODE")), text(doc.get("FName"))
        keys = by_code.get(customer, set()) | told.get(customer, set())
        if uscc:
            keys = keys | by_uscc.get(uscc, set())
        if name and names[name] == 1:
            keys = keys | made_by_name.get(name, set())
        found[customer] = keys
    return found


def _held_party(case: Case, customer: str, found: list[str], accounts: dict[str, Doc]) -> None:
    """A party in an open case must be left alone: nothing made for it, nothing linked to it."""
    made = [key for key in found if text(accounts[key].get("Hub_Key"))]
    if made:
        case.verdict.duplicates.append(Finding("guessed a doubtful pair", "zoho", "accounts", customer, expected=", ".join(made)))


def _missing(system: str, stream: str, owner: tuple[str, str, str], key: str) -> Finding:
    return Finding("missing", system, stream, key, expected=f"for {'.'.join(owner[:2])} {owner[2]}", owner=owner)


def _compare_party(case: Case, customer: str, copies: dict[str, Doc], account: Doc) -> None:
    first = master(copies)
    for pair in case.party_pairs:
        for doc in [first] if pair.owner == "kingdee" else list(copies.values()):
            compare(case, pair, doc, account, "customers", "accounts", text(doc.get("FCUSTID")), text(account["id"]))
    blocked = "Blocked" if first.get("FForbidStatus") == "B" else "Active"
    if text(account.get("Status_Code")) != blocked:
        owner = ("kingdee", "customers", text(first.get("FCUSTID")))
        case.verdict.drift.append(
            Finding("differs", "zoho", "accounts", text(account["id"]), "Status_Code", blocked, text(account.get("Status_Code")), owner)
        )


def compare(case: Case, pair: Pair, kingdee: Doc, zoho: Doc, k_stream: str, z_stream: str, k_key: str, z_key: str) -> None:
    """Note a difference of one field; its name in the finding is the owner's."""
    ours = kingdee.get(pair.kingdee)
    if pair.value_map:
        code = ref(kingdee, pair.kingdee)
        if not case.has_map(pair.value_map):
            return
        ours = case.values.get((pair.value_map, "zoho", code), "") if code else ""
    elif isinstance(ours, dict):
        ours = ref(kingdee, pair.kingdee)
    theirs = zoho.get(pair.zoho)
    kind = pair.kind
    if same(kind, ours, theirs) if pair.owner == "kingdee" else same(kind, theirs, ours):
        return
    if pair.owner == "kingdee":
        found = Finding("differs", "zoho", z_stream, z_key, pair.kingdee, text(ours), text(theirs), ("kingdee", k_stream, k_key))
    else:
        found = Finding("differs", "kingdee", k_stream, k_key, pair.zoho, text(theirs), text(ours), ("zoho", z_stream, z_key))
    case.verdict.drift.append(found)


def _accounts_without_customer(case: Case, accounts: dict[str, Doc], linked: set[str]) -> None:
    for key, doc in accounts.items():
        if key in linked or key in case.held_accounts:
            continue
        if text(doc.get("Hub_Key")):
            case.verdict.duplicates.append(Finding("made for no customer", "zoho", "accounts", key, expected=text(doc.get("Account_Name"))))
        elif text(doc.get("USCC")):
            case.verdict.lost.append(_missing("kingdee", "customers", ("zoho", "accounts", key), text(doc.get("USCC"))))
        else:
            case.count("accounts that stay in Zoho")


def _double_customers(case: Case) -> None:
    """Two customers of one registration code in one organisation, one of them made by the hub."""
    seen: defaultdict[tuple[str, str, str], list[Doc]] = defaultdict(list)
    for doc in case.evidence.kingdee["customers"]:
        for kind, value in (("uscc", text(doc.get("FSOCIALCRECODE"))), ("name", text(doc.get("FName")))):
            if value:
                seen[kind, value, ref(doc, "FUseOrgId")].append(doc)
    told = set()
    for (_, value, org), docs in seen.items():
        keys = ", ".join(sorted(text(doc.get("FCUSTID")) for doc in docs))
        if len(docs) > 1 and any(text(doc.get("F_HUB_KEY")) for doc in docs) and keys not in told:
            told.add(keys)
            case.verdict.duplicates.append(Finding("two of one party", "kingdee", "customers", value, expected=f"{keys} in {org}"))


def judge_products(case: Case) -> None:
    """One product for each material number."""
    by_code: defaultdict[str, list[Doc]] = defaultdict(list)
    for doc in case.evidence.zoho["products"]:
        by_code[text(doc.get("Product_Code"))].append(doc)
    first: dict[str, Doc] = {}
    for doc in case.evidence.kingdee["products"]:
        code = text(doc.get("FNumber"))
        if code not in first or ref(doc, "FUseOrgId") == ref(doc, "FCreateOrgId"):
            first[code] = doc
    for code, doc in first.items():
        found = by_code.get(code, [])
        key = text(doc.get("FMATERIALID"))
        if len(found) > 1:
            case.verdict.duplicates.append(
                Finding("two of one product", "zoho", "products", code, expected=", ".join(text(one["id"]) for one in found))
            )
        if not found:
            case.verdict.lost.append(_missing("zoho", "products", ("kingdee", "products", key), code))
            continue
        case.count("products")
        flat = {**doc, **{k: v for sub in ("SubHeadEntity", "SubHeadEntity1", "SubHeadEntity2") for k, v in (doc.get(sub) or {}).items()}}
        for pair in case.product_pairs:
            compare(case, pair, flat, found[0], "products", "products", key, text(found[0]["id"]))
        if bool(found[0].get("Product_Active")) != (doc.get("FForbidStatus") != "B"):
            owner = ("kingdee", "products", key)
            case.verdict.drift.append(
                Finding("differs", "zoho", "products", text(found[0]["id"]), "FForbidStatus", text(doc.get("FForbidStatus")), "", owner)
            )
