"""Orders and the goods that follow them: shipments and returns."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from canonical.base import Aggregate, Part
from canonical.values import (
    Amount,
    CompanyRef,
    ContactRef,
    Day,
    DealRef,
    DepartmentRef,
    DerivedByHub,
    Exact,
    Moment,
    OrderRef,
    PartyRef,
    Personal,
    Price,
    PriceListRef,
    ProductRef,
    Quantity,
    QuoteRef,
    Rate,
    ShipmentRef,
)


class OrderLine(Part):
    """One line of an order."""

    seq: int = Field(default=0, description="Position shown to people.")
    product: ProductRef | None = Field(default=None, description="Product.")
    description: str = Field(default="", description="Text on the line.")
    quantity: Quantity | None = Field(default=None, description="In `unit`.")
    unit: str = Field(default="", description="Canonical code of the order unit.")
    price_quantity: Quantity | None = Field(default=None, description="In `price_unit`.")
    price_unit: str = Field(default="", description="Canonical code of the price unit.")
    base_quantity: Quantity | None = Field(default=None, description="In the product's base unit.")
    price: Price | None = Field(default=None, description="Excluding tax.")
    tax_price: Price | None = Field(default=None, description="Including tax.")
    tax_rate: Rate | None = Field(default=None, description="VAT rate.")
    discount_rate: Rate | None = Field(default=None, description="Discount as a fraction.")
    discount: Amount | None = Field(default=None, description="Discount amount.")
    net: Amount | None = Field(default=None, description="Excluding tax, after discount.")
    tax: Amount | None = Field(default=None, description="Tax amount.")
    total: Amount | None = Field(default=None, description="Including tax.")
    free: bool = Field(default=False, description="A gift line.")
    delivery_date: Day | None = Field(default=None, description="Promised or wished delivery.")
    status: str = Field(default="open", description="Business status: open, closed, void, frozen.")
    note: str = Field(default="", description="Remark.")
    shipped_quantity: Annotated[Quantity | None, DerivedByHub] = Field(
        default=None, description="Sum over approved shipments less returns."
    )


class Order(Aggregate):
    """A sales order. Approval, business status and the hub's own state are three axes, kept apart."""

    entity: ClassVar[str] = "order"
    title: ClassVar[str] = "销售订单 Order"

    order_type: str = Field(default="", description="Canonical order type.")
    ordered_on: Day | None = Field(default=None, description="Business date.")
    company: CompanyRef | None = Field(default=None, description="Our selling company.")
    party: PartyRef | None = Field(default=None, description="Who orders.")
    ship_to: PartyRef | None = Field(default=None, description="Who receives.")
    settlement_party: PartyRef | None = Field(default=None, description="Who settles.")
    payer: PartyRef | None = Field(default=None, description="Who pays.")
    contact: ContactRef | None = Field(default=None, description="Contact for the order.")
    deal: DealRef | None = Field(default=None, description="Deal it came from.")
    quote: QuoteRef | None = Field(default=None, description="Quote it came from.")
    quote_revision: int | None = Field(default=None, description="Version of that quote.")
    department: DepartmentRef | None = Field(default=None, description="Selling department.")
    salesperson: str = Field(default="", description="Canonical code of the salesperson.")
    currency: str = Field(default="", description="ISO 4217 code.")
    exchange_rate: Exact | None = Field(default=None, description="Book currency per order currency.")
    tax_included: bool = Field(default=True, description="True when prices were entered including tax.")
    price_list: PriceListRef | None = Field(default=None, description="Price list used.")
    payment_terms: str = Field(default="", description="Code of the payment condition.")
    settlement_method: str = Field(default="", description="Code of the settlement method.")
    net: Amount | None = Field(default=None, description="Excluding tax.")
    tax: Amount | None = Field(default=None, description="Tax.")
    total: Amount | None = Field(default=None, description="Including tax.")
    delivery_address: Annotated[str, Personal] = Field(default="", description="Where to deliver.")
    customer_reference: str = Field(default="", description="The customer's own order number.")
    note: str = Field(default="", description="Remark.")
    approval: str = Field(default="", description="Approval status: draft, submitted, approved, reopened.")
    status: str = Field(default="open", description="Business status: open, closed, void, frozen.")
    change_version: str = Field(default="", description="Version that the ERP's change document counts.")
    approved_at: Moment | None = Field(default=None, description="When it was approved.")
    shipped_quantity: Annotated[Quantity | None, DerivedByHub] = Field(default=None, description="Sum over lines.")
    shipping_state: Annotated[str, DerivedByHub] = Field(default="", description="none, partial, full, over.")
    invoiced_amount: Annotated[Amount | None, DerivedByHub] = Field(default=None, description="Sum of its approved receivables.")
    paid_amount: Annotated[Amount | None, DerivedByHub] = Field(default=None, description="Sum of approved receipts for it, less refunds.")
    payment_state: Annotated[str, DerivedByHub] = Field(default="", description="none, partial, paid, over.")
    payment_basis: Annotated[str, DerivedByHub] = Field(default="", description="How paid was found: matched, linked, fifo.")
    lines: list[OrderLine] = Field(default_factory=list, description="What is ordered.")


