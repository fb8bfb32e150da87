-- Programmes of every kind stand in one table: rebate, price_protection, ship_and_debit, fund
ALTER TABLE programme_version ADD COLUMN type text NOT NULL GENERATED ALWAYS AS (coalesce(doc->>'type', 'rebate')) STORED;

-- Price cuts that dealers are protected against (价保): what a unit cost before and from that day on ------------------------
CREATE TABLE price_cut (
    id text PRIMARY KEY,                  -- PC-2026-000001
    product text NOT NULL,
    dealer text NOT NULL DEFAULT '',      -- empty: for all
    on_day date NOT NULL,                 -- the first day of the new price
    old_price numeric NOT NULL,
    new_price numeric NOT NULL CHECK (new_price >= 0 AND new_price < old_price),
    currency text NOT NULL,
    note text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    by text NOT NULL,
    UNIQUE (product, dealer, on_day, currency)
);
CREATE TRIGGER price_cut_append_only BEFORE UPDATE OR DELETE ON price_cut FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Claims: a dealer asks for its share of an activity, for a special price's difference, for stock that lost value -----------
CREATE SEQUENCE claim_number;
CREATE TABLE fund_claim (
    id text PRIMARY KEY,                  -- FC-2026-000001
    programme text NOT NULL,
    version integer NOT NULL,
    type text NOT NULL CHECK (type IN ('fund', 'ship_and_debit', 'price_protection')),
    dealer text NOT NULL,
    dealer_id uuid NOT NULL,
    period text NOT NULL DEFAULT '',      -- of the fund
    currency text NOT NULL,
    on_day date NOT NULL,                 -- business day of the activity, the sale or the price cut
    due_on date,                          -- the last day to hand it in; null: no limit
    asked json NOT NULL,                  -- as it was handed in
    judged json NOT NULL,                 -- what the rules made of it: units, per unit, why not all
    worth numeric NOT NULL CHECK (worth >= 0),
    allowed numeric CHECK (allowed > 0 AND allowed <= worth),
    state text NOT NULL CHECK (state IN ('planned', 'agreed', 'submitted', 'approved', 'rejected', 'withdrawn', 'lapsed', 'paid')),
    automatic boolean NOT NULL DEFAULT false,
    handed_in_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    handed_in_by text NOT NULL,
    FOREIGN KEY (programme, version) REFERENCES programme_version,
    CHECK ((state IN ('approved', 'paid')) = (allowed IS NOT NULL))
);
CREATE INDEX fund_claim_dealer ON fund_claim (dealer_id);
CREATE INDEX fund_claim_programme ON fund_claim (programme, state);
CREATE FUNCTION pin_claim() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE moves text[] := CASE WHEN OLD.state IN ('planned', 'agreed', 'submitted')
    THEN ARRAY['asked', 'judged', 'worth', 'allowed', 'state', 'automatic', 'due_on', 'on_day'] ELSE ARRAY['state'] END;
BEGIN
    IF TG_OP = 'DELETE' OR (to_jsonb(NEW) - moves) IS DISTINCT FROM (to_jsonb(OLD) - moves) THEN
        RAISE EXCEPTION 'a claim that was decided does not change' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER fund_claim_pinned BEFORE UPDATE OR DELETE ON fund_claim FOR EACH ROW EXECUTE FUNCTION pin_claim();

CREATE TABLE fund_claim_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    claim_id text NOT NULL REFERENCES fund_claim,
    what text NOT NULL CHECK (what IN ('planned', 'agreed', 'submitted', 'approved', 'rejected', 'withdrawn', 'lapsed', 'paid')),
    by text NOT NULL,
    note text NOT NULL DEFAULT '',
    doc json,                             -- what was handed in with it
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX fund_claim_event_claim ON fund_claim_event (claim_id);
CREATE TRIGGER fund_claim_event_append_only BEFORE UPDATE OR DELETE ON fund_claim_event FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE fund_claim_key (
    claim_id text NOT NULL REFERENCES fund_claim,
    type text NOT NULL,
    key text COLLATE "C" NOT NULL,        -- invoice, invoice and product, serial, or price cut and serial
    live boolean NOT NULL DEFAULT true,   -- false once the claim was refused or taken back
    PRIMARY KEY (claim_id, key)
);
CREATE UNIQUE INDEX fund_claim_key_once ON fund_claim_key (type, key) WHERE live;
COMMENT ON TABLE fund_claim_key IS 'What a claim is for; the same thing is claimed once, by whomever.';

