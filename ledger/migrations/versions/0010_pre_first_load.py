"""First loads cost less: no look into the ledger reads a whole stream, and hub keys are compared byte by byte.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

from alembic import op

from ledger.tables import TABLES

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Numbers before streams, so that this index never serves a look by stream and key.

    Until the planner's statistics told it better, it did: each page of a first load read all links that were made before it.
    Hub keys are random and only ever compared for equality.
    """
    op.execute("DROP INDEX link_number")
    op.execute("CREATE INDEX link_number ON link (number, stream_id)")
    _collate("C")


def downgrade() -> None:
    """As it was."""
    op.execute("DROP INDEX link_number")
    op.execute("CREATE INDEX link_number ON link (stream_id, number)")
    _collate("default")


def _collate(name: str) -> None:
    for table in TABLES.values():
        op.execute(f'ALTER TABLE IF EXISTS {table.name} ALTER hub_key TYPE text COLLATE "{name}"')
