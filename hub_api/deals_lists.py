"""Every list of registrations, questions about them, fences, policies and merges; paged like those of hub_api/lists.py."""

from __future__ import annotations

from channel.deals.pipeline import GROUPS, KINDS
from hub_api.lists import Listing

_LIVE = "r.status IN ('submitted', 'held', 'protected', 'converted')"

REGISTRATIONS = Listing(
    "SELECT r.id, r.status, r.reason, r.product_line, r.region, r.industry, r.amount, r.currency, r.claim, r.submitted_at, r.decided_at, "
    "lower(r.protected) AS protected_from, upper(r.protected) AS protected_until, r.days, r.extended_at, r.active_at, r.deal_id AS deal, "
    "r.dealer_id AS dealer, p.name AS dealer_name, r.customer_id AS customer, c.name AS customer_name, r.policy_id AS policy, "
    "r.previous_id AS previous FROM registration r JOIN customer c ON c.id = r.customer_id LEFT JOIN parties p ON p.id = r.dealer_id",
    {"submitted_at": "r.submitted_at::timestamptz", "id": "r.id::uuid"},
    {
        "id": "r.id = %s",
        "status": "r.status = %s",
        "product_line": "r.product_line = %s",
        "deal": "r.deal_id = %s",
        "dealer": "r.dealer_id = %s",
        "customer": "r.customer_id = %s",
        "ends_before": "upper(r.protected) < %s::timestamptz AND r.status IN ('protected', 'converted')",
    },
)
UNPROTECTED = ("rejected", "appealed", "submitted", "held")
"""Statuses in which nothing is protected (yet), whatever the row's range says."""
DIRECT = "r.dealer_id IS NULL"
"""Customers that we serve ourselves."""

