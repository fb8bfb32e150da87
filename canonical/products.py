"""What is sold, for how much, and how much of it there is."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from canonical.base import Aggregate, Part
from canonical.values import CompanyRef, Day, Exact, Moment, PartyRef, Price, ProductRef, Quantity, Rate


class ProductUnit(Part):
    """A unit the product is kept or sold in."""

    unit: str = Field(default="", description="Canonical unit code.")
    factor: Exact | None = Field(default=None, description="How many base units one of it is.")
    purpose: str = Field(default="", description="base, stock, sales, price.")


class Product(Aggregate):
    """Something we sell."""

    entity: ClassVar[str] = "product"
    title: ClassVar[str] = "产品 Product"

    name: str = Field(default="", description="Name.")
    specification: str = Field(default="", description="Specification or model text.")
    brand: str = Field(default="", description="Brand.")
    category: str = Field(default="", description="Material group or product category code.")
    product_line: str = Field(default="", description="Product line.")
    barcode: str = Field(default="", description="GTIN or house barcode.")
    base_unit: str = Field(default="", description="Canonical code of the base unit.")
    sales_unit: str = Field(default="", description="Canonical code of the sales unit.")
    tax_rate: Rate | None = Field(default=None, description="Usual VAT rate.")
    list_price: Price | None = Field(default=None, description="Standard price including tax, CNY.")
    description: str = Field(default="", description="Free text.")
    sellable: bool = Field(default=True, description="May be put on an order.")
    status: str = Field(default="active", description="active, blocked.")
    units: list[ProductUnit] = Field(default_factory=list, description="Units with their factors.")


class PriceListLine(Part):
    """One price of a list."""

    product: ProductRef | None = Field(default=None, description="Product.")
    unit: str = Field(default="", description="Canonical unit code of the price.")
    from_quantity: Quantity | None = Field(default=None, description="Lowest quantity the price applies to, inclusive.")
    to_quantity: Quantity | None = Field(default=None, description="Highest quantity, exclusive; empty: no end.")
    price: Price | None = Field(default=None, description="Price per unit, on the list's tax side.")
    floor_price: Price | None = Field(default=None, description="Lowest price allowed; never shown to dealers.")
    valid_from: Day | None = Field(default=None, description="First day.")
    valid_to: Day | None = Field(default=None, description="Last day, inclusive.")
    status: str = Field(default="active", description="active, blocked.")


class PriceList(Aggregate):
    """A list of prices with its own currency, tax side and validity."""

    entity: ClassVar[str] = "price_list"
    title: ClassVar[str] = "价目表 Price list"

    name: str = Field(default="", description="Name.")
    company: CompanyRef | None = Field(default=None, description="Company that issued it.")
    currency: str = Field(default="", description="ISO 4217 code.")
    tax_included: bool = Field(default=True, description="True when prices include tax.")
    tier: str = Field(default="", description="standard, agent, project, special (标准价/代理价/工程价/特批价).")
    audience: str = Field(default="all", description="all, listed, by_type.")
    parties: list[PartyRef] = Field(default_factory=list, description="Whom it is for, when listed.")
    valid_from: Day | None = Field(default=None, description="First day.")
    valid_to: Day | None = Field(default=None, description="Last day, inclusive.")
    description: str = Field(default="", description="Free text.")
    approval: str = Field(default="", description="Approval status: draft, submitted, approved, reopened.")
    status: str = Field(default="active", description="active, blocked.")
    lines: list[PriceListLine] = Field(default_factory=list, description="Prices.")


class StockLevel(Aggregate):
    """How much of a product lies where, as its system last said."""

    entity: ClassVar[str] = "stock_level"
    title: ClassVar[str] = "库存 Stock level"

    company: CompanyRef | None = Field(default=None, description="Stock organisation; empty for a dealer's stock.")
    holder: PartyRef | None = Field(default=None, description="Dealer that holds it; empty for our own.")
    warehouse: str = Field(default="", description="Canonical warehouse code.")
    product: ProductRef | None = Field(default=None, description="Product.")
    lot: str = Field(default="", description="Lot number.")
    unit: str = Field(default="", description="Canonical unit code.")
    quantity: Quantity | None = Field(default=None, description="On hand.")
    available: Quantity | None = Field(default=None, description="Free to promise, as the system says.")
    as_of: Moment | None = Field(default=None, description="When the system last changed it.")
