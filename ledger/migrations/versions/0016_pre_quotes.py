"""Quotes: versions, reasons, approvals and what became of them.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them, empty: quotes of a CRM stay what they are."""
    script = Path(__file__).with_name("0016_pre_quotes.sql").read_text(encoding="utf-8")
    op.get_bind().connection.cursor().execute(script)


def downgrade() -> None:
    """Drop them; what was offered is lost, the canonical quotes that went out stay."""
    op.execute("DROP TABLE quote_event, quote_version, quote_offer")
    op.execute("DROP SEQUENCE quote_number")
    op.execute("DROP FUNCTION quote_moves_by_event(), quote_event_follows()")
