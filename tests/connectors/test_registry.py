"""Connectors are found in the tree and by entry point, and nothing is imported that was not asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from connectors import registry


@pytest.fixture(autouse=True)
def afresh() -> Iterator[None]:
    registry.places.cache_clear()
    registry.load.cache_clear()
    yield
    registry.places.cache_clear()
    registry.load.cache_clear()


def install(monkeypatch: pytest.MonkeyPatch, *found: tuple[str, str]) -> None:
    monkeypatch.setattr(registry, "_installed", lambda: tuple(EntryPoint(name, place, registry.GROUP) for name, place in found))


def test_the_connectors_of_the_tree_are_there_even_when_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)

    assert set(registry.places()) == {"erp_kingdee", "crm_zoho"}
    assert registry.load("erp_kingdee").kind == "erp_kingdee"


def test_a_connector_outside_the_tree_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    outside = ModuleType("acme_hub")
    outside.acme = object()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "acme_hub", outside)
    install(monkeypatch, ("acme", "acme_hub:acme"), ("erp_kingdee", "connectors.erp_kingdee:connector"))

    assert registry.load("acme") is outside.acme


def test_two_packages_that_claim_one_kind_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, ("erp_kingdee", "evil_kingdee:connector"))

    with pytest.raises(registry.TwiceInstalled, match="evil_kingdee"):
        registry.load("erp_kingdee")


def test_an_unknown_kind_is_answered_with_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)

    with pytest.raises(registry.UnknownConnector, match="crm_zoho, erp_kingdee"):
        registry.load("sap")
