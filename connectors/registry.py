"""Which kinds of system the hub can talk to: those of this tree, and those installed beside it by entry point."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from connectors.base import Connector

GROUP = "channel_hub.connectors"
"""The entry point group; a package declares `my_erp = "my_package:connector"` in it."""

IN_TREE: Mapping[str, str] = {
    "erp_kingdee": "connectors.erp_kingdee:connector",
    "crm_zoho": "connectors.crm_zoho:connector",
}


class UnknownConnector(LookupError):
    """No connector of this kind is installed."""

    code = "connectors/unknown-kind"

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(f"no connector of kind {kind!r}; there are: {', '.join(sorted(places()))}. Next: install it or correct the kind")


class TwiceInstalled(LookupError):
    """Two installed packages claim one kind; which one would run must not depend on their order."""

    code = "connectors/twice-installed"

    def __init__(self, kind: str, first: str, second: str) -> None:
        self.kind = kind
        super().__init__(f"the connector kind {kind!r} is claimed by {first} and by {second}. Next: uninstall one")


@cache
def places() -> Mapping[str, str]:
    """Where the connector of each kind is, as `module:name`. Nothing is imported.

    Raises: TwiceInstalled when two packages claim one kind.
    """
    found: dict[str, str] = dict(IN_TREE)
    for entry in _installed():
        if found.setdefault(entry.name, entry.value) != entry.value:
            raise TwiceInstalled(entry.name, found[entry.name], entry.value)
    return found


@cache
def load(kind: str) -> Connector:
    """The connector of a kind, e.g. `erp_kingdee`.

    Raises: UnknownConnector, TwiceInstalled.
    """
    place = places().get(kind)
    if place is None:
        raise UnknownConnector(kind)
    module, _, name = place.partition(":")
    connector: Connector = getattr(import_module(module), name or "connector")
    return connector


def _installed() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=GROUP))
