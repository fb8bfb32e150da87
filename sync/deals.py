"""Deals of a CRM as claims: what a dealer or salesperson enters there is registered here, and what is decided here is shown there.

A deal that names a dealer and his customer asks for protection. Whoever changes a deal, a quote of it or its registration leaves a row in
`deal_due`, in the same transaction; :func:`settle` works the rows off, one deal a transaction, those entered first before the others. It
looks at what is, not at what happened, so that a row too many does nothing. What it finds are fields of the deal that only the hub
decides; they reach the CRM like any other field.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg

from canonical.values import SHANGHAI, business_day, utc_text
from channel.deals import acting, queries, service, wording
from channel.deals.customers import service as customers
from channel.deals.errors import BadClaim, Contended, KeysOutdated, TooManyChecks, UnknownDealer
from channel.deals.matching import Claim
from channel.deals.pipeline import GROUPS, LOST
from channel.deals.protection import LIVE
from channel.deals.queries import Registration
from ledger.bulk import from_json
from ledger.tables import TABLES
from sync import deriving, hub_records, store
from sync.decide import Canonical
from sync.hub import Cursor, Hub
from sync.runs import Run
from sync.sources import sources_of

PAGE = 500
PARTIES_AT_ONCE = 2000
"""More parties than this (a first load) are left to the upkeep of deals, which takes them in bulk. Nobody holds them, so nothing waits."""
BY = "rule:crm"
"""Actor of what follows from an edit in a CRM."""
_DECIDED = "^(edit|registration|lead)/"
"""Records of the hub's own that decide a deal's stage: people's edits, and deals that were made of a registration or a lead."""
_WON = frozenset(kind for kind, group in GROUPS.items() if group in ("won", "delivery", "after"))
_SAID_TO_THE_DEALER = ("by_person", "appeal_denied")
_BAD = {
    BadClaim: (
        "客户资料不足以登记，请补充名称、统一社会信用代码或电话",
        "too little is known of the customer: give name, code or phone",
    ),
    UnknownDealer: ("经销商不是有效的合作伙伴", "the dealer is no active partner"),
}


# What is to be looked at ------------------------------------------------------------------------------------------------------


def enqueue(hub: Hub, db: Cursor, kind: str, ids: Sequence[str]) -> None:
    """Deals or quotes have changed: note the deals that may ask for protection, or stand on a registration already.

    A deal that was entered before the go-live is existing business: it is registered when somebody says so, not by itself.
    """
    if kind == "quote":
        db.execute(
            "INSERT INTO deal_due (deal_id, work) SELECT DISTINCT c.deal_id, true FROM quotes AS q "
            "JOIN deal_claim AS c ON c.deal_id = q.deal_id WHERE q.id = ANY(%s::uuid[])",
            [list(ids)],
        )
        return
    db.execute(
        "INSERT INTO deal_due (deal_id, entered_at, work) SELECT d.id, coalesce(d.doc->>'entered_at', ''), c.deal_id IS NOT NULL "
        "FROM deals AS d LEFT JOIN deal_claim AS c ON c.deal_id = d.id WHERE d.id = ANY(%(ids)s::uuid[]) AND CASE "
        "WHEN c.deal_id IS NOT NULL THEN d.version > c.deal_version "
        "ELSE d.dealer_id <> d.customer_id AND NOT d.retired AND coalesce(d.doc->>'entered_at', '9') >= %(since)s END",
        {"ids": list(ids), "since": _since(hub.config.go_live_of("deal"))},
    )
    db.execute(
        "INSERT INTO deal_decided (deal_id) SELECT DISTINCT entity_id FROM link WHERE stream_id = %s AND entity_id = ANY(%s::uuid[]) "
        "AND key ~ %s ON CONFLICT DO NOTHING",
        [hub.hub_streams["deal"], list(ids), _DECIDED],
    )


def _since(go_live: date | None) -> str:
    return utc_text(datetime.combine(go_live, time(), SHANGHAI).astimezone(UTC)) if go_live else ""


def refresh_customers(hub: Hub, run: Run) -> None:
    """Let customers and match keys follow the parties that have changed. Nothing changed: one look at an empty table."""
    with hub.transaction() as db:
        db.execute("SELECT coalesce(sum(parties), 0) AS parties FROM party_due")
        waiting = int((db.fetchone() or {"parties": 0})["parties"])
        if not 0 < waiting <= PARTIES_AT_ONCE:
            return
        try:
            done = customers.refresh_due(db.connection, PARTIES_AT_ONCE)
        except KeysOutdated:
            run.count("keys_outdated")
            return
    run.count("customers", done.added + done.changed)


# Settling -------------------------------------------------------------------------------------------------------------------------


