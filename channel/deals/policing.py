"""Protection policies as people set them. Nothing is deleted: a registration keeps the policy that it was granted under."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg.rows import class_row

from canonical.values import BadValue, business_day, decimal_text
from channel.deals.errors import BadPolicy, EndsBeforeItBegins, PolicyNotFound, PolicyOverlaps
from channel.deals.fences import division
from channel.deals.policies import Policy
from channel.deals.queries import POLICY, now, rows, run

Connection = psycopg.Connection[Any]

_SAME = (
    "product_line = %(product_line)s AND region = %(region)s AND channel_type = %(channel_type)s "
    "AND coalesce(min_amount, 0) = coalesce(%(min_amount)s::numeric, 0) AND currency = %(currency)s"
)
_TERMS = ("days", "extension_days", "extend_within_days", "approval", "inactive_days", "review_days", "reminders")


def policies(db: Connection, *, on: date | None = None) -> list[Policy]:
    """All policies, or those of a day, oldest first."""
    query = f"SELECT {POLICY} FROM deal_policy WHERE %(day)s::date IS NULL OR %(day)s::date BETWEEN valid_from AND valid_to ORDER BY id"
    with db.cursor(row_factory=class_row(Policy)) as cursor:
        return cursor.execute(query, {"day": on}).fetchall()


def set_policy(db: Connection, policy: Policy, by: str, note: str = "") -> Policy:
    """Let a policy hold from its first day on (`date.min`: today); what held under the same conditions ends the day before.

    One that began on that very day is corrected in its place.
    Time: days are business days of Asia/Shanghai, both inclusive. Raises: BadPolicy, EndsBeforeItBegins, PolicyOverlaps.
    """
    made = _checked(db, policy)
    values = _values(made)
    with db.transaction():
        run(db, "LOCK TABLE deal_policy IN SHARE ROW EXCLUSIVE MODE")
        later = rows(
            db, f"SELECT valid_from FROM deal_policy WHERE {_SAME} AND valid_from > %(valid_from)s AND valid_from <= %(valid_to)s", values
        )
        if later:
            raise PolicyOverlaps(
                f"another policy with the same conditions begins on {later[0][0]}", next_step="end that one, or end this one before it"
            )
        there = rows(db, f"SELECT id FROM deal_policy WHERE {_SAME} AND valid_from = %(valid_from)s", values)
        said = {**values, "note": note, "by": by}
        return replace(made, id=_corrected(db, there[0][0], said) if there else _begun(db, made, said))


def _corrected(db: Connection, policy_id: int, said: Mapping[str, Any]) -> int:
    terms = ", ".join(f"{name} = %({name})s" for name in _TERMS)
    query = (
        f"UPDATE deal_policy SET {terms}, valid_to = %(valid_to)s, note = %(note)s, edited_by = %(by)s, "
        "edited_at = clock_timestamp() WHERE id = %(id)s"
    )
    run(db, query, {**said, "id": policy_id})
    return policy_id


def _begun(db: Connection, policy: Policy, said: Mapping[str, Any]) -> int:
    """The id of a new policy; what held under the same conditions has ended the day before."""
    query = (
        "UPDATE deal_policy SET valid_to = %(before)s, edited_by = %(by)s, edited_at = clock_timestamp() "
        f"WHERE {_SAME} AND valid_from < %(valid_from)s AND valid_to >= %(valid_from)s"
    )
    run(db, query, {**said, "before": policy.valid_from - timedelta(days=1)})
    names = [name for name in said if name not in ("note", "by")]
    marks = ", ".join(f"%({name})s" for name in names)
    query = f"INSERT INTO deal_policy ({', '.join(names)}, note, edited_by) VALUES ({marks}, %(note)s, %(by)s) RETURNING id"
    return int(rows(db, query, said)[0][0])


def end_policy(db: Connection, policy_id: int, by: str, *, last_day: date | None = None) -> None:
    """Let a policy end with `last_day` (Asia/Shanghai; today when not said). Raises: PolicyNotFound."""
    day = last_day or business_day(now(db))
    query = (
        "UPDATE deal_policy SET valid_to = greatest(%s::date, valid_from), edited_by = %s, edited_at = clock_timestamp() "
        "WHERE id = %s::bigint AND valid_to > %s::date"
    )
    if not run(db, query, [day, by, policy_id, day]):
        raise PolicyNotFound(f"there is no policy {policy_id} that lasts beyond {day}", next_step="list the policies")


def _checked(db: Connection, policy: Policy) -> Policy:
    region = division(policy.region)
    if policy.region and not region:
        raise BadPolicy(f"{policy.region!r} is no GB/T 2260 code", next_step="give 2, 4 or 6 digits, such as 31 or 3205")
    made = replace(policy, region=region, reminders=tuple(sorted(set(policy.reminders), reverse=True)))
    if made.valid_from == date.min:
        made = replace(made, valid_from=business_day(now(db)))
    if made.valid_from > made.valid_to:
        raise EndsBeforeItBegins(f"it would end ({made.valid_to}) before it begins ({made.valid_from})", next_step="exchange the two days")
    bare = (made.min_amount is None) == (made.currency == "")
    if not bare or (made.currency and not (len(made.currency) == 3 and made.currency.isascii() and made.currency.isupper())):
        raise BadPolicy("a size of deals needs a currency, and a currency a size", next_step="give both, the currency as CNY, or neither")
    if made.min_amount is not None:
        try:
            decimal_text(made.min_amount)
        except BadValue as wrong:
            raise BadPolicy(str(wrong), next_step="write a plain decimal number") from wrong
        if made.min_amount <= 0:
            raise BadPolicy("the smallest size must be more than nothing", next_step="leave it out for deals of every size")
    least = {"days": 1, "extension_days": 0, "extend_within_days": 0, "review_days": 1}
    wrong_days = [name for name, low in least.items() if not low <= getattr(made, name) <= 3650]
    if made.inactive_days is not None and not 1 <= made.inactive_days <= 3650:
        wrong_days.append("inactive_days")
    if wrong_days or any(not 0 <= days <= 3650 for days in made.reminders):
        raise BadPolicy(f"{', '.join(wrong_days) or 'reminders'}: no such number of days", next_step="give whole days up to ten years")
    return made


def _values(policy: Policy) -> dict[str, Any]:
    names = ("product_line", "region", "channel_type", "min_amount", "currency", *_TERMS)
    values: dict[str, Any] = {name: getattr(policy, name) for name in names}
    ends = "infinity" if policy.valid_to == date.max else policy.valid_to.isoformat()
    return {**values, "reminders": list(policy.reminders), "valid_from": policy.valid_from, "valid_to": ends}
