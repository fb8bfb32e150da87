-- Who may call the API -------------------------------------------------------------------------------------------------
CREATE TABLE api_key (
    id text PRIMARY KEY CHECK (id ~ '^[a-z2-7]{12}$'),
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('it', 'finance', 'sales', 'dealer')),
    scopes text[] NOT NULL,
    party_id uuid,                        -- a dealer's key sees this party and those below it
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,             -- to the minute
    CHECK ((role = 'dealer') = (party_id IS NOT NULL))
);
COMMENT ON COLUMN api_key.secret_hash IS 'SHA-256 of a secret of 256 random bits; a slow hash would add nothing against guessing.';

CREATE TABLE api_secret (
    name text PRIMARY KEY,
    secret bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE api_secret IS 'Keys that all API workers share, such as the one that seals paging cursors. They open no data by themselves.';

CREATE TABLE idempotent_request (
    key_id text NOT NULL,
    idempotency_key text NOT NULL,
    fingerprint bytea NOT NULL,           -- of method, path and body: the same key with another request is a mistake
    status smallint,                      -- null while the first request runs
    body bytea,
    started_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (key_id, idempotency_key)
);
CREATE INDEX idempotent_request_age ON idempotent_request (started_at);

CREATE TABLE api_audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    request_id text NOT NULL,
    key_id text NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,                 -- plan.approve, record.edit, ...
    target text NOT NULL,                 -- what it was done to: plan:12, order:0190…
    phase text NOT NULL CHECK (phase IN ('asked', 'done', 'refused', 'failed')),
    code text NOT NULL DEFAULT '',        -- of the problem, when refused or failed
    facts jsonb NOT NULL DEFAULT '{}'     -- names of changed fields and the like; no values
);
CREATE INDEX api_audit_target ON api_audit (target, at);
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON api_audit FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A dealer's rows are found through the parties below it.
CREATE INDEX parties_parent ON parties (parent_id) WHERE parent_id IS NOT NULL;
-- The change feed reads history by time; a block range index costs the writer next to nothing.
CREATE INDEX history_at ON history USING brin (at) WITH (pages_per_range = 32, autosummarize = on);
