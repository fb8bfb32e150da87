"""What is owed and what was paid: receivables, receipts with their matching, refunds, credit memos."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from canonical.base import Aggregate, Part
from canonical.values import Amount, CompanyRef, Day, Exact, OrderRef, PartyRef, Price, ProductRef, Quantity, Rate, ReceivableRef


class ReceivableLine(Part):
    """One line of a receivable."""

    seq: int = Field(default=0, description="Position shown to people.")
    product: ProductRef | None = Field(default=None, description="Product.")
    order: OrderRef | None = Field(default=None, description="Order it bills.")
    quantity: Quantity | None = Field(default=None, description="Billed quantity; negative on a red document.")
    tax_price: Price | None = Field(default=None, description="Including tax.")
    tax_rate: Rate | None = Field(default=None, description="VAT rate.")
    net: Amount | None = Field(default=None, description="Excluding tax.")
    tax: Amount | None = Field(default=None, description="Tax.")
    total: Amount | None = Field(default=None, description="Including tax; negative on a red document.")


class Receivable(Aggregate):
    """What a party owes us by one document. Not a tax invoice."""

    entity: ClassVar[str] = "receivable"
    title: ClassVar[str] = "应收单 Receivable"

    kind: str = Field(default="financial", description="estimated, business, financial, other.")
    billed_on: Day | None = Field(default=None, description="Business date.")
    due_on: Day | None = Field(default=None, description="Due date.")
    company: CompanyRef | None = Field(default=None, description="Settlement organisation.")
    party: PartyRef | None = Field(default=None, description="Who owes.")
    order: OrderRef | None = Field(default=None, description="The order, when all lines bill one.")
    currency: str = Field(default="", description="ISO 4217 code.")
    net: Amount | None = Field(default=None, description="Excluding tax.")
    tax: Amount | None = Field(default=None, description="Tax.")
    total: Amount | None = Field(default=None, description="Including tax; negative on a red document.")
    matched_amount: Amount | None = Field(default=None, description="Matched so far, as the ERP says.")
    note: str = Field(default="", description="Remark.")
    approval: str = Field(default="", description="Approval status: draft, submitted, approved, reopened.")
    status: str = Field(default="open", description="Business status: open, closed, void.")
    lines: list[ReceivableLine] = Field(default_factory=list, description="What is billed.")


class Matching(Part):
    """How much of a receipt settles what. Signed, so that a reversal is a row of its own."""

    order: OrderRef | None = Field(default=None, description="Order it pays.")
    receivable: ReceivableRef | None = Field(default=None, description="Receivable it settles.")
    amount: Amount | None = Field(default=None, description="Signed amount in the receipt's currency.")


class ReceiptLine(Part):
    """One line of a receipt: one way of paying, for one purpose."""

    seq: int = Field(default=0, description="Position shown to people.")
    purpose: str = Field(default="", description="sales, advance, other.")
    settlement_method: str = Field(default="", description="Code of the settlement method.")
    order: OrderRef | None = Field(default=None, description="Order it pays, where the line says so.")
    amount: Amount | None = Field(default=None, description="Received.")
    charge: Amount | None = Field(default=None, description="Bank charge kept by the bank.")
    account: str = Field(default="", description="Our bank account.")
    note: str = Field(default="", description="Remark.")


class Receipt(Aggregate):
    """Money that came in."""

    entity: ClassVar[str] = "receipt"
    title: ClassVar[str] = "收款 Receipt"

    received_on: Day | None = Field(default=None, description="Business date.")
    company: CompanyRef | None = Field(default=None, description="Settlement organisation.")
    party: PartyRef | None = Field(default=None, description="Who paid.")
    order: OrderRef | None = Field(default=None, description="The order, when all lines pay one.")
    currency: str = Field(default="", description="ISO 4217 code.")
    exchange_rate: Exact | None = Field(default=None, description="Book currency per currency.")
    amount: Amount | None = Field(default=None, description="Sum of the lines.")
    note: str = Field(default="", description="Remark.")
    approval: str = Field(default="", description="Approval status: draft, submitted, approved, reopened.")
    status: str = Field(default="open", description="Business status: open, void.")
    lines: list[ReceiptLine] = Field(default_factory=list, description="How it was paid.")
    matchings: list[Matching] = Field(default_factory=list, description="What it settles.")


class RefundLine(Part):
    """One line of a refund."""

    seq: int = Field(default=0, description="Position shown to people.")
    order: OrderRef | None = Field(default=None, description="Order it gives money back for.")
    settlement_method: str = Field(default="", description="Code of the settlement method.")
    amount: Amount | None = Field(default=None, description="Paid back; positive.")
    note: str = Field(default="", description="Remark.")


class Refund(Aggregate):
    """Money that went back."""

    entity: ClassVar[str] = "refund"
    title: ClassVar[str] = "退款 Refund"

    refunded_on: Day | None = Field(default=None, description="Business date.")
    company: CompanyRef | None = Field(default=None, description="Settlement organisation.")
    party: PartyRef | None = Field(default=None, description="Who gets it.")
    order: OrderRef | None = Field(default=None, description="The order, when all lines are for one.")
    currency: str = Field(default="", description="ISO 4217 code.")
    amount: Amount | None = Field(default=None, description="Sum of the lines; positive.")
    note: str = Field(default="", description="Remark.")
    approval: str = Field(default="", description="Approval status: draft, submitted, approved, reopened.")
    status: str = Field(default="open", description="Business status: open, void.")
    lines: list[RefundLine] = Field(default_factory=list, description="How it was paid back.")


class CreditMemoLine(Part):
    """One line of a credit memo: what is credited, by one kind of expense and one tax rate."""

    seq: int = Field(default=0, description="Position shown to people.")
    expense: str = Field(default="", description="Code of the expense item that finance books it under.")
    tax_rate: Rate | None = Field(default=None, description="VAT rate.")
    net: Amount | None = Field(default=None, description="Excluding tax; negative: credited.")
    tax: Amount | None = Field(default=None, description="Tax; negative: credited.")
    total: Amount | None = Field(default=None, description="Including tax; negative: credited.")
    note: str = Field(default="", description="Programme and period, as finance and the dealer read them.")


class CreditMemo(Aggregate):
    """What is credited to a party outside an invoice: a rebate, a price protection. Negative totals credit, positive ones charge."""

    entity: ClassVar[str] = "credit_memo"
    title: ClassVar[str] = "贷项单 Credit memo"

    purpose: str = Field(default="", description="rebate, price_protection, fund, claim, other.")
    payout: str = Field(default="", description="Id of the hub's payout that it pays; empty: not made by the hub.")
    issued_on: Day | None = Field(default=None, description="Business date.")
    due_on: Day | None = Field(default=None, description="Due date.")
    company: CompanyRef | None = Field(default=None, description="Settlement organisation.")
    party: PartyRef | None = Field(default=None, description="Who is credited.")
    currency: str = Field(default="", description="ISO 4217 code.")
    net: Amount | None = Field(default=None, description="Excluding tax; negative: credited.")
    tax: Amount | None = Field(default=None, description="Tax; negative: credited.")
    total: Amount | None = Field(default=None, description="Including tax; negative: credited.")
    note: str = Field(default="", description="Remark.")
    approval: str = Field(default="", description="Approval status: draft, submitted, approved, reopened.")
    status: str = Field(default="open", description="Business status: open, void.")
    lines: list[CreditMemoLine] = Field(default_factory=list, description="What is credited.")
