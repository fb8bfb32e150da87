"""What registrations look like in the API: to their own dealer, who learns nothing of anybody else, and to our own people."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from channel.deals.explanation import Explained
from channel.deals.matching import Claim
from channel.deals.queries import Event
from channel.deals.registrations import Registered
from channel.deals.wording import DEALER_EVENTS, sentence, told_reason
from hub_api.deals_lists import UNPROTECTED
from hub_api.pages import MaybeId
from hub_api.permissions import Role
from hub_api.shapes import TEXT, plain_decimal

Status = Literal["submitted", "held", "protected", "converted", "rejected", "appealed", "released", "transferred", "expired", "taken_back"]
Part = Annotated[str, Field(max_length=500, pattern=TEXT)]
Line = Annotated[str, Field(max_length=200, pattern=TEXT)]
Region = Annotated[str, Field(pattern=r"^([0-9]{2}|[0-9]{4}|[0-9]{6})?$")]
Industry = Annotated[str, Field(pattern=r"^([A-T]|[A-T]?[0-9]{2,4})?$")]
Currency = Annotated[str, Field(pattern=r"^([A-Z]{3})?$")]
Amount = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,8})?$"), AfterValidator(plain_decimal)]
Words = Annotated[str, Field(max_length=1000, pattern=TEXT)]

CLAIM = {
    "name": "苏州恒信机电有限公司",
    "uscc": "91320594MA1XXXXX0A",
    "phone": "0512-68881234",
    "city": "苏州市",
    "project": "二号产线改造",
}
SHORT: dict[str, Any] = {
    "id": "01931f5e-7c00-7000-8000-000000000000",
    "status": "protected",
    "reason": "free",
    "message": {"zh": "登记成功，客户已受保护", "en": "It is registered and protected"},
    "submitted_at": "2026-01-05T02:11:12Z",
    "protected_until": "2026-04-05T16:00:00Z",
    "repeated": False,
}
DEALERS: dict[str, Any] = {name: value for name, value in SHORT.items() if name != "repeated"} | {
    "product_line": "水泵",
    "region": "3205",
    "industry": "C34",
    "amount": "1200000",
    "currency": "CNY",
    "claim": CLAIM,
    "decided_at": "2026-01-05T02:11:12Z",
    "protected_from": "2026-01-05T02:11:12Z",
    "days": 90,
    "extended_at": None,
    "active_at": "2026-01-05T02:11:12Z",
    "deal": None,
}
OURS: dict[str, Any] = DEALERS | {
    "dealer": "01931f5e-7c00-7000-8000-00000000000a",
    "dealer_name": "上海东方工业设备有限公司",
    "customer": 4711,
    "customer_name": "苏州恒信机电有限公司",
    "policy": 1,
    "previous": None,
}
EVENT: dict[str, Any] = {
    "at": "2026-01-05T02:11:12Z",
    "action": "register",
    "status": "protected",
    "actor": "api:sales",
    "cause": "",
    "facts": {"reason": "free", "policy": 1, "days": 90},
}
DECISION: dict[str, Any] = {
    "outcome": "protected",
    "reason": "free",
    "verdict": "new",
    "version": "2026.11.1",
    "p": "0.021",
    "customer": None,
    "customer_name": "",
    "features": [{"feature": "brand", "found": "far", "weight": "-4.2", "zh": "字号不同", "en": "the brand is another"}],
    "thresholds": {"duplicate": "0.9", "review": "0.1"},
    "candidates": [{"customer": 4712, "name": "昆山恒欣机电有限公司", "p": "0.021"}],
    "others": 3,
    "policy": 1,
    "fence": {"effect": "allow", "code": ""},
    "met": None,
    "replayed": "same",
}


class Message(BaseModel):
    """A sentence in both languages."""

    zh: str
    en: str


class Firm(BaseModel):
    """What somebody says about a customer; any field may be left out, but name, code or phone must say something."""

    name: Part = Field(default="", description="Name of the company, as it is known.")
    uscc: Part = Field(default="", description="统一社会信用代码.")
    phone: Part = Field(default="", description="With extension, if there is one.")
    contact: Part = Field(default="", description="Name of a person there.")
    city: Part = ""
    address: Part = ""
    project: Part = Field(default="", description="What it is about.")
    product_line: Line = Field(default="", description="Empty: every line.")
    aliases: list[Part] = Field(default=[], max_length=8, description="Short, former and English names.")

    def claim(self) -> Claim:
        """As the rules want it."""
        values = self.model_dump(include=set(Firm.model_fields))
        return Claim(**{**values, "aliases": tuple(values["aliases"])})


class Question(Firm):
    """The question whether a customer is free."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"name": CLAIM["name"], "city": "苏州市", "product_line": "水泵"}}
    )

    dealer: MaybeId = Field(default=None, description="For whom it is asked. A dealer's own key leaves it out.")
    region: Region = Field(default="", description="GB/T 2260 code of the project's place; else the place in the claim counts.")
    industry: Industry = Field(default="", description="GB/T 4754 code of the customer's trade.")


