"""What was told once is kept for every room, not for deals alone.

Runs before the code that needs it (`pre`): the view keeps the old name for code that still runs.
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give the table its general name."""
    op.execute("ALTER TABLE deal_told RENAME TO told")
    op.execute("ALTER INDEX deal_told_pkey RENAME TO told_pkey")
    op.execute("CREATE VIEW deal_told AS SELECT subject, what, at FROM told")


def downgrade() -> None:
    """Give it back the name that it had."""
    op.execute("DROP VIEW deal_told")
    op.execute("ALTER INDEX told_pkey RENAME TO deal_told_pkey")
    op.execute("ALTER TABLE told RENAME TO deal_told")
