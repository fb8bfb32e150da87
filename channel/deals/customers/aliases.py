"""Names that a person says a customer is known by: 一汽集团 for 中国第一汽车股份有限公司. Each finds the customer like its own name.

Short and English names of a party, and names that it had before, are aliases without anybody's doing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg

from channel.deals import matching
from channel.deals.customers import queries, service
from channel.deals.customers.queries import rows, run
from channel.deals.errors import AliasNotFound, AliasRefused, CustomerNotFound
from channel.deals.matching import Claim
from channel.deals.service import cleaned, says_nothing

Connection = psycopg.Connection[Any]
GIVEN: Final = "given"


def give(db: Connection, customer_id: int, name: str, by: str) -> str:
    """Let a customer be found by a further name; the name as it is kept. Again: nothing happens.

    Raises: CustomerNotFound; AliasRefused for what names no firm, such as 有限公司; BadClaim for more than 500 characters; KeysOutdated.
    """
    claim = cleaned(Claim(name=name))
    if not claim.name or says_nothing(matching.prepare(claim)):
        raise AliasRefused(f"{name!r} names no firm", next_step="give the name that people call it by")
    _lock(db, customer_id)
    queries.add_aliases(db, [(customer_id, claim.name, GIVEN)], by)
    service.rekey(db, [customer_id])
    return claim.name


def withdraw(db: Connection, customer_id: int, name: str) -> None:
    """Take back a name that a person gave. Raises: CustomerNotFound; AliasNotFound, also for a name that nobody gave; KeysOutdated."""
    _lock(db, customer_id)
    query = "DELETE FROM customer_alias WHERE customer_id = %s::bigint AND name = %s AND kind = %s"
    if not run(db, query, [customer_id, name.strip(), GIVEN]):
        raise AliasNotFound(f"nobody gave customer {customer_id} the name {name!r}", next_step="hub deals alias CUSTOMER lists its names")
    service.rekey(db, [customer_id])


def of(db: Connection, customer_id: int) -> Sequence[dict[str, Any]]:
    """Further names of a customer: name, kind (former, given), by whom, since when (UTC); by name. Raises: CustomerNotFound."""
    if not rows(db, "SELECT 1 FROM customer WHERE id = %s::bigint", [customer_id]):
        raise _missing(customer_id)
    found = rows(db, "SELECT name, kind, given_by, since FROM customer_alias WHERE customer_id = %s::bigint ORDER BY name", [customer_id])
    return [dict(zip(("name", "kind", "given_by", "since"), row, strict=True)) for row in found]


def _lock(db: Connection, customer_id: int) -> None:
    if customer_id not in queries.lock(db, [customer_id]):
        raise _missing(customer_id)


def _missing(customer_id: int) -> CustomerNotFound:
    return CustomerNotFound(
        f"there is no customer {customer_id}", next_step="its number stands in `hub deals explain` and `hub deals review`"
    )