class Register(Question):
    """Register a customer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {**CLAIM, "product_line": "水泵", "region": "3205", "amount": "1200000", "currency": "CNY"},
            "dependentRequired": {"amount": ["currency"]},
        },
    )

    amount: Amount | SkipJsonSchema[None] = Field(default=None, description="Expected size of the deal.")
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | SkipJsonSchema[None] = Field(default=None, description="ISO 4217.")

    @model_validator(mode="after")
    def _amount_with_currency(self) -> Self:
        if self.amount is not None and self.currency is None:
            raise ValueError("an amount needs a currency")
        return self


class Free(BaseModel):
    """All that one learns from asking."""

    free: Literal["yes", "no", "maybe"] = Field(description="maybe: a person would compare it with customers that we know.")
    yours: bool = Field(description="It is registered for the one who asks.")
    left_this_hour: int = Field(description="How many more questions are answered within the hour.")


class RegistrationOut(BaseModel):
    """What became of a claim."""

    id: UUID
    status: Status
    reason: str = Field(description="Code of why it is so; `message` says it in words.")
    message: Message
    submitted_at: datetime = Field(description="Decides who was first.")
    protected_until: datetime | None = Field(description="First moment that is not protected; null while nothing is.")
    repeated: bool = Field(description="This request, or one for the same customer, had come before.")


class EventOut(BaseModel):
    """One entry of its history."""

    at: datetime
    action: str
    status: str = Field(description="Status after it.")
    actor: str | None = Field(default=None, description="Not for dealers.")
    cause: str | None = Field(default=None, description="Not for dealers.")
    facts: dict[str, Any] | None = Field(default=None, description="Not for dealers.")


class FeatureOut(BaseModel):
    """One feature's part in a decision."""

    feature: str
    found: str
    weight: str = Field(description="Log-odds: above zero it speaks for one firm.")
    zh: str
    en: str


class CandidateOut(BaseModel):
    """A customer that was near."""

    customer: int
    name: str
    p: str


class DecisionOut(BaseModel):
    """Why the matcher decided so."""

    outcome: str
    reason: str
    verdict: str
    version: str
    p: str
    customer: int | None
    customer_name: str
    features: list[FeatureOut]
    thresholds: dict[str, str]
    candidates: list[CandidateOut]
    others: int = Field(description="Customers that shared a key and were not near.")
    policy: int | None
    fence: dict[str, str]
    met: UUID | None = Field(description="The registration that stood in the way.")
    replayed: Literal["same", "differs", "erased", "other_version"] = Field(description="What the matcher says today of the same inputs.")


class DealRegistration(BaseModel):
    """A registration. Dealers see their own, without what is marked as not for them."""

    id: UUID
    status: Status
    reason: str
    message: Message
    submitted_at: datetime
    decided_at: datetime | None
    protected_from: datetime | None
    protected_until: datetime | None = Field(description="First moment that is not protected.")
    days: int
    extended_at: datetime | None
    active_at: datetime = Field(description="Last sign of work on it.")
    product_line: str
    region: str
    industry: str
    amount: str | None
    currency: str
    claim: dict[str, Any] = Field(description="What the dealer gave.")
    deal: UUID | None = Field(description="The deal (`/v1/deals/<id>`) that it became.")
    dealer: UUID | None = Field(default=None, description="Null: a customer of our own. Not for dealers.")
    dealer_name: str | None = Field(default=None, description="Not for dealers.")
    customer: int | None = Field(default=None, description="Not for dealers.")
    customer_name: str | None = Field(default=None, description="Not for dealers.")
    policy: int | None = Field(default=None, description="Not for dealers.")
    previous: UUID | None = Field(default=None, description="The one it was transferred from. Not for dealers.")
    events: list[EventOut] = Field(default=[], description="For a single one.")
    decision: DecisionOut | None = Field(default=None, description="For a single one, not for dealers.")


class DealRegistrations(BaseModel):
    """A page of registrations."""

    items: list[DealRegistration]
    next: str | None


_PERSONAL = ("phone", "contact", "address")
_FOR_DEALERS = tuple(DEALERS)


def registered(told: Registered) -> dict[str, Any]:
    """What became of a claim."""
    zh, en = sentence(told.status, told.reason)
    return {
        "id": told.id,
        "status": told.status,
        "reason": told_reason(told.reason),
        "message": {"zh": zh, "en": en},
        "submitted_at": told.submitted_at.astimezone(UTC),
        "protected_until": told.protected_until.astimezone(UTC) if told.protected_until else None,  # as the list spells it
        "repeated": told.repeated,
    }


def registration(row: dict[str, Any], role: Role) -> dict[str, Any]:
    """A row of the list as the role may see it."""
    zh, en = sentence(row["status"], row["reason"])
    shown = {**row, "message": {"zh": zh, "en": en}, "claim": claim(row["claim"], role)}
    if row["status"] in UNPROTECTED:
        shown |= {"protected_from": None, "protected_until": None}
    if role is not Role.DEALER:
        return shown
    return {name: shown[name] for name in _FOR_DEALERS} | {"reason": told_reason(row["reason"])}


def claim(given: dict[str, Any], role: Role) -> dict[str, Any]:
    """What the dealer gave, without empty fields; finance does not learn how to reach persons."""
    return {name: value for name, value in given.items() if value and not (role is Role.FINANCE and name in _PERSONAL)}


def event(one: Event, role: Role) -> dict[str, Any] | None:
    """An entry of the history as the role may see it; None for one that it may not."""
    shown = {"at": one.at, "action": one.action, "status": one.after}
    if role is Role.DEALER:
        return shown if one.action in DEALER_EVENTS else None
    return shown | {"actor": one.actor, "cause": one.cause, "facts": one.facts}


def decision(one: Explained) -> dict[str, Any]:
    """The explained decision."""
    return {name: value for name, value in asdict(one).items() if name != "registration"}
