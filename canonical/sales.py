"""Before the order: leads, deals, quotes."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from canonical.base import Aggregate, Part
from canonical.values import (
    Amount,
    CompanyRef,
    ContactRef,
    Day,
    DealRef,
    DerivedByHub,
    Moment,
    OrderRef,
    PartyRef,
    Personal,
    Price,
    ProductRef,
    Quantity,
    Rate,
)


class Lead(Aggregate):
    """An enquiry that is not yet a customer."""

    entity: ClassVar[str] = "lead"
    title: ClassVar[str] = "线索 Lead"

    company_name: str = Field(default="", description="Company as given.")
    person: Annotated[str, Personal] = Field(default="", description="Who asked.")
    mobile: Annotated[str, Personal] = Field(default="", description="Mobile number.")
    email: Annotated[str, Personal] = Field(default="", description="E-mail address.")
    source: str = Field(default="", description="fair, web, phone, referral.")
    industry: str = Field(default="", description="Industry.")
    region: str = Field(default="", description="GB/T 2260 code of the place, as far as it is known.")
    product_line: str = Field(default="", description="Product line asked for.")
    interest: str = Field(default="", description="Brand, product line or application asked for.")
    salesperson: str = Field(default="", description="Canonical code of the salesperson in charge.")
    dealer: PartyRef | None = Field(default=None, description="Dealer it was given to.")
    status: str = Field(default="new", description="new, working, converted, lost.")
    converted_party: PartyRef | None = Field(default=None, description="Party it became.")
    converted_deal: DealRef | None = Field(default=None, description="Deal it became.")
    received_at: Moment | None = Field(default=None, description="First contact.")
    first_talk_at: Moment | None = Field(default=None, description="First conversation with a person there.")


class Deal(Aggregate):
    """A project or opportunity."""

    entity: ClassVar[str] = "deal"
    title: ClassVar[str] = "商机 Deal"

    name: str = Field(default="", description="Name of the project.")
    customer: PartyRef | None = Field(default=None, description="End customer, or the dealer who buys.")
    dealer: PartyRef | None = Field(default=None, description="Dealer who works on it.")
    contact: ContactRef | None = Field(default=None, description="Main contact.")
    company: CompanyRef | None = Field(default=None, description="Our selling company.")
    pipeline: str = Field(default="", description="Which pipeline it runs through; empty: told by its stage.")
    stage: str = Field(default="", description="Stage as the tenant names it.")
    stage_kind: str = Field(
        default="", description="Canonical kind: lead, qualify, propose, negotiate, won, contract, deliver, paid, review, lost."
    )
    product_line: str = Field(default="", description="Product line it is about.")
    currency: str = Field(default="", description="ISO 4217 code.")
    expected_amount: Amount | None = Field(default=None, description="项目金额: what is expected.")
    contract_amount: Amount | None = Field(default=None, description="合同金额: what was signed.")
    expected_close: Day | None = Field(default=None, description="Expected day of signing.")
    won_on: Day | None = Field(default=None, description="Day of signing.")
    probability: Rate | None = Field(default=None, description="Chance of winning.")
    source: str = Field(default="", description="Where it came from.")
    first_talk_at: Moment | None = Field(default=None, description="First conversation with a person there.")
    next_action: str = Field(default="", description="What is to be done next: call, visit, send_proposal, follow_review, or free text.")
    next_action_on: Day | None = Field(default=None, description="Day on which that is due.")
    competitors: list[str] = Field(default_factory=list, description="Rival brands.")
    competitor_prices: str = Field(default="", description="Range of their prices, free text.")
    usage: str = Field(default="", description="How the customer uses our product, or will.")
    selection_progress: str = Field(default="", description="How far the customer's selection has come.")
    substitution: str = Field(default="", description="Chance of domestic substitution (国产替代): high, medium, low.")
    rival_dealers: int | None = Field(default=None, description="Dealers who bid for it at once, as far as known.")
    mass_production_on: Day | None = Field(default=None, description="Planned start of mass production.")
    annual_usage: Quantity | None = Field(default=None, description="Expected pieces a year.")
    close_reason: str = Field(default="", description="Why it was won or lost: a code of its pipeline.")
    description: str = Field(default="", description="Free text.")
    salesperson: str = Field(default="", description="Canonical code of the salesperson.")
    entered_at: Moment | None = Field(default=None, description="When it was entered in the CRM; who was entered first is protected first.")
    protection: Annotated[str, DerivedByHub] = Field(
        default="",
        description="State of the dealer's protection: submitted, held, protected, converted, rejected, appealed, released, transferred, "
        "expired, taken_back; refused for a deal that cannot be registered as it stands.",
    )
    protected_until: Annotated[Day | None, DerivedByHub] = Field(default=None, description="Last day of the protection.")
    refusal_reason: Annotated[str, DerivedByHub] = Field(
        default="", description="Why the dealer is not protected, in words that he may read; never who else is."
    )
    conflict: Annotated[bool | None, DerivedByHub] = Field(default=None, description="撞单: somebody else holds or may hold the customer.")
    order_number: Annotated[str, DerivedByHub] = Field(default="", description="Number of the order it became.")


class QuoteLine(Part):
    """One line of a quote."""

    seq: int = Field(default=0, description="Position shown to people.")
    product: ProductRef | None = Field(default=None, description="Product.")
    description: str = Field(default="", description="Text on the line.")
    quantity: Quantity | None = Field(default=None, description="Quantity.")
    unit: str = Field(default="", description="Canonical unit code.")
    list_price: Price | None = Field(default=None, description="Price before discount, including tax.")
    discount: Amount | None = Field(default=None, description="Discount on the line, amount.")
    price: Price | None = Field(default=None, description="Price after discount, including tax.")
    tax_rate: Rate | None = Field(default=None, description="VAT rate.")
    total: Amount | None = Field(default=None, description="Line total including tax.")


class Quote(Aggregate):
    """An offer; a won deal becomes an order through its accepted quote, once per quote version."""

    entity: ClassVar[str] = "quote"
    title: ClassVar[str] = "报价 Quote"

    subject: str = Field(default="", description="Subject.")
    deal: DealRef | None = Field(default=None, description="Deal it belongs to.")
    customer: PartyRef | None = Field(default=None, description="Who would buy.")
    contact: ContactRef | None = Field(default=None, description="Who receives it.")
    company: CompanyRef | None = Field(default=None, description="Our selling company.")
    revision: int = Field(default=1, description="Version of the offer, counted by its author.")
    stage: str = Field(default="", description="draft, delivered, accepted, rejected, closed.")
    currency: str = Field(default="", description="ISO 4217 code.")
    valid_to: Day | None = Field(default=None, description="Last day of validity.")
    discount_reason: str = Field(default="", description="Why a discount was given.")
    total: Amount | None = Field(default=None, description="Total including tax.")
    delivery_date: Day | None = Field(default=None, description="Wished delivery.")
    salesperson: str = Field(default="", description="Canonical code of the salesperson.")
    order: Annotated[OrderRef | None, DerivedByHub] = Field(default=None, description="The order it became.")
    order_number: Annotated[str, DerivedByHub] = Field(default="", description="Number of that order in the ERP.")
    order_status: Annotated[str, DerivedByHub] = Field(default="", description="Approval status of that order in the ERP.")
    lines: list[QuoteLine] = Field(default_factory=list, description="What is offered.")
