"""Rebates: programmes as published, facts by month, calculations, settlements, statements, payouts and the dealer's account.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TABLES = (
    "period_close, rebate_entry, rebate_payout_item, rebate_payout, rebate_statement_event, rebate_statement, rebate_settlement, "
    "rebate_result, rebate_calculation, rebate_fact_source, rebate_fact_head, rebate_fact, programme_version"
)


def upgrade() -> None:
    """Create them, empty; the first refresh takes facts from the documents that are there."""
    script = Path(__file__).with_name("0011_pre_rebates.sql").read_text(encoding="utf-8")
    op.get_bind().connection.cursor().execute(script)


def downgrade() -> None:
    """Drop them; what was settled is lost."""
    op.execute(f"DROP TABLE {_TABLES}")
    op.execute("DROP SEQUENCE rebate_number")
    op.execute("DROP FUNCTION rebate_fact_month(date), pin_statement(), booking_adds_up()")
