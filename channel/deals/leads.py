"""What a lead becomes: a party, a contact and a deal, with nothing typed twice. Pure; records in document form.

Source, salesperson and the time of the first talk go along, so that it can be told for ever where a customer came from.

>>> lead = {"company_name": "苏州明基机电有限公司", "person": "李工", "source": "fair", "interest": "水泵", "status": "working"}
>>> made = convert(lead, pipeline="manufacturer", stage="线索登记", kind="lead")
>>> made.party["name"], made.contact["name"], made.deal["source"], made.deal["name"]
('苏州明基机电有限公司', '李工', 'fair', '苏州明基机电有限公司 水泵')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from channel.deals.errors import LeadNotConvertible
from channel.deals.matching import Claim

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Converted:
    """The records that a lead asks for. `contact` is empty where the lead names no person."""

    party: Fields
    contact: Fields
    deal: Fields


def claim_of(lead: Mapping[str, Any]) -> Claim:
    """What the lead says about a company, for matching it with customers that are known."""
    return Claim(
        name=lead.get("company_name") or "",
        phone=lead.get("mobile") or "",
        contact=lead.get("person") or "",
        product_line=lead.get("product_line") or "",
    )


def convert(lead: Mapping[str, Any], *, pipeline: str, stage: str, kind: str, deal: Mapping[str, Any] | None = None) -> Converted:
    """The records of a lead. `deal`: what is known about the deal beside the lead, such as its name or amount.

    The first talk is what the lead says, else when it came in.
    Raises: LeadNotConvertible for a lead that is lost or names nobody.
    """
    name = str(lead.get("company_name") or "").strip()
    if lead.get("status") == "lost":
        raise LeadNotConvertible("the lead is lost", next_step="set its status back to working first")
    if not name:
        raise LeadNotConvertible("the lead names no company", next_step="enter the company's name")
    party = {
        "name": name,
        "roles": ["end_customer"],
        "industry": lead.get("industry"),
        "phone": lead.get("mobile"),
        "email": lead.get("email"),
        "product_lines": [lead["product_line"]] if lead.get("product_line") else None,
        "status": "active",
    }
    contact = {"name": lead.get("person"), "mobile": lead.get("mobile"), "email": lead.get("email"), "status": "active"}
    subject = " ".join(filter(None, [name, lead.get("product_line") or lead.get("interest")]))[:120]
    made = {
        "name": subject,
        "dealer": lead.get("dealer"),
        "pipeline": pipeline,
        "stage": stage,
        "stage_kind": kind,
        "product_line": lead.get("product_line"),
        "source": lead.get("source"),
        "salesperson": lead.get("salesperson"),
        "first_talk_at": lead.get("first_talk_at") or lead.get("received_at"),
        "description": lead.get("interest"),
        **(deal or {}),
    }
    return Converted(_said(party), _said(contact) if lead.get("person") else {}, _said(made))


def _said(fields: Mapping[str, Any]) -> Fields:
    return {name: value for name, value in fields.items() if value not in (None, "")}
