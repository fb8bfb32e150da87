-- What prices are made of, as it was at each version -----------------------------------------------------------------------
CREATE TABLE price_touch (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    what text NOT NULL
);
COMMENT ON TABLE price_touch IS 'Something that prices are made of was written: taken, and emptied, by the next version. Empty: nothing is newer.';

CREATE FUNCTION note_price_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM touched) THEN
        INSERT INTO price_touch (what) VALUES (TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER price_lists_new AFTER INSERT ON price_lists REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION note_price_touch();
CREATE TRIGGER price_lists_moved AFTER UPDATE ON price_lists REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION note_price_touch();
CREATE TRIGGER products_new AFTER INSERT ON products REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION note_price_touch();
CREATE TRIGGER products_moved AFTER UPDATE ON products REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION note_price_touch();

CREATE TABLE price_version (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    cause text NOT NULL,                  -- taken: lists or products changed; published: rules
    lists integer NOT NULL DEFAULT 0,     -- rows that this version brought
    lines integer NOT NULL DEFAULT 0,
    items integer NOT NULL DEFAULT 0,
    announced_at timestamptz              -- the dealers whom it concerns were told, or nobody had to be
);
CREATE INDEX price_version_untold ON price_version (id) WHERE announced_at IS NULL;
CREATE INDEX price_version_made ON price_version (made_at);

-- A row holds from its version up to, and not including, `until`; the newest has none.
CREATE TABLE price_list_at (
    price_list_id uuid NOT NULL,
    version bigint NOT NULL REFERENCES price_version,
    until bigint REFERENCES price_version CHECK (until > version),
    record_version integer NOT NULL,      -- of the canonical record
    fingerprint uuid NOT NULL,
    number text NOT NULL,
    name text NOT NULL,
    company_id uuid,
    currency text NOT NULL,
    tax_included boolean NOT NULL,
    tier text NOT NULL,
    audience text NOT NULL,
    parties uuid[] NOT NULL,
    valid_from date,
    valid_to date,                        -- last day
    usable boolean NOT NULL,              -- approved or without approval, active, not retired
    PRIMARY KEY (price_list_id, version)
);
CREATE UNIQUE INDEX price_list_at_now ON price_list_at (price_list_id) WHERE until IS NULL;

CREATE TABLE price_line_at (
    price_list_id uuid NOT NULL,
    line_id uuid NOT NULL,
    version bigint NOT NULL REFERENCES price_version,
    until bigint REFERENCES price_version CHECK (until > version),
    fingerprint uuid NOT NULL,
    seq integer NOT NULL,
    product_id uuid,
    unit text NOT NULL,
    from_quantity numeric,
    to_quantity numeric,
    price numeric,
    floor_price numeric,
    valid_from date,
    valid_to date,                        -- last day
    active boolean NOT NULL,
    PRIMARY KEY (price_list_id, line_id, version)
);
CREATE UNIQUE INDEX price_line_at_now ON price_line_at (price_list_id, line_id) WHERE until IS NULL;
CREATE INDEX price_line_at_version ON price_line_at (version);
CREATE INDEX price_line_at_until ON price_line_at (until) WHERE until IS NOT NULL;

CREATE TABLE price_item_at (
    product_id uuid NOT NULL,
    version bigint NOT NULL REFERENCES price_version,
    until bigint REFERENCES price_version CHECK (until > version),
    fingerprint uuid NOT NULL,
    number text NOT NULL,                 -- its number, else its hub key
    name text NOT NULL,
    model text NOT NULL,
    brand text NOT NULL,
    line text NOT NULL,
    category text NOT NULL,
    unit text NOT NULL,
    tax_rate numeric,
    units json NOT NULL,                  -- code: how many base units
    sold boolean NOT NULL,
    PRIMARY KEY (product_id, version)
);
CREATE UNIQUE INDEX price_item_at_now ON price_item_at (product_id) WHERE until IS NULL;

CREATE FUNCTION pin_price_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.until IS NOT NULL OR (to_jsonb(NEW) - 'until') IS DISTINCT FROM (to_jsonb(OLD) - 'until') THEN
        RAISE EXCEPTION 'what prices were made of at a version does not change' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER price_list_at_pinned BEFORE UPDATE OR DELETE ON price_list_at FOR EACH ROW EXECUTE FUNCTION pin_price_row();
CREATE TRIGGER price_line_at_pinned BEFORE UPDATE OR DELETE ON price_line_at FOR EACH ROW EXECUTE FUNCTION pin_price_row();
CREATE TRIGGER price_item_at_pinned BEFORE UPDATE OR DELETE ON price_item_at FOR EACH ROW EXECUTE FUNCTION pin_price_row();

-- The hub's own rules, word for word ---------------------------------------------------------------------------------------
CREATE TABLE price_rules (
    document text NOT NULL CHECK (document ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    version integer NOT NULL CHECK (version >= 1),
    hash text NOT NULL,                   -- of the text
    text text NOT NULL,
    price_version bigint NOT NULL REFERENCES price_version,  -- prices are made with it from here on
    published_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_by text NOT NULL,
    reason text NOT NULL DEFAULT '',
    PRIMARY KEY (document, version)
);
CREATE INDEX price_rules_at ON price_rules (price_version);
CREATE TRIGGER price_rules_append_only BEFORE UPDATE OR DELETE ON price_rules FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- 特批价: special project prices, and what is used of them -----------------------------------------------------------------
CREATE TABLE special_price (
    id text PRIMARY KEY,                  -- SP-2026-000001
    dealer_id uuid NOT NULL,
    registration_id uuid,
    deal_id uuid,
    company_id uuid,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    tax_included boolean NOT NULL,
    valid_from date,
    valid_to date,                        -- the day after the last
    over_ceiling text NOT NULL DEFAULT 'next_kind' CHECK (over_ceiling IN ('next_kind', 'refuse')),
    ceiling_amount numeric CHECK (ceiling_amount >= 0),  -- of all its items together, on the side of its prices
    consumed_amount numeric NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'approved', 'rejected', 'ended')),
    reason text NOT NULL DEFAULT '',      -- why it was asked for
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    decided_by text,
    decided_at timestamptz,
    CHECK (registration_id IS NOT NULL OR deal_id IS NOT NULL),
    CHECK (valid_from IS NULL OR valid_to IS NULL OR valid_from < valid_to),
    CHECK ((state = 'asked') = (decided_by IS NULL)),
    CONSTRAINT special_price_amount_within_ceiling CHECK (consumed_amount >= 0 AND (ceiling_amount IS NULL OR consumed_amount <= ceiling_amount))
);
CREATE INDEX special_price_dealer ON special_price (dealer_id);
CREATE SEQUENCE special_price_number;

