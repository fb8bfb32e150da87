-- The dealer's rebate account: what an order has frozen, which ERP line used it, what expires; kept by the database -----------
ALTER TABLE rebate_entry ADD COLUMN order_id uuid;          -- the order that froze, gave back or used it
ALTER TABLE rebate_entry ADD COLUMN line text NOT NULL DEFAULT '';  -- the ERP's line that used it
ALTER TABLE rebate_entry ADD COLUMN note text NOT NULL DEFAULT '';
ALTER TABLE rebate_entry ADD COLUMN move text;              -- names a movement that may be booked only once
CREATE UNIQUE INDEX rebate_entry_once ON rebate_entry (move, account) WHERE move IS NOT NULL;
CREATE INDEX rebate_entry_order ON rebate_entry (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX rebate_entry_expires ON rebate_entry (expires_on) WHERE expires_on IS NOT NULL;
CREATE INDEX rebate_entry_party ON rebate_entry (dealer_id, id) WHERE account <> 'accrued';
COMMENT ON COLUMN rebate_entry.expires_on IS 'The last business day on which what became available can be used.';

CREATE TABLE rebate_balance (
    dealer text NOT NULL,
    programme text NOT NULL,
    currency text NOT NULL,
    dealer_id uuid,
    accrued numeric NOT NULL DEFAULT 0,
    available numeric NOT NULL DEFAULT 0,       -- below zero only where later returns took back what was paid
    frozen numeric NOT NULL DEFAULT 0 CHECK (frozen >= 0),
    used numeric NOT NULL DEFAULT 0 CHECK (used >= 0),
    expired numeric NOT NULL DEFAULT 0 CHECK (expired >= 0),
    paid_out numeric NOT NULL DEFAULT 0,
    PRIMARY KEY (dealer, programme, currency)
);
CREATE INDEX rebate_balance_dealer ON rebate_balance (dealer_id);
COMMENT ON TABLE rebate_balance IS 'What the entries add up to, kept by a trigger; why two orders at one instant cannot freeze the same money.';
CREATE TABLE rebate_hold (
    dealer text NOT NULL,
    programme text NOT NULL,
    currency text NOT NULL,
    reference text NOT NULL,                    -- the order, as people name it
    order_id uuid,
    frozen numeric NOT NULL DEFAULT 0 CHECK (frozen >= 0),
    used numeric NOT NULL DEFAULT 0 CHECK (used >= 0),
    PRIMARY KEY (dealer, programme, currency, reference)
);
CREATE INDEX rebate_hold_order ON rebate_hold (order_id) WHERE frozen > 0;
COMMENT ON TABLE rebate_hold IS 'What each order holds and has used, kept by the same trigger.';

CREATE FUNCTION rebate_add_entries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE short text;
BEGIN
    INSERT INTO rebate_balance (dealer, programme, currency) SELECT DISTINCT dealer, programme, currency FROM added ON CONFLICT DO NOTHING;
    UPDATE rebate_balance AS b SET
        accrued = b.accrued + n.accrued, available = b.available + n.available, frozen = b.frozen + n.frozen, used = b.used + n.used,
        expired = b.expired + n.expired, paid_out = b.paid_out + n.paid_out, dealer_id = coalesce(n.dealer_id, b.dealer_id)
        FROM (
            SELECT dealer, programme, currency, (array_agg(dealer_id) FILTER (WHERE dealer_id IS NOT NULL))[1] AS dealer_id,
                coalesce(sum(amount) FILTER (WHERE account = 'accrued'), 0) AS accrued,
                coalesce(sum(amount) FILTER (WHERE account = 'available'), 0) AS available,
                coalesce(sum(amount) FILTER (WHERE account = 'frozen'), 0) AS frozen,
                coalesce(sum(amount) FILTER (WHERE account = 'used'), 0) AS used,
                coalesce(sum(amount) FILTER (WHERE account = 'expired'), 0) AS expired,
                coalesce(sum(amount) FILTER (WHERE account = 'paid_out'), 0) AS paid_out
            FROM added GROUP BY dealer, programme, currency) AS n
        WHERE (b.dealer, b.programme, b.currency) = (n.dealer, n.programme, n.currency);
    SELECT b.dealer INTO short FROM added AS n JOIN rebate_balance AS b
        ON (b.dealer, b.programme, b.currency) = (n.dealer, n.programme, n.currency)
        WHERE n.account = 'available' AND n.amount < 0 AND n.cause IN ('freeze', 'expiry') AND b.available < 0 LIMIT 1;
    IF short IS NOT NULL THEN
        RAISE EXCEPTION 'the rebate account of % does not hold so much', short USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO rebate_hold (dealer, programme, currency, reference)
        SELECT DISTINCT dealer, programme, currency, reference FROM added WHERE account IN ('frozen', 'used') ON CONFLICT DO NOTHING;
    UPDATE rebate_hold AS h SET frozen = h.frozen + n.frozen, used = h.used + n.used, order_id = coalesce(n.order_id, h.order_id)
        FROM (
            SELECT dealer, programme, currency, reference, (array_agg(order_id) FILTER (WHERE order_id IS NOT NULL))[1] AS order_id,
                coalesce(sum(amount) FILTER (WHERE account = 'frozen'), 0) AS frozen,
                coalesce(sum(amount) FILTER (WHERE account = 'used'), 0) AS used
            FROM added WHERE account IN ('frozen', 'used') GROUP BY dealer, programme, currency, reference) AS n
        WHERE (h.dealer, h.programme, h.currency, h.reference) = (n.dealer, n.programme, n.currency, n.reference);
    RETURN NULL;
END $$;
INSERT INTO rebate_balance (dealer, programme, currency, dealer_id, accrued, available, frozen, used, expired, paid_out)
    SELECT dealer, programme, currency, (array_agg(dealer_id ORDER BY id DESC) FILTER (WHERE dealer_id IS NOT NULL))[1],
        coalesce(sum(amount) FILTER (WHERE account = 'accrued'), 0),
        coalesce(sum(amount) FILTER (WHERE account = 'available'), 0), coalesce(sum(amount) FILTER (WHERE account = 'frozen'), 0),
        coalesce(sum(amount) FILTER (WHERE account = 'used'), 0), coalesce(sum(amount) FILTER (WHERE account = 'expired'), 0),
        coalesce(sum(amount) FILTER (WHERE account = 'paid_out'), 0)
    FROM rebate_entry GROUP BY dealer, programme, currency;
INSERT INTO rebate_hold (dealer, programme, currency, reference, frozen, used)
    SELECT dealer, programme, currency, reference, coalesce(sum(amount) FILTER (WHERE account = 'frozen'), 0),
        coalesce(sum(amount) FILTER (WHERE account = 'used'), 0)
    FROM rebate_entry WHERE account IN ('frozen', 'used') GROUP BY dealer, programme, currency, reference;
CREATE TRIGGER rebate_entry_balance AFTER INSERT ON rebate_entry
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION rebate_add_entries();
CREATE TRIGGER rebate_balance_by_entries BEFORE INSERT OR UPDATE OR DELETE ON rebate_balance
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rebate_hold_by_entries BEFORE INSERT OR UPDATE OR DELETE ON rebate_hold
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION refuse_change();

-- What a dealer hands on to the second level (二级): each settlement's part for each of them, with a statement of its own ----
CREATE TABLE rebate_passed_on (
    settlement_id bigint NOT NULL REFERENCES rebate_settlement,
    unit text NOT NULL,
    dealer text NOT NULL,                       -- who receives it
    dealer_id uuid,
    currency text NOT NULL,
    to_date numeric NOT NULL,                   -- of what was settled so far
    amount numeric NOT NULL,                    -- less what was handed on before
    statement_id text UNIQUE REFERENCES rebate_statement,
    PRIMARY KEY (settlement_id, dealer)
);
CREATE INDEX rebate_passed_on_unit ON rebate_passed_on (unit, dealer);
CREATE INDEX rebate_passed_on_dealer ON rebate_passed_on (dealer_id);
CREATE TRIGGER rebate_passed_on_append_only BEFORE UPDATE OR DELETE ON rebate_passed_on FOR EACH ROW EXECUTE FUNCTION refuse_change();
