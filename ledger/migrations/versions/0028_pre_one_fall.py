"""Stock is protected once for one fall of a price, whatever numbers the fall was announced under.

Two announcements are one fall when they are of one product and currency and of one day, or when their prices overlap: a second fall begins
where the first ended. A claim says how much stock it was judged by and how much of what was claimed beside it is that stock no more; the
database adds up. Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_ONE_FALL = """
CREATE FUNCTION one_fall(a price_cut, b price_cut) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT a.product = b.product AND a.currency = b.currency AND (a.dealer = b.dealer OR a.dealer = '' OR b.dealer = '')
        AND (a.on_day = b.on_day OR (a.new_price < b.old_price AND b.new_price < a.old_price))
$$
"""
_HELD = """
CREATE FUNCTION stock_protected_once() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE beside numeric;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('stock ' || NEW.dealer_id || ' ' || coalesce(NEW.asked->>'product', ''), 0));
    SELECT coalesce(sum((c.judged->>'quantity')::numeric), 0) INTO beside
        FROM price_cut AS mine JOIN price_cut AS other ON one_fall(mine, other)
        JOIN fund_claim AS c ON c.type = 'price_protection' AND c.dealer_id = NEW.dealer_id AND c.asked->>'cut' = other.id
        WHERE mine.id = NEW.asked->>'cut' AND c.id <> NEW.id AND c.state IN ('submitted', 'approved', 'paid');
    IF beside > 0 AND (NEW.judged->>'quantity')::numeric + beside - coalesce((NEW.judged->>'gone')::numeric, 0)
        > coalesce((NEW.judged->>'stock')::numeric, 0) THEN
        RAISE EXCEPTION 'stock of % for % is protected already', NEW.dealer, NEW.asked->>'cut' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    """From now on; claims that were judged before stay."""
    op.execute(_ONE_FALL)
    op.execute(_HELD)
    op.execute(
        "CREATE TRIGGER fund_claim_stock_once AFTER INSERT ON fund_claim FOR EACH ROW WHEN (NEW.type = 'price_protection') "
        "EXECUTE FUNCTION stock_protected_once()"
    )


def downgrade() -> None:
    """The code before judges each announced cut by itself."""
    op.execute("DROP TRIGGER fund_claim_stock_once ON fund_claim")
    op.execute("DROP FUNCTION stock_protected_once(), one_fall(price_cut, price_cut)")
