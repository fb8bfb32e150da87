"""The streams of Kingdee: forms, keys and fields. Customer keys differ by form, and spellings are the vendor's own."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.erp_kingdee.base_data import CONTACTS, CUSTOMERS, DEPARTMENTS, EMPLOYEES, ORGANIZATIONS, PRICE_LISTS, PRODUCTS, STOCK_LEVELS
from connectors.erp_kingdee.documents import OTHER_RECEIVABLES, RECEIPTS, RECEIVABLES, REFUNDS, RETURNS, SALES_ORDERS, SHIPMENTS
from connectors.erp_kingdee.forms import Form
from connectors.erp_kingdee.settings import KingdeeSettings

__all__ = ["FORMS", "ORGANIZATIONS", "forms_for"]

FORMS: Mapping[str, Form] = {
    form.stream: form
    for form in (
        ORGANIZATIONS,
        DEPARTMENTS,
        EMPLOYEES,
        PRODUCTS,
        PRICE_LISTS,
        CUSTOMERS,
        CONTACTS,
        STOCK_LEVELS,
        SALES_ORDERS,
        SHIPMENTS,
        RETURNS,
        RECEIVABLES,
        RECEIPTS,
        REFUNDS,
        OTHER_RECEIVABLES,
    )
}
"""Every stream by its name, each after those it depends on."""


def forms_for(settings: KingdeeSettings) -> Mapping[str, Form]:
    """The streams as this tenant has them."""
    if not settings.custom_fields:
        return FORMS
    return {name: form.for_tenant(settings.custom_fields) for name, form in FORMS.items()}
