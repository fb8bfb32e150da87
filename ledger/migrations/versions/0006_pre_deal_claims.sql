-- Deals of a CRM that ask for protection: which registration each stands on ------------------------------------------------------
CREATE TABLE deal_claim (
    deal_id uuid PRIMARY KEY,
    dealer_id uuid NOT NULL,              -- dealer, customer and line that the deal named when it was registered
    party_id uuid NOT NULL,
    product_line text NOT NULL DEFAULT '',
    attempt integer NOT NULL DEFAULT 0,   -- part of the idempotency key: another dealer, customer or line is another claim
    registration_id uuid REFERENCES registration,  -- null: there is none, and `problem` says why
    problem text NOT NULL DEFAULT '',
    lost boolean NOT NULL DEFAULT false,  -- it was released because the deal was lost
    deal_version integer NOT NULL DEFAULT 0  -- of the deal as it was left; a later one is a sign of work
);
CREATE INDEX deal_claim_registration ON deal_claim (registration_id);
COMMENT ON TABLE deal_claim IS 'Several deals of one dealer with one customer stand on one registration.';

-- What is to be looked at again. Appended, never updated, so that nobody who notes something waits for somebody who works it off.
CREATE TABLE deal_due (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    deal_id uuid NOT NULL,
    entered_at text NOT NULL DEFAULT '',  -- comparable text: who was entered first is decided first
    work boolean NOT NULL DEFAULT false   -- a sign of work on the deal
);
CREATE INDEX deal_due_deal ON deal_due (deal_id);
CREATE TABLE deal_decided (deal_id uuid PRIMARY KEY);
COMMENT ON TABLE deal_decided IS 'Deals whose stage the hub has decided; once their CRM shows it, the CRM decides again.';
CREATE TABLE party_due (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    low uuid NOT NULL,                    -- parties that are new or changed: one, or all that a page made
    high uuid NOT NULL,
    parties integer NOT NULL,
    CHECK (low <= high)
);
COMMENT ON TABLE party_due IS 'Parties whose customers and match keys are not up to date.';

CREATE FUNCTION note_deal_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO deal_due (deal_id) SELECT deal_id FROM deal_claim WHERE registration_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER registration_moves_deals AFTER UPDATE ON registration FOR EACH ROW
    WHEN ((OLD.status, OLD.reason, OLD.protected) IS DISTINCT FROM (NEW.status, NEW.reason, NEW.protected))
    EXECUTE FUNCTION note_deal_due();
