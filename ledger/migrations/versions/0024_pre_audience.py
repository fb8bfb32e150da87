"""The messages of one audience are found by an index.

A dealer reads its own messages, newest first; without the index the reader walked through everybody's until a page was full.
Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The index over what is there."""
    op.execute("CREATE INDEX notices_audience ON notices ((doc->>'audience'), id)")


def downgrade() -> None:
    """Without it the code before works as it did."""
    op.execute("DROP INDEX notices_audience")
