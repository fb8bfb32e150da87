"""Prices: what was known of who asked is kept, so that an answer can be given again exactly; lists remember the names they were read with.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create it, empty: what was priced before is priced again with what is known now, and says so."""
    script = Path(__file__).with_name("0022_pre_price_snapshots.sql").read_text(encoding="utf-8")
    op.get_bind().connection.cursor().execute(script)


def downgrade() -> None:
    """Drop it; what was priced can then be priced again with what is known now only."""
    op.execute("DROP TRIGGER parties_renumbered ON parties")
    op.execute("DROP TRIGGER companies_renumbered ON companies")
    op.execute("DROP FUNCTION note_price_name()")
    op.execute("ALTER TABLE price_list_at DROP COLUMN company, DROP COLUMN names")
    op.execute("ALTER TABLE quote_version DROP COLUMN asker")
    op.execute("DROP TABLE price_asker, price_cut_point")
