"""Results of deals on the ledger: what was won and lost in a span of days, from the first contact to the order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, Final

from channel.deals.pipeline import GROUPS, KINDS, LOST, Pipelines
from channel.deals.results import FACTS, Cell, Decided, results
from sync.deal_pipeline import SEEN_BY, pipelines
from sync.hub import Hub

_WON: Final = tuple(kind for kind in KINDS if GROUPS[kind] in ("won", "delivery", "after"))
_DELIVERED: Final = tuple(kind for kind in KINDS if GROUPS[kind] in ("delivery", "after"))
_DAY: Final = "({} AT TIME ZONE 'Asia/Shanghai')::date"
_DECIDED: Final = f"""
WITH stays AS (
    SELECT deal_id, min(entered_at) AS seen_at, min(entered_at) FILTER (WHERE kind = ANY(%(won)s)) AS won_at,
        min(entered_at) FILTER (WHERE kind = ANY(%(delivered)s)) AS delivered_at, max(entered_at) AS here_at
    FROM deal_stage GROUP BY deal_id
), leads_of AS (
    SELECT (doc->>'converted_deal')::uuid AS deal_id,
        min(least((doc->>'received_at')::timestamptz, (doc->>'first_talk_at')::timestamptz)) AS began_at,
        max(doc->>'industry') AS industry
    FROM leads WHERE doc->>'converted_deal' IS NOT NULL GROUP BY 1
), decided AS (
    SELECT d.*, d.stage_kind = ANY(%(won)s) AS won, CASE WHEN d.stage_kind = ANY(%(won)s)
            THEN coalesce((d.doc->>'won_on')::date, {_DAY.format("s.won_at")}) ELSE {_DAY.format("s.here_at")} END AS day,
        {_DAY.format("least(s.seen_at, l.began_at, (d.doc->>'first_talk_at')::timestamptz, (d.doc->>'entered_at')::timestamptz)")} AS began,
        CASE WHEN d.stage_kind = ANY(%(won)s) THEN {_DAY.format("s.delivered_at")} END AS delivered, l.industry AS lead_industry
    FROM deals AS d JOIN stays AS s ON s.deal_id = d.id LEFT JOIN leads_of AS l ON l.deal_id = d.id
    WHERE NOT d.retired AND d.stage_kind = ANY(%(decided)s) AND {SEEN_BY}
), quoted AS (
    SELECT q.deal_id, q.currency, sum(q.total) AS total, sum(v.net) AS net,
        CASE WHEN bool_and(c.known) THEN sum(c.cost) END AS cost
    FROM quotes AS q LEFT JOIN quote_offer AS o ON o.id = q.id LEFT JOIN quote_version AS v ON (v.quote_id, v.number) = (o.id, o.version)
    LEFT JOIN LATERAL (
        SELECT bool_and(j->>'cost' IS NOT NULL) AS known, sum((j->>'cost')::numeric) AS cost FROM json_array_elements(v.judged) AS j
    ) AS c ON true
    WHERE q.stage = 'accepted' AND NOT q.retired AND q.deal_id IN (SELECT id FROM decided WHERE won) GROUP BY 1, 2
), ordered AS (
    SELECT deal_id, currency, sum(total) AS total FROM orders
    WHERE deal_id IN (SELECT id FROM decided WHERE won) AND NOT retired AND coalesce(status, '') <> 'void' GROUP BY 1, 2
)
SELECT d.id::text AS deal_id, d.day, d.won, coalesce(d.currency, '') AS currency, d.expected_amount AS expected, q.total AS quoted,
    (d.doc->>'contract_amount')::numeric AS contract, r.total AS ordered, q.net, q.cost, d.began, d.delivered,
    coalesce(d.dealer_id::text, '') AS dealer, coalesce(d.customer_id::text, '') AS customer,
    coalesce(d.doc->>'product_line', '') AS product_line, coalesce(nullif(p.doc->>'industry', ''), d.lead_industry, '') AS industry,
    coalesce(p.province, '') AS region, coalesce(d.doc->>'salesperson', '') AS salesperson, coalesce(d.doc->>'pipeline', '') AS pipeline,
    coalesce(d.doc->>'source', '') AS source, coalesce(d.doc->>'close_reason', '') AS close_reason, coalesce(d.doc->>'stage', '') AS stage
FROM decided AS d LEFT JOIN parties AS p ON p.id = d.customer_id
LEFT JOIN quoted AS q ON q.deal_id = d.id AND q.currency = d.currency
LEFT JOIN ordered AS r ON r.deal_id = d.id AND r.currency = d.currency
WHERE d.day BETWEEN %(start)s AND %(end)s ORDER BY d.id
"""


def results_of(hub: Hub, by: Sequence[str] = ("year",), *, start: date, end: date, parties: Collection[str] | None = None) -> list[Cell]:
    """Results of deals that were decided from one business day to another (both count), by what `channel.deals.results.BY` names.

    `parties`: only the deals of these. A deal is won on its day of signing, else on the day on which the hub first saw it won; what the CRM
    did before the hub first read it is not known. Amounts in another currency than the deal's are left out. Raises: PipelineNotFound.
    """
    every = pipelines(hub)
    with hub.transaction() as db:
        db.execute(
            _DECIDED,
            {
                "won": list(_WON), "delivered": list(_DELIVERED), "decided": [*_WON, LOST], "start": start, "end": end,
                "tree": list(parties) if parties is not None else None,
            },
        )  # fmt: skip
        return results((_decided(every, row) for row in db), by)


def _decided(every: Pipelines, row: Mapping[str, Any]) -> Decided:
    facts = {name: row[name] for name in FACTS} | {"pipeline": every.of(row["pipeline"], row["stage"]).name}
    return Decided(
        row["deal_id"], row["day"], row["won"], row["currency"], row["expected"], row["quoted"], row["contract"], row["ordered"],
        row["net"], row["cost"], row["began"], row["delivered"], facts,
    )  # fmt: skip
