"""Merges of records as events: which pairs, by which evidence, by whom, and what an un-merge needs.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE merge_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('merge', 'unmerge')),
    undoes bigint UNIQUE REFERENCES merge_event,  -- of an unmerge: the merge that it undoes
    entity text NOT NULL,
    keep_id uuid NOT NULL,
    drop_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    by text NOT NULL,
    cause text NOT NULL,
    edges jsonb NOT NULL DEFAULT '[]',            -- [{left, right, bits, evidence}]: the pairs that caused it
    facts jsonb NOT NULL DEFAULT '{}',            -- links that moved, versions of what was seen; of an unmerge: what was restored
    CHECK (keep_id <> drop_id),
    CHECK ((kind = 'unmerge') = (undoes IS NOT NULL))
);
CREATE INDEX merge_event_keep ON merge_event (keep_id);
CREATE INDEX merge_event_drop ON merge_event (drop_id);
CREATE TRIGGER merge_event_append_only BEFORE UPDATE OR DELETE ON merge_event FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE merge_before (
    merge_id bigint PRIMARY KEY REFERENCES merge_event,
    record json                                   -- the surviving record as it was; null once erased
);
COMMENT ON TABLE merge_before IS 'What an un-merge puts back where nothing was edited since; apart from the event, for it may be erased.';
"""


def upgrade() -> None:
    """Create them, empty: merges before this one can be undone link by link only."""
    op.get_bind().connection.cursor().execute(_TABLES)


def downgrade() -> None:
    """Drop them; what was merged stays merged and cannot be undone any more."""
    op.execute("DROP TABLE merge_before, merge_event")
