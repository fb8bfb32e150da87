"""Deals of a CRM as claims: which registration each stands on, and what is to be looked at again.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them, empty: deals that are there are looked at when they change."""
    script = Path(__file__).with_name("0006_pre_deal_claims.sql").read_text(encoding="utf-8")
    op.get_bind().connection.cursor().execute(script)


def downgrade() -> None:
    """Drop them; registrations stay, and which deals stood on them is lost."""
    op.execute("DROP TRIGGER registration_moves_deals ON registration")
    op.execute("DROP FUNCTION note_deal_due()")
    op.execute("DROP TABLE deal_claim, deal_due, deal_decided, party_due")
