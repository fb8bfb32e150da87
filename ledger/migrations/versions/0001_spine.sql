-- Systems and where reading stands -----------------------------------------------------------------------------------
CREATE TABLE stream (
    id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system text NOT NULL,
    name text NOT NULL,
    entity text NOT NULL,
    mapping_version text NOT NULL DEFAULT '',
    listed_at timestamptz,                -- when its first complete listing was linked
    UNIQUE (system, name)
);
COMMENT ON COLUMN stream.listed_at IS 'Nothing is created in a system before the first complete listing of that stream is linked.';

CREATE TABLE cursor_position (
    stream_id smallint PRIMARY KEY REFERENCES stream,
    position json NOT NULL,
    version bigint NOT NULL DEFAULT 1,    -- compare-and-set
    moved_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE lease (
    name text PRIMARY KEY,
    token bigint NOT NULL,                -- fencing token; grows with every new holder
    holder text NOT NULL,
    until timestamptz NOT NULL
);

CREATE TABLE run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    system text NOT NULL DEFAULT '',
    detail text NOT NULL DEFAULT '',
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'done', 'failed', 'busy', 'differs', 'set_aside')),
    counts jsonb NOT NULL DEFAULT '{}',
    error text
);
CREATE INDEX run_recent ON run (started_at DESC);

CREATE TABLE flow_mode (
    entity text NOT NULL,
    system text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('off', 'read', 'plan', 'write')),
    set_by text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (entity, system)
);

-- Observed: what a system last told us ---------------------------------------------------------------------------------
CREATE TABLE observed (
    stream_id smallint NOT NULL,
    key text NOT NULL,
    org text NOT NULL DEFAULT '',
    fingerprint bytea NOT NULL,
    payload json,                         -- null once deleted
    modified text NOT NULL DEFAULT '',
    deleted boolean NOT NULL DEFAULT false,
    version integer NOT NULL DEFAULT 1,
    read_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream_id, key)
);

CREATE TABLE link (
    stream_id smallint NOT NULL,
    key text NOT NULL,
    org text NOT NULL DEFAULT '',
    number text NOT NULL DEFAULT '',
    entity_id uuid NOT NULL,
    role text NOT NULL DEFAULT 'primary' CHECK (role IN ('primary', 'alias', 'gone')),
    how text NOT NULL,                    -- new, hub_key, sure:<kind>, created, import, person:<who>
    linked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream_id, key)
);
CREATE INDEX link_entity ON link (entity_id);
CREATE INDEX link_number ON link (stream_id, number);
CREATE UNIQUE INDEX link_one_primary ON link (stream_id, org, entity_id) WHERE role = 'primary';

CREATE TABLE identity_key (
    entity text NOT NULL,
    kind text NOT NULL,
    value text NOT NULL,
    sure boolean NOT NULL,
    stream_id smallint NOT NULL,
    key text NOT NULL,
    org text NOT NULL DEFAULT '',
    PRIMARY KEY (stream_id, key, kind, value)
);
CREATE INDEX identity_key_value ON identity_key (entity, kind, value);

CREATE TABLE hub_key_alias (
    hub_key text PRIMARY KEY,
    entity text NOT NULL,
    entity_id uuid NOT NULL,
    since timestamptz NOT NULL DEFAULT now()
);

-- Why a value is what it is --------------------------------------------------------------------------------------------
CREATE TABLE history (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT now(),
    entity text NOT NULL,
    entity_id uuid NOT NULL,
    version integer NOT NULL,
    run_id bigint,
    cause text NOT NULL,
    changed json                          -- null: created; else field: [before, after]
) PARTITION BY RANGE (at);
CREATE INDEX history_entity ON history (entity_id, version);
CREATE TABLE history_default PARTITION OF history DEFAULT;

