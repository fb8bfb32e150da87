"""The API's own tables: keys, repeated requests, audit.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them."""
    script = Path(__file__).with_name("0002_pre_api.sql").read_text(encoding="utf-8")
    # The driver's own cursor: SQLAlchemy would read a % in a comment as a placeholder.
    op.get_bind().connection.cursor().execute(script)


def downgrade() -> None:
    """Drop them; keys must be made anew afterwards."""
    op.execute("DROP INDEX history_at; DROP INDEX parties_parent; DROP TABLE api_audit, idempotent_request, api_secret, api_key")
