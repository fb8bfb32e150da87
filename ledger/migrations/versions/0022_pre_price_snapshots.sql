-- What was known of who asks, beside a version of prices: with both, a question is answered again as it was ------------------
CREATE TABLE price_asker (
    id uuid PRIMARY KEY,                  -- of what it says: the same facts are kept once
    facts json NOT NULL,                  -- dealer with grade, regions, agreements and lists; projects; special prices and what was used of them
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TRIGGER price_asker_append_only BEFORE UPDATE OR DELETE ON price_asker FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE quote_version ADD COLUMN asker uuid REFERENCES price_asker;
COMMENT ON COLUMN quote_version.asker IS 'What counted of the buyer besides the version of prices. Null: kept before the hub pinned it.';

-- How price rules called the parties and the company of a list at that version; a new number is a new version.
ALTER TABLE price_list_at ADD COLUMN company text, ADD COLUMN names text[];
CREATE FUNCTION note_price_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM price_list_at AS h WHERE h.until IS NULL AND (NEW.id = ANY(h.parties) OR NEW.id = h.company_id)) THEN
        INSERT INTO price_touch (what) VALUES (TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER parties_renumbered AFTER UPDATE ON parties FOR EACH ROW
    WHEN (OLD.number IS DISTINCT FROM NEW.number OR OLD.hub_key IS DISTINCT FROM NEW.hub_key) EXECUTE FUNCTION note_price_name();
CREATE TRIGGER companies_renumbered AFTER UPDATE ON companies FOR EACH ROW
    WHEN (OLD.number IS DISTINCT FROM NEW.number) EXECUTE FUNCTION note_price_name();

CREATE TABLE price_cut_point (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    day date NOT NULL,
    version bigint NOT NULL
);
COMMENT ON TABLE price_cut_point IS 'Up to which business day, and with which version of prices, falls of prices were looked for.';

INSERT INTO price_touch (what) VALUES ('migration');