-- The fund: accrued, available, frozen by a claim, used, expired ------------------------------------------------------------
CREATE TABLE fund_balance (
    programme text NOT NULL,
    dealer text NOT NULL,
    dealer_id uuid,
    period text NOT NULL,
    currency text NOT NULL,
    accrued numeric NOT NULL DEFAULT 0 CHECK (accrued >= 0),
    available numeric NOT NULL DEFAULT 0 CHECK (available >= 0),
    frozen numeric NOT NULL DEFAULT 0 CHECK (frozen >= 0),
    used numeric NOT NULL DEFAULT 0 CHECK (used >= 0),
    expired numeric NOT NULL DEFAULT 0 CHECK (expired >= 0),
    PRIMARY KEY (programme, dealer, period)
);
CREATE INDEX fund_balance_dealer ON fund_balance (dealer_id);
COMMENT ON TABLE fund_balance IS 'What the entries add up to, kept by a trigger; its checks are why two claims at one instant cannot overdraw.';
CREATE TRIGGER fund_balance_by_entries BEFORE INSERT OR UPDATE OR DELETE ON fund_balance
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION refuse_change();

CREATE TABLE fund_entry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    programme text NOT NULL,
    dealer text NOT NULL,
    dealer_id uuid,
    period text NOT NULL,
    currency text NOT NULL,
    account text NOT NULL CHECK (account IN ('accrued', 'available', 'frozen', 'used', 'expired')),
    amount numeric NOT NULL CHECK (amount <> 0),
    booking uuid NOT NULL,                -- entries that belong together
    cause text NOT NULL CHECK (cause IN ('fill', 'grant', 'release', 'freeze', 'free', 'use', 'expiry', 'carry')),
    claim_id text REFERENCES fund_claim,
    note text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    by text NOT NULL
);
CREATE INDEX fund_entry_dealer ON fund_entry (dealer_id, programme);
CREATE INDEX fund_entry_booking ON fund_entry (booking);
CREATE INDEX fund_entry_claim ON fund_entry (claim_id);
CREATE TRIGGER fund_entry_append_only BEFORE UPDATE OR DELETE ON fund_entry FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION fund_booking_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(amount) FROM fund_entry WHERE booking = NEW.booking) <> 0 THEN
        RAISE EXCEPTION 'booking % makes or loses money', NEW.booking USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER fund_entry_adds_up AFTER INSERT ON fund_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.cause NOT IN ('fill', 'grant')) EXECUTE FUNCTION fund_booking_adds_up();

CREATE FUNCTION fund_add_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO fund_balance (programme, dealer, dealer_id, period, currency)
        VALUES (NEW.programme, NEW.dealer, NEW.dealer_id, NEW.period, NEW.currency) ON CONFLICT (programme, dealer, period) DO NOTHING;
    UPDATE fund_balance SET
        accrued = accrued + CASE NEW.account WHEN 'accrued' THEN NEW.amount ELSE 0 END,
        available = available + CASE NEW.account WHEN 'available' THEN NEW.amount ELSE 0 END,
        frozen = frozen + CASE NEW.account WHEN 'frozen' THEN NEW.amount ELSE 0 END,
        used = used + CASE NEW.account WHEN 'used' THEN NEW.amount ELSE 0 END,
        expired = expired + CASE NEW.account WHEN 'expired' THEN NEW.amount ELSE 0 END,
        dealer_id = coalesce(NEW.dealer_id, dealer_id)
        WHERE (programme, dealer, period, currency) = (NEW.programme, NEW.dealer, NEW.period, NEW.currency);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'fund % of % is not in %', NEW.programme, NEW.dealer, NEW.currency USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER fund_entry_balance AFTER INSERT ON fund_entry FOR EACH ROW EXECUTE FUNCTION fund_add_entry();

-- A claim is paid once ------------------------------------------------------------------------------------------------------
CREATE TABLE fund_payout_item (
    claim_id text PRIMARY KEY REFERENCES fund_claim,
    payout_id text NOT NULL REFERENCES rebate_payout,
    amount numeric NOT NULL CHECK (amount > 0)
);
CREATE INDEX fund_payout_item_payout ON fund_payout_item (payout_id);
CREATE TRIGGER fund_payout_item_append_only BEFORE UPDATE OR DELETE ON fund_payout_item FOR EACH ROW EXECUTE FUNCTION refuse_change();
