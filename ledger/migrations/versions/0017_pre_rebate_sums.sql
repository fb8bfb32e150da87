-- Facts: a revision knows the day of the one before it, so that what it replaces is found by its key -----------------------
ALTER TABLE rebate_fact ADD COLUMN was date;
DROP TRIGGER rebate_fact_append_only ON rebate_fact;
UPDATE rebate_fact AS n SET was = o.date FROM rebate_fact AS o WHERE n.revision > 1 AND o.id = n.id AND o.revision = n.revision - 1;
CREATE TRIGGER rebate_fact_append_only BEFORE UPDATE OR DELETE ON rebate_fact FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE rebate_fact ADD CONSTRAINT rebate_fact_follows CHECK ((revision = 1) = (was IS NULL));
ALTER TABLE rebate_fact ADD CONSTRAINT rebate_fact_one_day CHECK (
    date = coalesce(order_date, date) AND date = coalesce(delivery_date, date) AND date = coalesce(invoice_date, date)
    AND date = coalesce(sell_out_date, date));
COMMENT ON COLUMN rebate_fact.was IS 'The day of the revision before this one; of a first revision none.';
CREATE INDEX rebate_fact_later ON rebate_fact (id, revision) WHERE revision > 1;
CREATE INDEX rebate_fact_figure ON rebate_fact (dealer) WHERE kind IN ('target', 'baseline', 'measure', 'complaint', 'settlement');

CREATE FUNCTION rebate_fact_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.was IS NULL THEN
        SELECT date INTO NEW.was FROM rebate_fact_head WHERE id = NEW.id AND revision = NEW.revision - 1;
    END IF;
    IF NEW.was IS NULL THEN
        SELECT date INTO NEW.was FROM rebate_fact WHERE id = NEW.id AND revision = NEW.revision - 1;
    END IF;
    PERFORM FROM rebate_fact WHERE date = NEW.was AND id = NEW.id AND revision = NEW.revision - 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'revision % of fact % follows no revision before it', NEW.revision, NEW.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rebate_fact_follow BEFORE INSERT ON rebate_fact FOR EACH ROW WHEN (NEW.revision > 1) EXECUTE FUNCTION rebate_fact_follow();

-- Who adds facts shares this lock until the end of its transaction; who reads them up to a number takes it alone for a moment:
-- then no fact with a lower number can still come.
CREATE FUNCTION rebate_fact_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('rebate_fact_seq'));
    RETURN NULL;
END $$;
CREATE TRIGGER rebate_fact_turn BEFORE INSERT ON rebate_fact FOR EACH STATEMENT EXECUTE FUNCTION rebate_fact_turn();

-- Kept sums: what a night need not read again. All of it can be made anew from the facts -------------------------------------
CREATE TABLE rebate_family (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL UNIQUE,             -- of the programmes that are reckoned together, and of how their sums are cut
    programmes text[] NOT NULL,           -- code@version
    folded_to bigint NOT NULL CHECK (folded_to >= 0),   -- facts with a number up to this are in the sums
    folded_day date NOT NULL,             -- later days stand by themselves in the sums
    clock json NOT NULL DEFAULT '{}',     -- what the day alone decided, by era
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE rebate_sum (
    family_id bigint NOT NULL REFERENCES rebate_family ON DELETE CASCADE,
    who text COLLATE "C" NOT NULL,        -- dealer, head of a group, or * for all
    era date NOT NULL,                    -- first day of the periods that hang together
    scope text[] COLLATE "C" NOT NULL,    -- values of the grouping, where each is rated by itself
    day date NOT NULL,                    -- first day of a stretch in which no day decides anything
    words text[] COLLATE "C" NOT NULL,    -- all else that the programmes look at
    quantity numeric NOT NULL,
    amount numeric NOT NULL,
    gross numeric NOT NULL,
    lines bigint NOT NULL,
    example text COLLATE "C" NOT NULL,    -- one of the facts, for a message
    PRIMARY KEY (family_id, who, era, scope, day, words)
);
COMMENT ON TABLE rebate_sum IS 'Sums of lines that no programme of the family can tell apart.';
CREATE TABLE rebate_touched (
    family_id bigint NOT NULL REFERENCES rebate_family ON DELETE CASCADE,
    who text COLLATE "C" NOT NULL,
    era date NOT NULL,
    scope text[] COLLATE "C" NOT NULL,
    PRIMARY KEY (family_id, who, era, scope)
);
COMMENT ON TABLE rebate_touched IS 'What has to be rated anew before money is booked; gone with that booking.';
CREATE TABLE rebate_settled_span (
    family_id bigint NOT NULL REFERENCES rebate_family ON DELETE CASCADE,
    programme text NOT NULL,
    period text NOT NULL,
    up_to date NOT NULL,                  -- the settlement day up to which every unit of the period was settled
    final boolean NOT NULL,
    PRIMARY KEY (family_id, programme, period)
);
COMMENT ON TABLE rebate_settled_span IS 'Periods of which only what is touched has to be looked at.';
CREATE INDEX rebate_entry_accrued ON rebate_entry (reference) WHERE account = 'accrued';

-- A closed period stays with the version that closed it ---------------------------------------------------------------------
ALTER TABLE period_close ADD COLUMN version integer;
DROP TRIGGER period_close_append_only ON period_close;
UPDATE period_close AS p SET version = (
    SELECT max(split_part(k.key, '@', 2)::int) FROM rebate_calculation AS c CROSS JOIN LATERAL unnest(c.programmes) AS k (key)
    WHERE c.id = p.calculation_id AND split_part(k.key, '@', 1) = p.programme);
CREATE TRIGGER period_close_append_only BEFORE UPDATE OR DELETE ON period_close FOR EACH ROW EXECUTE FUNCTION refuse_change();
COMMENT ON COLUMN period_close.version IS 'Whatever is published later, this version rates the period.';
