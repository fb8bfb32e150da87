"""The goods report is read page by page: shipments by day, and the shipments of one serial, without reading all of them.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_SERIALS = """
CREATE FUNCTION serials_of(doc json) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    ARRAY(SELECT json_array_elements_text(CASE json_typeof(doc->'serials') WHEN 'array' THEN doc->'serials' ELSE '[]' END));
CREATE INDEX shipment_lines_serials ON shipment_lines USING gin (serials_of(doc)) WITH (fastupdate = off) WHERE doc->'serials' IS NOT NULL;
CREATE INDEX shipments_day ON shipments (shipped_on, id) WHERE NOT retired;
"""


def upgrade() -> None:
    """Indexes over what is there."""
    op.get_bind().connection.cursor().execute(_SERIALS)


def downgrade() -> None:
    """Without them the code before works as it did."""
    op.execute("DROP INDEX shipments_day, shipment_lines_serials")
    op.execute("DROP FUNCTION serials_of(json)")
