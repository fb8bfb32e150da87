"""Servers for the tests of the Zoho CRM connector."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.crm_zoho.scripted import Zoho, zoho
from tests.connectors.crm_zoho.stand_in import StandIn, stand_in


@pytest.fixture
def server() -> Iterator[Zoho]:
    """A server that answers as the test says."""
    with zoho() as here:
        yield here


@pytest.fixture
def sandbox() -> Iterator[StandIn]:
    """The sandbox's Zoho CRM, empty."""
    with stand_in() as here:
        yield here
