"""A hub.yaml for tests of the API: two systems that are not there, so that nothing can be called by mistake."""

from __future__ import annotations

from sync.config import HubConfig

CONFIG = HubConfig.model_validate(
    {
        "companies": [{"number": "100", "name": "华东销售公司", "default": True}],
        "systems": {
            "kingdee": {
                "kind": "erp_kingdee",
                "settings": {
                    "server_url": "http://127.0.0.1:9/k3cloud/",
                    "acct_id": "x",
                    "user_name": "x",
                    "app_id": "220001_MTI2MGM1Pj9qPDk/OT04KHMiKnd0IXMr",
                    "app_secret": "MK-SECRET-4d4d",
                },
            },
            "zoho": {
                "kind": "crm_zoho",
                "settings": {
                    "accounts_url": "http://127.0.0.1:9",
                    "api_domain": "http://127.0.0.1:9",
                    "upload_url": "http://127.0.0.1:9",
                    "client_id": "x",
                    "client_secret": "MK-SECRET-4d4d",
                    "refresh_token": "MK-SECRET-4d4d",
                },
            },
        },
        "flows": {
            "party": {
                "owners": {"default": ["kingdee", "zoho", "hub"], "phone": ["hub", "zoho", "kingdee"], "tags": "hub", "name": "kingdee"},
                "systems": {
                    "kingdee": {"stream": "customers", "create": True, "goal": "C"},
                    "zoho": {"stream": "accounts", "create": True},
                },
            },
            "product": {"owners": {"default": ["kingdee"]}, "systems": {"kingdee": {"stream": "products", "mode": "read"}}},
            "order": {
                "owners": {"default": "kingdee"},
                "systems": {"kingdee": {"stream": "sales_orders", "create": True}, "zoho": {"stream": "sales_orders", "create": True}},
            },
        },
    }
)
