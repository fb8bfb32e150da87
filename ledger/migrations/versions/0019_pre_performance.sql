-- Scorecards: what was published, word for word ------------------------------------------------------------------------------
CREATE TABLE scorecard_version (
    scorecard text NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    hash text NOT NULL,                   -- of everything that is written in it; each month names it
    doc json NOT NULL,
    published_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_by text NOT NULL,
    reason text NOT NULL DEFAULT '',
    PRIMARY KEY (scorecard, version)
);
CREATE TRIGGER scorecard_version_append_only BEFORE UPDATE OR DELETE ON scorecard_version FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Facts that only performance asks for; what was sold stands in rebate_fact. A correction is a new revision, the old one stays --
CREATE TABLE performance_fact (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL,
    revision integer NOT NULL CHECK (revision >= 1),
    recorded_at timestamptz NOT NULL DEFAULT transaction_timestamp(),
    recorded_by text NOT NULL,            -- rule:performance for what follows from documents, else who loaded it
    kind text NOT NULL,
    dealer_id uuid NOT NULL,
    date date NOT NULL,                   -- business day
    gone boolean NOT NULL DEFAULT false,  -- it is not so any more
    doc jsonb NOT NULL,                   -- the other columns as text; numbers in plain digits
    UNIQUE (id, revision)
);
CREATE INDEX performance_fact_of ON performance_fact (kind, dealer_id, date);
CREATE TRIGGER performance_fact_append_only BEFORE UPDATE OR DELETE ON performance_fact FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Each month as it stood; reckoned again it is a new revision with a reason ----------------------------------------------------
CREATE TABLE scorecard_month (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scorecard text NOT NULL,
    version integer NOT NULL,
    hash text NOT NULL,
    as_of date NOT NULL CHECK (extract(day FROM as_of + 1) = 1),  -- the last day of a month; facts up to it count
    revision integer NOT NULL CHECK (revision >= 1),
    known_at timestamptz NOT NULL,        -- facts that were known then
    facts_hash text NOT NULL,
    previous_id bigint REFERENCES scorecard_month,    -- whose places and tags it goes on from
    last_year_id bigint REFERENCES scorecard_month,
    reason text NOT NULL DEFAULT '' CHECK (revision = 1 OR reason <> ''),
    doc json NOT NULL,                    -- name, period, currency, groups with their quartiles, what was left out
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    by text NOT NULL,
    UNIQUE (scorecard, as_of, revision),
    FOREIGN KEY (scorecard, version) REFERENCES scorecard_version
);
CREATE TRIGGER scorecard_month_append_only BEFORE UPDATE OR DELETE ON scorecard_month FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TABLE scorecard_result (
    month_id bigint NOT NULL REFERENCES scorecard_month,
    dealer_id uuid NOT NULL,
    product_line text NOT NULL DEFAULT '',
    dealer text NOT NULL,                 -- its code then
    place integer CHECK (place >= 1),     -- null: not ranked
    ranked integer NOT NULL CHECK (ranked >= coalesce(place, 0)),  -- how many are in its group
    score numeric CHECK (score BETWEEN 0 AND 100),
    doc json NOT NULL,                    -- every figure with numerator, denominator, definition and evidence; our own people only
    own json NOT NULL,                    -- what the dealer itself may read
    PRIMARY KEY (month_id, dealer_id, product_line)
);
CREATE INDEX scorecard_result_dealer ON scorecard_result (dealer_id, month_id);
CREATE TRIGGER scorecard_result_append_only BEFORE UPDATE OR DELETE ON scorecard_result FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TABLE scorecard_tag (
    month_id bigint NOT NULL,
    dealer_id uuid NOT NULL,
    product_line text NOT NULL DEFAULT '',
    tag text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('risk', 'growth')),
    since date NOT NULL,
    new boolean NOT NULL,                 -- it came with this month
    doc json NOT NULL,                    -- name, limits, figures and facts that it stands on
    PRIMARY KEY (month_id, dealer_id, product_line, tag),
    FOREIGN KEY (month_id, dealer_id, product_line) REFERENCES scorecard_result
);
COMMENT ON TABLE scorecard_tag IS 'Tags that are on; those that are off, with their streaks, stand in the result.';
CREATE TRIGGER scorecard_tag_append_only BEFORE UPDATE OR DELETE ON scorecard_tag FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Dealers' stock: who runs dry, what to order, who could help ----------------------------------------------------------------
CREATE TABLE stock_plan (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    as_of date NOT NULL,
    revision integer NOT NULL CHECK (revision >= 1),
    known_at timestamptz NOT NULL,
    window_days integer NOT NULL CHECK (window_days >= 1),
    looked_at integer NOT NULL,           -- products of dealers with a count
    uncounted json NOT NULL,              -- what is sold where nobody gave a count
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    by text NOT NULL,
    UNIQUE (as_of, revision)
);
CREATE TRIGGER stock_plan_append_only BEFORE UPDATE OR DELETE ON stock_plan FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TABLE stock_advice (
    plan_id bigint NOT NULL REFERENCES stock_plan,
    dealer_id uuid NOT NULL,
    product text NOT NULL,
    warning boolean NOT NULL,             -- dry before goods ordered today arrive
    restock numeric NOT NULL CHECK (restock >= 0),
    out_on date,
    doc json NOT NULL,
    PRIMARY KEY (plan_id, dealer_id, product)
);
CREATE INDEX stock_advice_dealer ON stock_advice (dealer_id, plan_id);
COMMENT ON TABLE stock_advice IS 'Only where something is to be done.';
CREATE TRIGGER stock_advice_append_only BEFORE UPDATE OR DELETE ON stock_advice FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TABLE stock_transfer (
    plan_id bigint NOT NULL REFERENCES stock_plan,
    giver_id uuid NOT NULL,
    taker_id uuid NOT NULL,
    product text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    common_digits integer NOT NULL,       -- of the region: 6 same district, 4 city, 2 province
    PRIMARY KEY (plan_id, giver_id, taker_id, product),
    CHECK (giver_id <> taker_id)
);
COMMENT ON TABLE stock_transfer IS 'Names dealers to each other: for our own people only.';
CREATE TRIGGER stock_transfer_append_only BEFORE UPDATE OR DELETE ON stock_transfer FOR EACH ROW EXECUTE FUNCTION refuse_change();
