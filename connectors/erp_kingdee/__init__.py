"""Kingdee K3Cloud (金蝶云星空): customers, materials, prices, stock, orders, shipments, receivables and receipts.

Read against the WebAPI as of 2026-08 (official SDK 8.2.0). Vendor's documentation: https://openapi.open.kingdee.com/ApiDoc
"""

from connectors.erp_kingdee.connector import connector

__all__ = ["connector"]
