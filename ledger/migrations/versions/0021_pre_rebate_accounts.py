"""The dealer's rebate account: balances and holds that the database keeps, orders and ERP lines of movements, what is handed on.

Runs before the code that needs it (`pre`): the code before books as it did, and the balances follow.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the balances from the entries that are there."""
    script = Path(__file__).with_name("0021_pre_rebate_accounts.sql").read_text(encoding="utf-8")
    op.get_bind().connection.cursor().execute(script)


def downgrade() -> None:
    """Drop them; the entries stay, without their orders and lines."""
    op.execute("DROP TRIGGER rebate_entry_balance ON rebate_entry")
    op.execute("DROP TABLE rebate_passed_on, rebate_hold, rebate_balance")
    op.execute("DROP FUNCTION rebate_add_entries()")
    op.execute("DROP INDEX rebate_entry_once, rebate_entry_order, rebate_entry_expires, rebate_entry_party")
    op.execute("ALTER TABLE rebate_entry DROP COLUMN order_id, DROP COLUMN line, DROP COLUMN note, DROP COLUMN move")
