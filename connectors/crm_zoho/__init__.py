"""Zoho CRM, REST API v8: accounts, contacts, leads, products, price books, deals, quotes, orders, invoices, two custom modules.

Read against: API v8 (https://www.zoho.com/crm/developer/docs/api/v8/), the official OpenAPI files (zoho/crm-oas) and the official
Python SDK `zohocrmsdk8_0` 7.0.0. How to connect a system: docs/connectors/crm_zoho.md.
"""

from __future__ import annotations

from connectors.crm_zoho.connector import ZohoConnector
from connectors.crm_zoho.hooks import renew_watch
from connectors.crm_zoho.settings import ZohoSettings

__all__ = ["ZohoConnector", "ZohoSettings", "connector", "renew_watch"]

connector = ZohoConnector()