CREATE TABLE personal_value (
    id uuid PRIMARY KEY,
    entity_id uuid NOT NULL,
    value text
);
CREATE INDEX personal_value_of ON personal_value (entity_id);
COMMENT ON TABLE personal_value IS 'Personal values that history refers to; erased here without touching the append-only history.';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER history_append_only BEFORE UPDATE OR DELETE ON history FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE conflict (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity text NOT NULL,
    entity_id uuid NOT NULL,
    field text NOT NULL,
    stream_id smallint NOT NULL,
    key text NOT NULL,
    ours json,                            -- the owner's value, as this system would hold it
    theirs json,                          -- what the other system's user wrote
    rule text NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'repaired', 'left', 'accepted')),
    at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz
);
CREATE INDEX conflict_open ON conflict (entity_id) WHERE state = 'open';

CREATE TABLE review_case (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,                   -- same_record, two_claims, delete
    entity text NOT NULL,
    left_id uuid NOT NULL,
    right_id uuid NOT NULL,
    evidence jsonb NOT NULL DEFAULT '[]',
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'same', 'different')),
    opened_at timestamptz NOT NULL DEFAULT now(),
    decided_at timestamptz,
    decided_by text,
    reason text,
    CHECK (left_id <> right_id)
);
CREATE UNIQUE INDEX review_case_pair ON review_case (entity, least(left_id, right_id), greatest(left_id, right_id)) WHERE state <> 'same';
CREATE INDEX review_case_left ON review_case (left_id) WHERE state = 'open';
CREATE INDEX review_case_right ON review_case (right_id) WHERE state = 'open';

-- Desired: what a system should hold -----------------------------------------------------------------------------------
CREATE TABLE desired (
    stream_id smallint NOT NULL,
    entity_id uuid NOT NULL,
    org text NOT NULL DEFAULT '',
    state text NOT NULL CHECK (state IN ('in_sync', 'due', 'in_flight', 'held', 'blocked', 'left')),
    reason text NOT NULL DEFAULT '',
    detail text NOT NULL DEFAULT '',
    canonical_version integer NOT NULL,
    differs json,                         -- path: [theirs, ours]; null while nothing differs or for a create
    sent bytea,                           -- fingerprint of what was last written
    accepted json,                        -- path: [sent, came back]: counts as equal until either changes
    waits_for uuid,                       -- the missing parent, when held for one
    due_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream_id, entity_id, org)
);
CREATE INDEX desired_open ON desired (stream_id, state, entity_id) WHERE state NOT IN ('in_sync', 'left');
CREATE INDEX desired_waits ON desired (waits_for) WHERE waits_for IS NOT NULL;

CREATE TABLE delivery_attempt (
    id uuid PRIMARY KEY,
    stream_id smallint NOT NULL,
    entity_id uuid NOT NULL,
    org text NOT NULL DEFAULT '',
    hub_key text NOT NULL,
    key text,
    step text NOT NULL,
    fields json,
    fingerprint bytea,
    run_id bigint,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX delivery_attempt_of ON delivery_attempt (entity_id, stream_id, started_at);
CREATE TABLE delivery_receipt (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    attempt_id uuid NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('written', 'unchanged', 'rejected', 'blocked', 'retry', 'uncertain', 'found', 'absent')),
    key text,
    number text NOT NULL DEFAULT '',
    code text NOT NULL DEFAULT '',
    why text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX delivery_receipt_of ON delivery_receipt (attempt_id);
CREATE TRIGGER attempt_append_only BEFORE UPDATE OR DELETE ON delivery_attempt FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER receipt_append_only BEFORE UPDATE OR DELETE ON delivery_receipt FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Records set aside ----------------------------------------------------------------------------------------------------
CREATE TABLE quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream_id smallint NOT NULL,
    key text NOT NULL,
    org text NOT NULL DEFAULT '',
    cause text NOT NULL CHECK (cause IN ('parent', 'value', 'field', 'payload', 'identity', 'rejected', 'delete_guard')),
    waits_for text[] NOT NULL DEFAULT '{}',   -- stream/key of a parent, or value:<map>:<system>:<value>
    why text NOT NULL,
    next_step text NOT NULL DEFAULT '',
    raw text,                             -- only when it could not be stored in observed
    payload json,                         -- a person's mended payload, used in place of the observed one until the system changes it
    attempts integer NOT NULL DEFAULT 1,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'released', 'discarded')),
    first_at timestamptz NOT NULL DEFAULT now(),
    last_at timestamptz NOT NULL DEFAULT now(),
    closed_by text
);
CREATE UNIQUE INDEX quarantine_open ON quarantine (stream_id, key) WHERE state = 'open';
CREATE INDEX quarantine_waits ON quarantine USING gin (waits_for) WHERE state = 'open';

