"""Snapshots of who asked for a price may go when no answer has named them for long; what a version of a quote pins stays.

Runs before the code that needs it (`pre`). What is kept by then counts as named on the day it runs.
"""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0025"
branch_labels = None
depends_on = None

_AGES = """
ALTER TABLE price_asker ADD COLUMN named_on date NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date;
COMMENT ON COLUMN price_asker.named_on IS 'Business day of the last answer that named it; only ever later.';
CREATE INDEX price_asker_age ON price_asker (named_on);
CREATE INDEX quote_version_asker ON quote_version (asker) WHERE asker IS NOT NULL;
CREATE FUNCTION refuse_change_of_price_asker() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.named_on > OLD.named_on
            AND (NEW.id, NEW.facts::text, NEW.kept_at) = (OLD.id, OLD.facts::text, OLD.kept_at) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' AND OLD.named_on < (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date - 30 THEN
        RETURN OLD;  -- what a version of a quote pins is held by its foreign key
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER price_asker_append_only ON price_asker;
CREATE TRIGGER price_asker_append_only BEFORE UPDATE OR DELETE ON price_asker FOR EACH ROW EXECUTE FUNCTION refuse_change_of_price_asker();
"""


def upgrade() -> None:
    """Let them age."""
    op.get_bind().connection.cursor().execute(_AGES)


def downgrade() -> None:
    """Keep them for ever again."""
    op.execute("DROP TRIGGER price_asker_append_only ON price_asker")
    op.execute("DROP FUNCTION refuse_change_of_price_asker()")
    op.execute(
        "CREATE TRIGGER price_asker_append_only BEFORE UPDATE OR DELETE ON price_asker FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute("DROP INDEX quote_version_asker")
    op.execute("ALTER TABLE price_asker DROP COLUMN named_on")