def settle(hub: Hub, run: Run) -> None:
    """Work off what is due; how many deals changed. Several workers may do it at once: the locks of a claim decide between them.

    Only when a deal's CRM may be written: in mode plan or read nothing is registered, and what is due waits for the mode write.
    """
    if "deal" not in hub.policies:
        return
    due, decided = _due(hub)
    for deal_id in decided:
        with hub.transaction() as db:
            _give_back(hub, db, deal_id)
    for deal_id in due:
        try:
            with hub.transaction() as db:
                run.count("claims", _settle(hub, db, deal_id, run))
        except (TooManyChecks, Contended, KeysOutdated, psycopg.errors.DeadlockDetected, psycopg.errors.UniqueViolation):
            run.count("claims_waiting")  # the row is still there, the next run tries again


def _due(hub: Hub) -> tuple[list[str], list[str]]:
    with hub.transaction() as db:
        db.execute(
            "SELECT d.deal_id::text AS id FROM deal_decided AS d WHERE NOT EXISTS "
            "(SELECT FROM desired AS x WHERE x.entity_id = d.deal_id AND x.state NOT IN ('in_sync', 'left')) LIMIT %s",
            [PAGE],
        )
        decided = [row["id"] for row in db]
        db.execute("SELECT EXISTS (SELECT FROM deal_due) AS due")
        if not (db.fetchone() or {"due": False})["due"]:
            return [], decided
        overrides = hub.mode_overrides(db)
        if all(hub.mode(state, overrides) != "write" for state in hub.streams_for("deal")):
            return [], decided
        # A CRM tells the second of entry only; its own keys grow, and tell who was first within one.
        db.execute(
            "SELECT d.deal_id::text AS id FROM deal_due AS d GROUP BY d.deal_id ORDER BY max(d.entered_at), (SELECT min(l.key) "
            "FROM link AS l JOIN stream AS s ON s.id = l.stream_id WHERE l.entity_id = d.deal_id AND s.system <> 'hub'), min(d.id)"
        )
        return [row["id"] for row in db], decided


@dataclass(frozen=True, slots=True)
class _Claim:
    """The row of `deal_claim`."""

    dealer_id: UUID
    party_id: UUID
    product_line: str
    attempt: int
    registration_id: UUID | None
    problem: str
    lost: bool


def _settle(hub: Hub, db: Cursor, deal_id: str, run: Run) -> int:
    db.execute("DELETE FROM deal_due WHERE deal_id = %s RETURNING work", [deal_id])
    noted = [row["work"] for row in db]
    found = store.load(db, TABLES["deal"], [deal_id], lock=True)
    if not noted or deal_id not in found:
        return 0
    deal = found[deal_id]
    db.execute(
        "SELECT dealer_id, party_id, product_line, attempt, registration_id, problem, lost FROM deal_claim WHERE deal_id = %s", [deal_id]
    )
    row = db.fetchone()
    old = _Claim(**row) if row else None
    now = _follow(db, deal, old, worked=any(noted))
    if now is None:
        return 0
    registration = queries.registration(db.connection, now.registration_id) if now.registration_id else None
    fields = _shown(db, registration) if registration else {"protection": "refused", "refusal_reason": now.problem, "conflict": False}
    doc = {name: value for name, value in deal.doc.items() if name not in _FIELDS} | fields
    changed = deriving.save_derived(hub, db, "deal", found, [replace(deal, doc=doc)], run.id)
    _keep(db, deal_id, now, deal.version + changed)
    return changed


_FIELDS = ("protection", "protected_until", "refusal_reason", "conflict")


def _shown(db: Cursor, one: Registration) -> dict[str, Any]:
    """What a deal says of its registration: what its dealer may read, nothing of anybody else."""
    holds = one.status in ("protected", "converted")
    words = "" if holds else " / ".join(wording.sentence(one.status, one.reason))
    if one.reason in _SAID_TO_THE_DEALER and not holds:
        db.execute(
            "SELECT cause FROM registration_event WHERE registration_id = %s AND after = %s ORDER BY id DESC LIMIT 1", [one.id, one.status]
        )
        cause = (db.fetchone() or {"cause": ""})["cause"]
        words = f"{words}: {cause}" if cause else words
    return {
        "protection": one.status,
        "protected_until": _until(one) if holds else None,
        "refusal_reason": words[:255],
        "conflict": one.reason == "doubtful"
        if one.status == "held"
        else one.status in ("rejected", "appealed") and one.reason == "protected",
    }


def _until(one: Registration) -> str | None:
    return business_day(one.ends - service.MOMENT).isoformat() if one.ends else None


