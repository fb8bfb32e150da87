"""Funds and claims: a dealer's marketing money and what was claimed of it, special prices made good, stock protected.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_TABLES = "fund_payout_item, fund_entry, fund_balance, fund_claim_key, fund_claim_event, fund_claim, price_cut"


def upgrade() -> None:
    """Create them, empty."""
    script = Path(__file__).with_name("0018_pre_funds.sql").read_text(encoding="utf-8")
    op.get_bind().connection.cursor().execute(script)


def downgrade() -> None:
    """Drop them; what was claimed is lost."""
    op.execute(f"DROP TABLE {_TABLES}")
    op.execute("DROP SEQUENCE claim_number")
    op.execute("DROP FUNCTION pin_claim(), fund_booking_adds_up(), fund_add_entry()")
    op.execute("ALTER TABLE programme_version DROP COLUMN type")
