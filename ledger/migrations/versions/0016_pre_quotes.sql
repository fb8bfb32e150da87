-- Quotes: every version word for word, what authority and people said about each, and what became of the offer ----------------
CREATE SEQUENCE quote_number;

CREATE TABLE quote_offer (
    id uuid PRIMARY KEY,                  -- of the canonical quote too, which there is from the first sending on
    number text NOT NULL UNIQUE,          -- QT-2026-000001
    dealer_id uuid,                       -- null: a customer of our own
    customer_id uuid,                     -- end customer
    deal_id uuid,
    company_id uuid,
    version integer NOT NULL CHECK (version >= 1),     -- the one that counts
    sent_version integer CHECK (sent_version BETWEEN 1 AND version),   -- the last one that went out
    state text NOT NULL CHECK (state IN (
        'draft', 'submitted', 'refused', 'approved', 'sent', 'accepted', 'lost', 'expired', 'voided')),
    valid_to date NOT NULL,               -- last day, of the version that counts
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    total numeric NOT NULL,               -- with tax, of the version that counts
    salesperson text NOT NULL DEFAULT '',
    by_dealer boolean NOT NULL,           -- the dealer began it himself
    made_by text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_on date,
    closed_on date,
    lost_reason text NOT NULL DEFAULT '', -- code
    lost_text text NOT NULL DEFAULT '',
    order_id uuid UNIQUE,
    copied_from uuid REFERENCES quote_offer,
    CHECK (dealer_id IS NOT NULL OR customer_id IS NOT NULL),
    CHECK ((state = 'lost') = (lost_reason <> '')),
    CHECK (state NOT IN ('sent', 'accepted', 'voided') OR (sent_version IS NOT NULL AND sent_version = version)),
    CHECK ((sent_version IS NULL) = (sent_on IS NULL)),
    CHECK (order_id IS NULL OR state IN ('accepted', 'voided')),
    CHECK ((closed_on IS NOT NULL) = (state IN ('accepted', 'lost', 'expired', 'voided')))
);
CREATE INDEX quote_offer_dealer ON quote_offer (dealer_id, made_at DESC);
CREATE INDEX quote_offer_customer ON quote_offer (customer_id);
CREATE INDEX quote_offer_deal ON quote_offer (deal_id) WHERE deal_id IS NOT NULL;
CREATE INDEX quote_offer_open ON quote_offer (valid_to) WHERE state IN ('draft', 'submitted', 'refused', 'approved', 'sent');
COMMENT ON TABLE quote_offer IS 'Where an offer stands; what it said is in quote_version, how it came there in quote_event.';

CREATE TABLE quote_version (
    quote_id uuid NOT NULL REFERENCES quote_offer,
    number integer NOT NULL CHECK (number >= 1),
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    made_by text NOT NULL,
    by_dealer boolean NOT NULL,
    asked json NOT NULL,                  -- the question, word for word: with the version of prices it gives the same waterfall again
    price_version bigint NOT NULL,        -- lists, products and rules that it was priced with; 0: there were none
    hash text NOT NULL,                   -- of rules, question and every amount; what an approval is pinned to
    valid_to date NOT NULL,
    delivery_date date,                   -- wished
    lead_days integer NOT NULL DEFAULT 0 CHECK (lead_days >= 0),   -- the longest of its items
    currency text NOT NULL,
    net numeric NOT NULL,
    tax numeric NOT NULL,
    gross numeric NOT NULL CHECK (gross = net + tax),
    listed numeric NOT NULL,              -- at list prices, without tax
    lines json NOT NULL,                  -- what was offered, in the quote's words: no cost, no rule
    discounts json NOT NULL,              -- by hand: line, reason, words, who, amount
    judged json NOT NULL,                 -- what authority looks at, with cost: never shown
    answers json NOT NULL,                -- by kind of reader: the waterfall with everything that was tried, as it may be read
    PRIMARY KEY (quote_id, number)
);
CREATE TRIGGER quote_version_append_only BEFORE UPDATE OR DELETE ON quote_version FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE quote_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    quote_id uuid NOT NULL,
    version integer NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    action text NOT NULL,
    actor text NOT NULL,
    cause text NOT NULL DEFAULT '',
    before text NOT NULL DEFAULT '',      -- state
    after text NOT NULL,
    facts json NOT NULL DEFAULT '{}',     -- level and needs of an approval, order, reason
    FOREIGN KEY (quote_id, version) REFERENCES quote_version,
    CHECK (
        CASE action
            WHEN 'draft' THEN before = '' AND after = 'draft'
            WHEN 'revise' THEN before IN ('draft', 'submitted', 'refused', 'approved', 'sent', 'expired') AND after = 'draft'
            WHEN 'submit' THEN before = 'draft' AND after IN ('submitted', 'approved')
            WHEN 'approve' THEN before = 'submitted' AND after = 'approved'
            WHEN 'refuse' THEN before = 'submitted' AND after = 'refused'
            WHEN 'send' THEN before = 'approved' AND after = 'sent'
            WHEN 'accept' THEN before = 'sent' AND after = 'accepted'
            WHEN 'lose' THEN before IN ('draft', 'submitted', 'refused', 'approved', 'sent', 'expired') AND after = 'lost'
            WHEN 'expire' THEN before IN ('draft', 'submitted', 'refused', 'approved', 'sent') AND after = 'expired'
            WHEN 'order' THEN before = 'accepted' AND after = 'accepted'
            WHEN 'void' THEN before = 'accepted' AND after = 'voided'
            ELSE false
        END)
);
CREATE INDEX quote_event_of ON quote_event (quote_id, id);
CREATE TRIGGER quote_event_append_only BEFORE UPDATE OR DELETE ON quote_event FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A quote moves by an event only, and no event stands alone: at the end of the transaction the last one says where the quote stands.
CREATE FUNCTION quote_moves_by_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE said record; stands record; moved uuid := coalesce(to_jsonb(NEW)->>'quote_id', to_jsonb(NEW)->>'id')::uuid;
BEGIN
    SELECT after, version INTO said FROM quote_event WHERE quote_id = moved ORDER BY id DESC LIMIT 1;
    SELECT state, version INTO stands FROM quote_offer WHERE id = moved;
    IF said.after IS DISTINCT FROM stands.state OR said.version IS DISTINCT FROM stands.version THEN
        RAISE EXCEPTION 'quote % stands where no event has brought it', moved USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER quote_offer_moves AFTER INSERT OR UPDATE ON quote_offer DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION quote_moves_by_event();
CREATE CONSTRAINT TRIGGER quote_event_moves AFTER INSERT ON quote_event DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION quote_moves_by_event();
CREATE TRIGGER quote_offer_kept BEFORE DELETE ON quote_offer FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Each event begins where the one before it ended, so that the events of a quote are one chain.
CREATE FUNCTION quote_event_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE stood text;
BEGIN
    SELECT after INTO stood FROM quote_event WHERE quote_id = NEW.quote_id ORDER BY id DESC LIMIT 1;
    IF NEW.before <> coalesce(stood, '') THEN
        RAISE EXCEPTION 'quote % is %, not %', NEW.quote_id, coalesce(stood, 'new'), NEW.before USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER quote_event_chain BEFORE INSERT ON quote_event FOR EACH ROW EXECUTE FUNCTION quote_event_follows();
