"""Credit memos: what is credited to a party outside an invoice.

Runs before the code that needs it (`pre`). A database made by present code has the tables: the first migration makes all aggregates.
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_STATEMENTS = [
    (
        "CREATE TABLE IF NOT EXISTS credit_memos (id uuid PRIMARY KEY, hub_key text NOT NULL, number text NOT NULL DEFAULT '', "
        "version integer NOT NULL DEFAULT 1, retired boolean NOT NULL DEFAULT false, doc json NOT NULL, custom json, "
        "changed_at timestamptz NOT NULL DEFAULT now(), company_id uuid, party_id uuid, issued_on date, "
        "purpose text, payout text, currency text, approval text, status text, total numeric)"
    ),
    "CREATE UNIQUE INDEX IF NOT EXISTS credit_memos_hub_key ON credit_memos (hub_key)",
    "CREATE INDEX IF NOT EXISTS credit_memos_number ON credit_memos (number)",
    "CREATE INDEX IF NOT EXISTS credit_memos_party ON credit_memos (party_id)",
    "CREATE INDEX IF NOT EXISTS credit_memos_payout ON credit_memos (payout) WHERE payout <> ''",
    (
        "CREATE TABLE IF NOT EXISTS credit_memo_lines (parent_id uuid NOT NULL, id uuid NOT NULL, seq integer NOT NULL DEFAULT 0, "
        "doc json NOT NULL, links json, PRIMARY KEY (parent_id, id))"
    ),
]


def upgrade() -> None:
    """Create them where they are not."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE credit_memo_lines, credit_memos")