class ShipmentLine(Part):
    """One line of a shipment."""

    seq: int = Field(default=0, description="Position shown to people.")
    product: ProductRef | None = Field(default=None, description="Product.")
    order: OrderRef | None = Field(default=None, description="Order it fulfils.")
    order_line: UUID | None = Field(default=None, description="Line of that order.")
    quantity: Quantity | None = Field(default=None, description="Shipped, in `unit`.")
    unit: str = Field(default="", description="Canonical unit code.")
    warehouse: str = Field(default="", description="Canonical warehouse code.")
    lot: str = Field(default="", description="Lot.")
    serials: list[str] = Field(default_factory=list, description="Serial numbers.")
    signed_quantity: Quantity | None = Field(default=None, description="What the dealer signed for.")
    free: bool = Field(default=False, description="A gift line.")


class Shipment(Aggregate):
    """Goods that left our stock for a customer."""

    entity: ClassVar[str] = "shipment"
    title: ClassVar[str] = "出库 Shipment"

    shipped_on: Day | None = Field(default=None, description="Business date.")
    company: CompanyRef | None = Field(default=None, description="Selling company.")
    stock_company: CompanyRef | None = Field(default=None, description="Stock organisation.")
    party: PartyRef | None = Field(default=None, description="Customer.")
    order: OrderRef | None = Field(default=None, description="The order, when all lines are for one.")
    carrier: str = Field(default="", description="Carrier.")
    tracking_number: str = Field(default="", description="Waybill number.")
    delivery_address: Annotated[str, Personal] = Field(default="", description="Where it went.")
    quantity: Quantity | None = Field(default=None, description="Sum of the lines.")
    note: str = Field(default="", description="Remark.")
    approval: str = Field(default="", description="Approval status: draft, submitted, approved, reopened.")
    status: str = Field(default="open", description="Business status: open, closed, void.")
    lines: list[ShipmentLine] = Field(default_factory=list, description="What was shipped.")


class ReturnLine(Part):
    """One line of a return."""

    seq: int = Field(default=0, description="Position shown to people.")
    product: ProductRef | None = Field(default=None, description="Product.")
    order: OrderRef | None = Field(default=None, description="Order it came from.")
    order_line: UUID | None = Field(default=None, description="Line of that order.")
    quantity: Quantity | None = Field(default=None, description="Came back, in `unit`; positive.")
    unit: str = Field(default="", description="Canonical unit code.")
    total: Amount | None = Field(default=None, description="Value including tax.")
    warehouse: str = Field(default="", description="Canonical warehouse code.")


class Return(Aggregate):
    """Goods that came back."""

    entity: ClassVar[str] = "return"
    title: ClassVar[str] = "退货 Return"

    returned_on: Day | None = Field(default=None, description="Business date.")
    company: CompanyRef | None = Field(default=None, description="Selling company.")
    party: PartyRef | None = Field(default=None, description="Customer.")
    order: OrderRef | None = Field(default=None, description="The order, when all lines are from one.")
    shipment: ShipmentRef | None = Field(default=None, description="Shipment it came from.")
    reason: str = Field(default="", description="quality, transport, wrong_selection, other.")
    currency: str = Field(default="", description="ISO 4217 code.")
    total: Amount | None = Field(default=None, description="Value including tax.")
    note: str = Field(default="", description="Remark.")
    approval: str = Field(default="", description="Approval status: draft, submitted, approved, reopened.")
    status: str = Field(default="open", description="Business status: open, closed, void.")
    lines: list[ReturnLine] = Field(default_factory=list, description="What came back.")
