"""A stand-in with a little tenant in it, and the official SDK as its client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.core import serving
from sandbox.erp_kingdee import make
from tests.sandbox.erp_kingdee.tenant import Client, Tenant, little_tenant


@pytest.fixture
def tenant() -> Iterator[Tenant]:
    vendor = make(7)
    vendor.load(little_tenant())
    with serving(vendor) as server:
        yield Tenant(server, vendor)


@pytest.fixture
def erp(tenant: Tenant) -> Client:
    return Client(tenant.sdk())