def _keep(db: Cursor, deal_id: str, now: _Claim, version: int) -> None:
    db.execute(
        "INSERT INTO deal_claim (deal_id, dealer_id, party_id, product_line, attempt, registration_id, problem, lost, deal_version) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (deal_id) DO UPDATE SET dealer_id = excluded.dealer_id, "
        "party_id = excluded.party_id, product_line = excluded.product_line, attempt = excluded.attempt, "
        "registration_id = excluded.registration_id, problem = excluded.problem, lost = excluded.lost, "
        "deal_version = excluded.deal_version",
        [deal_id, now.dealer_id, now.party_id, now.product_line, now.attempt, now.registration_id, now.problem, now.lost, version],
    )


# What the deal asks for now --------------------------------------------------------------------------------------------------------


def _follow(db: Cursor, deal: Canonical, old: _Claim | None, *, worked: bool) -> _Claim | None:
    """Make the registration follow the deal: register, register anew, give up, note work. None: the deal asks for nothing."""
    dealer, party, line = deal.doc.get("dealer"), deal.doc.get("customer"), deal.doc.get("product_line") or ""
    asks = bool(dealer and party and dealer != party and not deal.retired)
    if old is None:
        if not asks or deal.doc.get("stage_kind") == LOST:
            return None
        return _register(db, deal, _Claim(UUID(dealer), UUID(party), line, 1, None, "", lost=False))
    if not asks or deal.doc.get("stage_kind") == LOST:
        _give_up(db, deal.id, old.registration_id, "the deal was lost" if asks else "the deal names no dealer and customer any more")
        return replace(old, lost=True)
    wanted = _Claim(UUID(dealer), UUID(party), line, old.attempt, old.registration_id, old.problem, lost=False)
    same = (wanted.dealer_id, wanted.product_line) == (old.dealer_id, old.product_line) and (
        wanted.party_id == old.party_id or _merged(db, old.party_id, wanted.party_id)
    )
    if same and not old.lost and not old.problem and not _free_again(db, wanted.registration_id):
        _work_on(db, deal, wanted.registration_id, worked=worked)
        return wanted
    made = _register(db, deal, replace(wanted, attempt=old.attempt + 1, problem=""))
    if made.registration_id != old.registration_id:
        _give_up(db, deal.id, old.registration_id, "the deal names another dealer, customer or product line now")
    return made


def _free_again(db: Cursor, registration_id: UUID | None) -> bool:
    """Whether a claim was refused because somebody held its customer, and nobody else does any more: it is judged again, by itself.

    What a person refused stays refused.
    """
    db.execute(
        "SELECT 1 FROM registration AS mine WHERE mine.id = %s AND mine.status = 'rejected' "
        "AND mine.reason IN ('protected', 'direct_customer') AND NOT EXISTS (SELECT FROM registration AS other "
        "WHERE other.customer_id = mine.customer_id AND other.lines && mine.lines AND other.status = ANY(%s::text[]) "
        "AND (upper_inf(other.protected) OR upper(other.protected) > clock_timestamp()) "
        "AND other.dealer_id IS DISTINCT FROM mine.dealer_id)",
        [registration_id, list(LIVE)],
    )
    return db.fetchone() is not None


def _merged(db: Cursor, old: UUID, new: UUID) -> bool:
    """Whether a party was merged into another: the claim is what it was. The merge itself sees to the protections."""
    db.execute("SELECT retired FROM parties WHERE id = %s", [old])
    row = db.fetchone()
    db.execute("SELECT count(DISTINCT coalesce(root, id)) = 1 AND count(*) = 2 AS one FROM customer WHERE party_id IN (%s, %s)", [old, new])
    return bool(row and row["retired"]) or bool((db.fetchone() or {"one": False})["one"])


def _work_on(db: Cursor, deal: Canonical, registration_id: UUID | None, *, worked: bool) -> None:
    if registration_id is None:
        return
    one = acting.found(db.connection, registration_id, lock=True)
    if one.status == "protected" and deal.doc.get("stage_kind") in _WON:
        acting.convert(db.connection, registration_id, UUID(deal.id), BY)
    elif worked and one.status in ("protected", "converted"):
        acting.note_activity(db.connection, registration_id, f"deal {deal.id}: {deal.doc.get('stage') or 'changed'}", BY)


def _give_up(db: Cursor, deal_id: str, registration_id: UUID | None, cause: str) -> None:
    """Release what the deal stood on, unless another deal stands on it too."""
    if registration_id is None:
        return
    one = acting.found(db.connection, registration_id, lock=True)
    db.execute("SELECT 1 FROM deal_claim WHERE registration_id = %s AND deal_id <> %s AND NOT lost LIMIT 1", [registration_id, deal_id])
    if db.fetchone() is None and one.status in LIVE:
        acting.release(db.connection, registration_id, BY, cause)


