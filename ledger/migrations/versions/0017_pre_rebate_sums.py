"""Rebates: kept sums for the nightly accrual, and a revision that knows what it replaces.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the sums, empty; the first night fills them."""
    script = Path(__file__).with_name("0017_pre_rebate_sums.sql").read_text(encoding="utf-8")
    op.get_bind().connection.cursor().execute(script)


def downgrade() -> None:
    """Drop them; nothing is lost that cannot be summed again."""
    op.execute("ALTER TABLE period_close DROP COLUMN version")
    op.execute("DROP INDEX rebate_entry_accrued")
    op.execute("DROP TABLE rebate_settled_span, rebate_touched, rebate_sum, rebate_family")
    op.execute("DROP TRIGGER rebate_fact_turn ON rebate_fact")
    op.execute("DROP TRIGGER rebate_fact_follow ON rebate_fact")
    op.execute("DROP FUNCTION rebate_fact_turn(), rebate_fact_follow()")
    op.execute("DROP INDEX rebate_fact_later, rebate_fact_figure")
    op.execute("ALTER TABLE rebate_fact DROP CONSTRAINT rebate_fact_one_day, DROP CONSTRAINT rebate_fact_follows, DROP COLUMN was")
