"""The organisation that the stand-in plays, its users, and the credentials that its console would show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ORG_ID = "572576700"
CLIENT_ID = "1000.SANDBOXCHANNELHUB0000000000000000"
CLIENT_SECRET = "sandbox-client-secret-not-a-real-one"
REFRESH_TOKEN = "1000.sandbox.refresh.token.not.a.real.one"
GRANT_CODE = "1000.sandbox.grant.code"
API_USER: Mapping[str, Any] = {"name": "Channel Hub", "id": "572576700000000901", "email": "hub@example.com"}
SALES_USER: Mapping[str, Any] = {"name": "王丽", "id": "572576700000000902", "email": "wangli@example.com"}
USERS: Mapping[str, Mapping[str, Any]] = {user["id"]: user for user in (API_USER, SALES_USER)}
"""Users by id. Calls of the API are made by the first, edits through the control door by the second."""

BY_NAME: Mapping[str, Mapping[str, Any]] = {"api": API_USER, "user": SALES_USER}
"""Users by the name that the control door takes."""

PROFILE = {"name": "Administrator", "id": "572576700000000801"}
ROLE = {"name": "CEO", "id": "572576700000000701"}


def organisation() -> dict[str, Any]:
    """The entry of `GET /org`."""
    return {
        "id": ORG_ID,
        "zgid": ORG_ID,
        "company_name": "沙盒制造有限公司",
        "country_code": "CN",
        "country": "China",
        "currency": "Chinese Yuan - CNY",
        "iso_code": "CNY",
        "currency_symbol": "¥",
        "currency_locale": "zh_CN",
        "mc_status": False,
        "time_zone": "Asia/Shanghai",
        "primary_email": API_USER["email"],
        "domain_name": f"org{ORG_ID}",
        "type": "production",
        "license_details": {
            "paid": True,
            "paid_type": "enterprise",
            "users_license_purchased": 10,
            "trial_type": None,
            "trial_expiry": None,
        },
        "gapps_enabled": False,
        "privacy_settings": False,
        "hipaa_compliance_enabled": False,
    }


def user_entry(user: Mapping[str, Any]) -> dict[str, Any]:
    """One entry of `GET /users`."""
    return {
        **user,
        "last_name": user["name"],
        "first_name": None,
        "full_name": user["name"],
        "status": "active",
        "confirm": True,
        "language": "zh_CN",
        "locale": "zh_CN",
        "time_zone": "Asia/Shanghai",
        "country_locale": "zh_CN",
        "profile": PROFILE,
        "role": ROLE,
        "created_time": "2024-01-01T09:00:00+08:00",
        "Modified_Time": "2024-01-01T09:00:00+08:00",
        "zuid": user["id"][-9:],
    }