def _register(db: Cursor, deal: Canonical, claim: _Claim) -> _Claim:
    """The claim with its registration, or with the reason why it has none."""
    customers.ensure(db.connection, claim.party_id)
    amount, currency = _size_of(deal)
    try:
        made = service.register(
            db.connection,
            claim.dealer_id,
            _words_of(db, deal),
            idempotency_key=f"deal:{deal.id}:{claim.attempt}",
            amount=amount,
            currency=currency,
            actor=BY,
            party_id=claim.party_id,
        )
    except (BadClaim, UnknownDealer) as wrong:
        return replace(claim, registration_id=None, problem=" / ".join(_BAD[type(wrong)]))
    claim = replace(claim, registration_id=made.id, problem="")
    _work_on(db, deal, made.id, worked=made.repeated)
    return claim


def _size_of(deal: Canonical) -> tuple[Decimal | None, str]:
    """The expected size of the deal and its currency, for policies by size; nothing where the CRM gives no whole one."""
    said, currency = deal.doc.get("expected_amount"), deal.doc.get("currency") or ""
    amount = Decimal(said) if said else None
    return (amount, currency) if amount is not None and amount >= 0 and len(currency) == 3 else (None, "")


def _words_of(db: Cursor, deal: Canonical) -> Claim:
    party = store.load(db, TABLES["party"], [deal.doc["customer"]])[deal.doc["customer"]].doc
    contact: Mapping[str, Any] = {}
    if deal.doc.get("contact"):
        contact = next(iter(store.load(db, TABLES["contact"], [deal.doc["contact"]]).values())).doc
    given = {
        "name": party.get("name"), "uscc": party.get("uscc") or party.get("tax_number"),
        "phone": party.get("phone") or contact.get("mobile") or contact.get("phone"), "contact": contact.get("name"),
        "city": party.get("city") or party.get("province"), "address": party.get("address"),
        "project": deal.doc.get("name"), "product_line": deal.doc.get("product_line"),
    }  # fmt: skip
    said: dict[str, Any] = {name: str(value)[: service.LONGEST] for name, value in given.items() if value}
    return Claim(**said)


# What the hub decided about a deal's stage, and the CRM shows by now --------------------------------------------------------------------


def _give_back(hub: Hub, db: Cursor, deal_id: str) -> None:
    """The CRM shows what the hub decided: from now on it decides again, so that a salesperson's next move counts.

    A stage that the CRM has no word for (contract, delivery) stays the hub's.
    """
    store.load(db, TABLES["deal"], [deal_id], lock=True)
    said = {name: value for one in sources_of(hub, db, "deal", deal_id) if one.system != "hub" for name, value in one.fields.items()}
    if not said and _is_elsewhere(hub, db, deal_id):
        return  # it was created there, and is not read yet
    db.execute(
        "SELECT l.key, o.payload FROM link AS l JOIN observed AS o ON (o.stream_id, o.key) = (l.stream_id, l.key) "
        "WHERE l.stream_id = %s AND l.entity_id = %s AND l.key ~ %s ORDER BY l.key",
        [hub.hub_streams["deal"], deal_id, _DECIDED],
    )
    ours: dict[str, dict[str, Any]] = {row["key"]: from_json(row["payload"])["fields"] for row in db}
    kept = {key: _kept(fields, said, hub.policies["deal"].owners) for key, fields in ours.items()}
    if None in kept.values():
        return
    for key, fields in kept.items():
        if fields is not None and fields != ours[key]:
            hub_records.put(hub, db, "deal", key, fields, {}, cause="the CRM shows what the hub decided", entity_id=deal_id)
    db.execute("DELETE FROM deal_decided WHERE deal_id = %s", [deal_id])


def _is_elsewhere(hub: Hub, db: Cursor, deal_id: str) -> bool:
    db.execute("SELECT 1 FROM link WHERE entity_id = %s AND stream_id <> %s AND role <> 'gone' LIMIT 1", [deal_id, hub.hub_streams["deal"]])
    return db.fetchone() is not None


def _kept(fields: Mapping[str, Any], said: Mapping[str, Any], owners: Mapping[str, Collection[str]]) -> dict[str, Any] | None:
    """What of the hub's decision stays the hub's; None when the CRM does not show it all yet."""
    kept, waiting = dict(fields), False
    if "stage_kind" in fields and fields.get("stage") == said.get("stage") and fields["stage_kind"] != said.get("stage_kind"):
        return kept
    for name in fields:
        if name in said and next(iter(owners[name]), "") == "hub":
            if said[name] == fields[name]:
                del kept[name]
            else:
                waiting = True
    return None if waiting else kept
