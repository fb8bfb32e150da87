-- Which stages a deal went through, whoever moved it: written where the deal is, so that no way round misses it ----------------
CREATE TABLE deal_stage (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    deal_id uuid NOT NULL,
    pipeline text NOT NULL DEFAULT '',
    stage text NOT NULL DEFAULT '',
    kind text NOT NULL DEFAULT '',        -- canonical kind
    entered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    left_at timestamptz,                  -- null: it is there now
    CHECK (left_at IS NULL OR left_at >= entered_at)
);
CREATE UNIQUE INDEX deal_stage_now ON deal_stage (deal_id) WHERE left_at IS NULL;
CREATE INDEX deal_stage_of ON deal_stage (deal_id, id);
CREATE INDEX deal_stage_since ON deal_stage (entered_at) WHERE left_at IS NULL;

CREATE FUNCTION note_deal_stage() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := clock_timestamp();
BEGIN
    UPDATE deal_stage SET left_at = greatest(moment, entered_at) WHERE deal_id = NEW.id AND left_at IS NULL;
    INSERT INTO deal_stage (deal_id, pipeline, stage, kind, entered_at)
    VALUES (NEW.id, coalesce(NEW.doc->>'pipeline', ''), coalesce(NEW.doc->>'stage', ''), coalesce(NEW.stage_kind, ''), moment);
    RETURN NULL;
END $$;
CREATE TRIGGER deals_stage_new AFTER INSERT ON deals FOR EACH ROW EXECUTE FUNCTION note_deal_stage();
CREATE TRIGGER deals_stage_moved AFTER UPDATE ON deals FOR EACH ROW WHEN (
    (OLD.stage_kind, OLD.doc->>'stage', OLD.doc->>'pipeline') IS DISTINCT FROM (NEW.stage_kind, NEW.doc->>'stage', NEW.doc->>'pipeline')
) EXECUTE FUNCTION note_deal_stage();
INSERT INTO deal_stage (deal_id, pipeline, stage, kind, entered_at)
SELECT id, coalesce(doc->>'pipeline', ''), coalesce(doc->>'stage', ''), coalesce(stage_kind, ''), changed_at FROM deals;

-- What is still to be told, and what was: each event and each threshold once -----------------------------------------------
CREATE TABLE deal_untold (event_id bigint PRIMARY KEY);
COMMENT ON TABLE deal_untold IS 'Events of registrations that became no notice yet. Whoever takes one out raises its notice in the same transaction.';
CREATE FUNCTION note_untold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO deal_untold (event_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER registration_event_untold AFTER INSERT ON registration_event FOR EACH ROW
    WHEN (NEW.action NOT IN ('note_activity', 'registered_again', 'convert', 'protect_direct', 'found_same', 'found_different'))
    EXECUTE FUNCTION note_untold();

CREATE TABLE deal_told (
    subject text NOT NULL,                -- deal:<id>, registration:<id>, order:<id>
    what text NOT NULL,                   -- kind of notice and threshold
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (subject, what)
);

-- Goods ---------------------------------------------------------------------------------------------------------------------
CREATE UNIQUE INDEX fence_hit_once ON fence_hit (subject, code) WHERE subject NOT LIKE 'registration:%';

CREATE TABLE address_place (
    address bytea PRIMARY KEY,            -- SHA-256 of the address: the address itself is personal and stays where it is
    region text NOT NULL,                 -- GB/T 2260 code; empty: none was found
    version text NOT NULL                 -- of the reader of addresses
);

CREATE TABLE goods_judged (
    subject text PRIMARY KEY,             -- order:<id>, shipment:<id>
    version integer NOT NULL,             -- of the record that was judged
    fences bytea NOT NULL                 -- fingerprint of the fences it was judged by
);

CREATE TABLE serial_seen (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    serial text NOT NULL CHECK (serial <> ''),
    region text NOT NULL CHECK (region ~ '^[0-9]{2}([0-9]{2}){0,2}$'),  -- GB/T 2260
    seen_at timestamptz NOT NULL,
    source text NOT NULL,                 -- warranty, service, scan, person
    note text NOT NULL DEFAULT '',
    noted_by text NOT NULL,
    UNIQUE (serial, region, seen_at, source)
);
CREATE INDEX serial_seen_at ON serial_seen (seen_at);

-- Customers that are there twice -----------------------------------------------------------------------------------------
CREATE TABLE duplicate_pair (
    low bigint NOT NULL REFERENCES customer,
    high bigint NOT NULL REFERENCES customer,
    p numeric NOT NULL CHECK (p BETWEEN 0 AND 1),
    verdict text NOT NULL CHECK (verdict IN ('duplicate', 'review')),
    reasons json NOT NULL DEFAULT '[]',
    found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- by the newest scan that still found it
    PRIMARY KEY (low, high),
    CHECK (low < high)
);

-- Open questions and messages are looked up by what they are about ---------------------------------------------------------
CREATE INDEX approvals_open ON approvals ((doc->>'about')) WHERE decision = 'open';
CREATE INDEX notices_open ON notices ((doc->>'about')) WHERE state = 'open';