CREATE TABLE value_map (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    system text NOT NULL,
    company text NOT NULL DEFAULT '',     -- empty: every company
    vendor_value text NOT NULL,
    canonical_value text NOT NULL,
    valid_from date NOT NULL DEFAULT '-infinity',
    valid_to date NOT NULL DEFAULT 'infinity',
    note text NOT NULL DEFAULT '',
    edited_by text NOT NULL,
    edited_at timestamptz NOT NULL DEFAULT now(),
    EXCLUDE USING gist (name WITH =, system WITH =, company WITH =, vendor_value WITH =, daterange(valid_from, valid_to, '[]') WITH &&)
);
CREATE TABLE value_map_edit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    by text NOT NULL,
    name text NOT NULL,
    system text NOT NULL,
    company text NOT NULL,
    vendor_value text NOT NULL,
    before text,
    after text
);
CREATE TABLE value_missing (
    name text NOT NULL,
    system text NOT NULL,
    company text NOT NULL DEFAULT '',
    direction text NOT NULL CHECK (direction IN ('in', 'out')),
    value text NOT NULL,
    example_stream smallint,
    example_key text,
    records integer NOT NULL DEFAULT 1,
    first_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, system, company, direction, value)
);

-- Plans ----------------------------------------------------------------------------------------------------------------
CREATE TABLE plan (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,                   -- first_load, reconcile, backfill, repair
    scope jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'approved', 'applied', 'rejected', 'expired')),
    summary jsonb NOT NULL DEFAULT '{}',
    made_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    decided_by text,
    decided_at timestamptz
);
CREATE TABLE plan_row (
    plan_id bigint NOT NULL REFERENCES plan,
    stream_id smallint NOT NULL,
    entity_id uuid NOT NULL,
    org text NOT NULL DEFAULT '',
    action text NOT NULL CHECK (action IN ('create', 'update', 'state', 'delete')),
    changes json,                         -- path: [theirs, ours]
    canonical_version integer NOT NULL,   -- pinned: apply skips what has moved
    observed_version integer NOT NULL DEFAULT 0,
    outcome text NOT NULL DEFAULT '' ,    -- '', applied, moved
    PRIMARY KEY (plan_id, stream_id, entity_id, org)
);

-- Work windows, budgets, secrets that workers share -------------------------------------------------------------------
CREATE TABLE backfill_window (
    backfill text NOT NULL,
    stream_id smallint NOT NULL,
    starts timestamptz NOT NULL,
    ends timestamptz NOT NULL,
    org text NOT NULL DEFAULT '',
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done')),
    records integer NOT NULL DEFAULT 0,
    done_at timestamptz,
    PRIMARY KEY (backfill, stream_id, starts, org)
);
CREATE TABLE budget (
    system text NOT NULL,
    window_name text NOT NULL,            -- second, minute, day, month
    share text NOT NULL DEFAULT '',       -- empty: all callers
    starts_at timestamptz NOT NULL,
    used integer NOT NULL DEFAULT 0,
    ceiling integer,                      -- lowered by the vendor's own headers, never raised
    PRIMARY KEY (system, window_name, share)
);
CREATE TABLE system_pause (
    system text PRIMARY KEY,
    until timestamptz NOT NULL,
    why text NOT NULL
);
CREATE TABLE shared_token (
    name text PRIMARY KEY,
    secret bytea NOT NULL,                -- encrypted
    expires_at timestamptz NOT NULL
);

-- Order progress waits here until it is derived ------------------------------------------------------------------------
CREATE TABLE derive_queue (
    entity text NOT NULL,
    entity_id uuid NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (entity, entity_id)
);

-- Events say what to read; they wait here until somebody does --------------------------------------------------------
CREATE TABLE hint (
    stream_id smallint NOT NULL,
    key text NOT NULL,
    deleted boolean NOT NULL DEFAULT false,
    event_id text NOT NULL DEFAULT '',
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (stream_id, key)
);
