"""Leads: given to a dealer, and turned into customer, contact and deal at one stroke, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from channel.deals import duplicates, fencing, leads, matching
from channel.deals.errors import LeadNotConvertible
from channel.deals.fences import Suggestion
from ledger.tables import TABLES
from sync import deal_pipeline, hub_records, store
from sync.errors import NotAllowed, NotFound
from sync.hub import Cursor, Hub


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a lead became. `repeated`: it had been converted before, and nothing was done now."""

    party: str
    contact: str | None
    deal: str
    new_party: bool
    repeated: bool = False


def suggest_dealers(hub: Hub, lead_id: str) -> list[Suggestion]:
    """Dealers who may get the lead, by fences and load, best first. Raises: NotFound."""
    with hub.transaction() as db:
        lead = _lead(db, lead_id)
        region = lead.get("region") or fencing.place_of(matching.prepare(leads.claim_of(lead)))
        return fencing.dealers_for(
            db.connection, region=region, industry=lead.get("industry") or "", product_line=lead.get("product_line") or ""
        )


def assign(hub: Hub, lead_id: str, by: str, *, dealer: str | None = None, salesperson: str | None = None) -> int:
    """Give a lead to a dealer or a salesperson, or to both; the new version.

    Raises: NotFound; NotAllowed where hub.yaml does not name the hub among the owners.
    """
    changes = {name: value for name, value in (("dealer", dealer), ("salesperson", salesperson)) if value is not None}
    return hub_records.edit(hub, "lead", lead_id, changes, by)


def convert(
    hub: Hub, lead_id: str, by: str, *, party: str | None = None, new_party: bool = False, deal: Mapping[str, Any] | None = None
) -> Conversion:
    """Make customer, contact and deal of a lead, in one transaction. Twice gives what the first time gave.

    A customer that the lead surely means is used; one that it perhaps means has to be named (`party`) or ruled out (`new_party`).
    `deal`: fields of the deal beside what the lead says, in document form.
    Raises: NotFound, LeadNotConvertible; NotAllowed where hub.yaml does not name the hub among the owners of party, contact and deal.
    """
    for entity in ("party", "contact", "deal"):
        _need_owner(hub, entity)
    first = deal_pipeline.pipelines(hub)
    pipeline = first.every[str((deal or {}).get("pipeline") or first.default)]
    start, spelled = deal_pipeline.beginning(hub, pipeline)
    with hub.transaction() as db:
        db.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"lead {lead_id}"])
        lead = _lead(db, lead_id)
        if (earlier := _earlier(hub, db, lead_id)) is not None:
            return earlier
        made = leads.convert(lead, pipeline=pipeline.name, stage=spelled, kind=start.kind, deal=deal)
        known = party or (None if new_party else _known_party(db, lead))
        cause = f"lead {lead_id} converted by {by}"
        customer = known or hub_records.put(hub, db, "party", f"lead/{lead_id}", made.party, {}, cause=cause).id
        contact = None
        if made.contact:
            contact = hub_records.put(hub, db, "contact", f"lead/{lead_id}", {**made.contact, "party": customer}, {}, cause=cause).id
        cited = {"customer": customer, **({"contact": contact} if contact else {})}
        project = hub_records.put(hub, db, "deal", f"lead/{lead_id}", {**made.deal, **cited}, {}, cause=cause).id
        _mark(hub, db, lead_id, customer, project, cause)
        return Conversion(customer, contact, project, known is None)


def _need_owner(hub: Hub, entity: str, field: str = "name") -> None:
    policy = hub.policies.get(entity)
    if policy is None or not policy.may_decide("hub", field):
        raise NotAllowed(
            f"the hub may not make a {entity}",
            where=f"flows.{entity}.owners",
            next_step="name hub among its owners in hub.yaml, after the systems",
        )


def _lead(db: Cursor, lead_id: str) -> dict[str, Any]:
    found = store.load(db, TABLES["lead"], [lead_id], lock=True)
    if lead_id not in found or found[lead_id].retired:
        raise NotFound(f"there is no lead {lead_id}", next_step="list them: `hub deals leads`")
    return found[lead_id].doc


def _earlier(hub: Hub, db: Cursor, lead_id: str) -> Conversion | None:
    made = {}
    for entity in ("party", "contact", "deal"):
        db.execute("SELECT entity_id::text AS id FROM link WHERE stream_id = %s AND key = %s", [hub.hub_streams[entity], f"lead/{lead_id}"])
        made[entity] = (db.fetchone() or {"id": None})["id"]
    if made["deal"] is None:
        return None
    deal = store.load(db, TABLES["deal"], [made["deal"]])[made["deal"]]
    customer = made["party"] or str(deal.doc.get("customer") or "")
    return Conversion(customer, made["contact"], made["deal"], made["party"] is not None, repeated=True)


def _known_party(db: Cursor, lead: Mapping[str, Any]) -> str | None:
    """The party that the lead means; None when it means nobody who is known.

    Raises: LeadNotConvertible when it may mean somebody.
    """
    meant = duplicates.who(db.connection, leads.claim_of(lead))
    if meant.verdict == "review":
        raise LeadNotConvertible(f"the lead may mean {meant.name}", next_step="name that party, or say that it is a new one")
    return str(meant.party_id) if meant.party_id else None


def _mark(hub: Hub, db: Cursor, lead_id: str, party: str, deal: str, cause: str) -> None:
    """Say on the lead what it became, as far as the hub may decide these fields."""
    policy = hub.policies["lead"]
    said = {"status": "converted", "converted_party": party, "converted_deal": deal}
    fields = {name: value for name, value in said.items() if policy.may_decide("hub", name)}
    if fields:
        hub_records.put(hub, db, "lead", f"converted/{lead_id}", fields, {}, cause=cause, entity_id=lead_id)


def hand_in(hub: Hub, fields: Mapping[str, Any], by: str, key: str) -> tuple[str, bool]:
    """A lead that a dealer, a web form or our own people hand in, in document form; its id, and whether it is new.

    The same `key` again gives the lead that it gave before. Where the hub's word about a lead's status stands above a CRM's, it says none
    until it is converted: the CRM's people go on deciding.
    Raises: NotAllowed where hub.yaml does not name the hub among the owners of leads.
    """
    _need_owner(hub, "lead", "company_name")
    policy = hub.policies["lead"]
    said = {name: value for name, value in fields.items() if value and policy.may_decide("hub", name)}
    if "hub" in policy.owners["status"][:1] and len(policy.owners["status"]) > 1:
        said.pop("status", None)
    with hub.transaction() as db:
        db.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"lead handed in {key}"])
        db.execute("SELECT entity_id::text AS id FROM link WHERE stream_id = %s AND key = %s", [hub.hub_streams["lead"], f"handed/{key}"])
        if (row := db.fetchone()) is not None:
            return str(row["id"]), False
        return hub_records.put(hub, db, "lead", f"handed/{key}", said, {}, cause=f"handed in by {by}").id, True
