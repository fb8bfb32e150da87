"""Performance: scorecards as published, their facts by revision, each month's figures as they stood, and plans for dealers' stock.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_TABLES = "stock_transfer, stock_advice, stock_plan, scorecard_tag, scorecard_result, scorecard_month, performance_fact, scorecard_version"


def upgrade() -> None:
    """Create them, empty; the first month takes its facts from the documents that are there."""
    script = Path(__file__).with_name("0019_pre_performance.sql").read_text(encoding="utf-8")
    op.get_bind().connection.cursor().execute(script)


def downgrade() -> None:
    """Drop them; scorecards, imported facts and what was kept of past months are lost."""
    op.execute(f"DROP TABLE {_TABLES}")
