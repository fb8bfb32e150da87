"""Taking pages in costs less: payloads are kept as the text they are, and a link needs one index fewer.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

from alembic import op

revision = "0002b"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Payloads as text: the encoder wrote them, PostgreSQL need not parse them again. One index on links for entity and primary."""
    op.execute("ALTER TABLE observed ALTER payload TYPE text USING payload::text")
    op.execute("COMMENT ON COLUMN observed.payload IS 'JSON with sorted keys, as the fingerprint was taken of it; null once deleted.'")
    # One primary record per stream, organisation and entity; the others have their key in the last place. It serves look-ups by entity too.
    op.execute("CREATE UNIQUE INDEX link_of_entity ON link (entity_id, stream_id, org, (CASE WHEN role = 'primary' THEN '' ELSE key END))")
    op.execute("DROP INDEX link_entity; DROP INDEX link_one_primary")


def downgrade() -> None:
    """As it was."""
    op.execute("CREATE INDEX link_entity ON link (entity_id)")
    op.execute("CREATE UNIQUE INDEX link_one_primary ON link (stream_id, org, entity_id) WHERE role = 'primary'")
    op.execute("DROP INDEX link_of_entity")
    op.execute("ALTER TABLE observed ALTER payload TYPE json USING payload::json")
