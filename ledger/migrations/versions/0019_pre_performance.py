"""Performance: figures and scorecards as they stood at each month's end.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