REVIEW = Listing(
    "SELECT d.registration_id AS registration, d.customer_id AS customer, c.name AS customer_name, d.p, d.reasons, d.state, d.opened_at, "
    "d.decided_at, d.decided_by, d.reason, r.status, r.status = 'held' AS waits, r.claim, r.product_line, r.dealer_id AS dealer, "
    "p.name AS dealer_name FROM registration_doubt d JOIN registration r ON r.id = d.registration_id "
    "JOIN customer c ON c.id = d.customer_id LEFT JOIN parties p ON p.id = r.dealer_id",
    {"opened_at": "d.opened_at::timestamptz", "registration": "d.registration_id::uuid", "customer": "d.customer_id::bigint"},
    {
        "state": "d.state = %s",
        "registration": "d.registration_id = %s",
        "customer": "d.customer_id = %s",
        "waits": "(r.status = 'held') = %s",
    },
    newest_first=False,
    always=f"({_LIVE} OR d.state <> 'open')",
)
_DAYS = (
    "CASE WHEN isfinite(f.valid_from) THEN f.valid_from END AS valid_from, CASE WHEN isfinite(f.valid_to) THEN f.valid_to END AS valid_to"
)
_ON = "%s::date BETWEEN f.valid_from AND f.valid_to"
FENCES = Listing(
    "SELECT f.id, f.dealer_id AS dealer, p.name AS dealer_name, f.region, f.industry, f.product_line, f.exclusive, f.outside, "
    f"{_DAYS}, f.note, f.edited_by, f.edited_at FROM fence f LEFT JOIN parties p ON p.id = f.dealer_id",
    {"id": "f.id::bigint"},
    {"id": "f.id = %s", "dealer": "f.dealer_id = %s", "on": _ON},
)
HITS = Listing(
    "SELECT h.id, h.at, h.subject, h.dealer_id AS dealer, p.name AS dealer_name, h.fence_id AS fence, h.effect, h.code, h.facts, h.state, "
    "h.decided_by, h.decided_at, h.reason FROM fence_hit h LEFT JOIN parties p ON p.id = h.dealer_id",
    {"id": "h.id::bigint"},
    {"id": "h.id = %s", "state": "h.state = %s", "dealer": "h.dealer_id = %s", "subject": "h.subject = %s"},
)
DUPLICATES = Listing(
    "SELECT d.low, d.high, a.name AS low_name, b.name AS high_name, a.party_id AS low_party, b.party_id AS high_party, d.p, d.verdict, "
    "d.reasons, d.found_at, d.seen_at FROM duplicate_pair d JOIN customer a ON a.id = d.low JOIN customer b ON b.id = d.high",
    {"low": "d.low::bigint", "high": "d.high::bigint"},
    {"verdict": "d.verdict = %s", "party": "%s IN (a.party_id, b.party_id)"},
    newest_first=False,
    always="d.seen_at = (SELECT max(seen_at) FROM duplicate_pair) AND a.merged_into IS NULL AND b.merged_into IS NULL "
    "AND NOT EXISTS (SELECT FROM customers_apart x WHERE (x.low, x.high) = (d.low, d.high))",
)
"""Pairs of the newest nightly scan that nobody has answered."""
ALIASES = Listing(
    "SELECT a.customer_id AS customer, c.name AS customer_name, c.party_id AS party, a.name, a.kind, a.given_by, a.since "
    "FROM customer_alias a JOIN customer c ON c.id = a.customer_id",
    {"customer": "a.customer_id::bigint", "name": "a.name::text"},
    {"customer": "a.customer_id = %s", "party": "c.party_id = %s", "name": "a.name = %s", "kind": "a.kind = %s"},
    newest_first=False,
)
_BOUGHT, _OPEN = (
    ", ".join(f"'{kind}'" for kind in KINDS if GROUPS[kind] in groups) for groups in (("won", "delivery", "after"), ("early", "offer"))
)
OLD_CUSTOMERS = Listing(
    "SELECT o.customer, o.name, o.deals, o.last_moved FROM (SELECT d.customer_id AS customer, coalesce(p.name, '') AS name, "
    "count(*) AS deals, max(s.entered_at) AS last_moved FROM deals AS d "
    "JOIN deal_stage AS s ON s.deal_id = d.id AND s.left_at IS NULL LEFT JOIN parties AS p ON p.id = d.customer_id "
    "WHERE d.customer_id IS NOT NULL AND NOT d.retired GROUP BY 1, 2 "
    f"HAVING bool_or(d.stage_kind IN ({_BOUGHT})) AND NOT bool_or(d.stage_kind IN ({_OPEN}))) AS o",
    {"last_moved": "o.last_moved::timestamptz", "customer": "o.customer::uuid"},
    {"quiet": "o.last_moved < now() - make_interval(days => %s)"},
    newest_first=False,
)
"""Customers that bought, have no open deal, and of whom nothing moved for so many days."""
POLICIES = Listing(
    "SELECT f.id, f.product_line, f.region, f.channel_type, f.min_amount, f.currency, f.days, f.extension_days, f.extend_within_days, "
    f"f.approval, f.inactive_days, f.review_days, f.reminders, {_DAYS}, f.note, f.edited_by, f.edited_at FROM deal_policy f",
    {"id": "f.id::bigint"},
    {"id": "f.id = %s", "product_line": "f.product_line = %s", "on": _ON},
)
MERGES = Listing(
    "SELECT m.id, m.entity, m.keep_id, m.drop_id, m.at, m.by, m.cause, m.edges, u.at AS undone_at, u.by AS undone_by, "
    "u.cause AS undone_why "
    "FROM merge_event m LEFT JOIN merge_event u ON u.undoes = m.id",
    {"id": "m.id::bigint"},
    {
        "id": "m.id = %s",
        "entity": "m.entity = %s",
        "entity_id": "%s IN (m.keep_id, m.drop_id)",
        "undone": "(u.id IS NOT NULL) = %s",
    },
    always="m.kind = 'merge'",
)
APART = Listing(
    "SELECT c.id, c.entity, c.left_id, c.right_id, c.decided_at, c.decided_by, c.reason FROM review_case c",
    {"id": "c.id::bigint"},
    {"entity": "c.entity = %s", "entity_id": "%s IN (c.left_id, c.right_id)"},
    always="c.kind = 'same_record' AND c.state = 'different'",
)
