"""Every aggregate of the channel, by name. One module per aggregate holds the fields; this one only gathers them."""

from __future__ import annotations

from canonical.base import Aggregate, EntitySpec, spec_of
from canonical.money_documents import CreditMemo, Receipt, Receivable, Refund
from canonical.orders import Order, Return, Shipment
from canonical.organisation import Company, Department, Employee
from canonical.parties import Agreement, Contact, Party, Territory
from canonical.products import PriceList, Product, StockLevel
from canonical.sales import Deal, Lead, Quote
from canonical.work import Approval, Notice

MODELS: dict[str, type[Aggregate]] = {
    model.entity: model
    for model in (
        Company, Department, Employee, Party, Contact, Agreement, Territory, Product, PriceList, StockLevel,
        Lead, Deal, Quote, Order, Shipment, Return, Receivable, Receipt, Refund, CreditMemo, Approval, Notice,
    )
}  # fmt: skip


def entity(name: str) -> EntitySpec:
    """The shape of an aggregate by its name. Raises: KeyError for a name the hub does not know."""
    return spec_of(MODELS[name])
