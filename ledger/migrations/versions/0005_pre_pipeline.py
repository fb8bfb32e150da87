"""Deals: stage history, what was told to whom, where goods went, customers found twice.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them; deals that are there begin their stage history with their last change."""
    script = Path(__file__).with_name("0005_pre_pipeline.sql").read_text(encoding="utf-8")
    op.get_bind().connection.cursor().execute(script)


def downgrade() -> None:
    """Drop them; stage history and what was told are lost."""
    op.execute("DROP TRIGGER deals_stage_new ON deals")
    op.execute("DROP TRIGGER deals_stage_moved ON deals")
    op.execute("DROP TRIGGER registration_event_untold ON registration_event")
    op.execute("DROP FUNCTION note_deal_stage(), note_untold()")
    op.execute("DROP INDEX fence_hit_once, approvals_open, notices_open")
    op.execute("DROP TABLE deal_stage, deal_untold, deal_told, address_place, serial_seen, goods_judged, duplicate_pair")
