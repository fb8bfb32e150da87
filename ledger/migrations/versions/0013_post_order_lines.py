"""Order lines without typed copies of quantity and total: no rule and no report reads them, they stand in `doc`.

Runs after the code that needs it no more is out (`post`): code before it writes the columns.
"""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop them where they are."""
    op.execute("ALTER TABLE order_lines DROP COLUMN IF EXISTS quantity, DROP COLUMN IF EXISTS total")


def downgrade() -> None:
    """Give them back, filled from the documents."""
    op.execute("ALTER TABLE order_lines ADD COLUMN quantity numeric, ADD COLUMN total numeric")
    op.execute("UPDATE order_lines SET quantity = nullif(doc->>'quantity', '')::numeric, total = nullif(doc->>'total', '')::numeric")