CREATE TABLE special_price_item (
    special_id text NOT NULL REFERENCES special_price,
    product_id uuid NOT NULL,
    price numeric NOT NULL CHECK (price >= 0),
    ceiling numeric CHECK (ceiling > 0),  -- highest quantity, in base units
    consumed numeric NOT NULL DEFAULT 0,
    PRIMARY KEY (special_id, product_id),
    CONSTRAINT special_price_within_ceiling CHECK (consumed >= 0 AND (ceiling IS NULL OR consumed <= ceiling))
);

CREATE TABLE special_price_use (
    special_id text NOT NULL,
    product_id uuid NOT NULL,
    reference text NOT NULL CHECK (reference <> ''),  -- line of a quote or an order: it uses a price once
    quantity numeric NOT NULL CHECK (quantity >= 0),  -- in base units; 0: given back
    amount numeric NOT NULL CHECK (amount >= 0),
    by text NOT NULL,
    PRIMARY KEY (reference, special_id, product_id),
    FOREIGN KEY (special_id, product_id) REFERENCES special_price_item
);
CREATE INDEX special_price_use_of ON special_price_use (special_id);

CREATE TABLE special_price_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    special_id text NOT NULL REFERENCES special_price,
    what text NOT NULL CHECK (what IN ('asked', 'approved', 'rejected', 'ended', 'used')),
    product_id uuid,
    reference text NOT NULL DEFAULT '',
    quantity numeric,                     -- of `used`: more (or, below zero, given back)
    amount numeric,
    by text NOT NULL,
    note text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX special_price_event_of ON special_price_event (special_id, id);
CREATE TRIGGER special_price_event_append_only BEFORE UPDATE OR DELETE ON special_price_event FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What is consumed is the sum of the uses, and nobody writes it: the check on the row refuses the one that comes too late.
CREATE FUNCTION sum_special_price_use() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    more numeric := NEW.quantity - CASE WHEN TG_OP = 'UPDATE' THEN OLD.quantity ELSE 0 END;
    worth numeric := NEW.amount - CASE WHEN TG_OP = 'UPDATE' THEN OLD.amount ELSE 0 END;
BEGIN
    IF more = 0 AND worth = 0 THEN
        RETURN NULL;
    END IF;
    UPDATE special_price SET consumed_amount = consumed_amount + worth WHERE id = NEW.special_id;
    UPDATE special_price_item SET consumed = consumed + more WHERE (special_id, product_id) = (NEW.special_id, NEW.product_id);
    INSERT INTO special_price_event (special_id, what, product_id, reference, quantity, amount, by)
        VALUES (NEW.special_id, 'used', NEW.product_id, NEW.reference, more, worth, NEW."by");
    RETURN NULL;
END $$;
CREATE TRIGGER special_price_use_sums AFTER INSERT OR UPDATE ON special_price_use FOR EACH ROW EXECUTE FUNCTION sum_special_price_use();

CREATE FUNCTION pin_special_price_use() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.special_id, NEW.product_id, NEW.reference) <> (OLD.special_id, OLD.product_id, OLD.reference) THEN
        RAISE EXCEPTION 'the use of a special price is given back, not taken away' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER special_price_use_pinned BEFORE UPDATE OR DELETE ON special_price_use FOR EACH ROW EXECUTE FUNCTION pin_special_price_use();

CREATE FUNCTION pin_special_price() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    decided text[] := ARRAY['state', 'decided_by', 'decided_at', 'consumed_amount'];
BEGIN
    IF TG_OP = 'DELETE' OR (to_jsonb(NEW) - decided) IS DISTINCT FROM (to_jsonb(OLD) - decided)
        OR (NEW.consumed_amount <> OLD.consumed_amount AND pg_trigger_depth() < 2) THEN
        RAISE EXCEPTION 'a special price keeps its terms; its use is counted by the database' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER special_price_pinned BEFORE UPDATE OR DELETE ON special_price FOR EACH ROW EXECUTE FUNCTION pin_special_price();

CREATE FUNCTION pin_special_price_item() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (to_jsonb(NEW) - 'consumed') IS DISTINCT FROM (to_jsonb(OLD) - 'consumed') OR pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'a special price keeps its terms; its use is counted by the database' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER special_price_item_pinned BEFORE UPDATE OR DELETE ON special_price_item FOR EACH ROW EXECUTE FUNCTION pin_special_price_item();

INSERT INTO price_touch (what) VALUES ('migration');
