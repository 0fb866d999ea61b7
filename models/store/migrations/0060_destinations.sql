-- Destinations: where money may go. What is sensitive is sealed; equal places are found by keyed fingerprints.

-- +goose Up
CREATE TABLE destinations (
    id                 TEXT   NOT NULL PRIMARY KEY,
    environment        TEXT   NOT NULL,
    kind               TEXT   NOT NULL,
    form               TEXT   NOT NULL,
    provider           TEXT   NOT NULL,
    method             TEXT   NOT NULL,
    book               TEXT   NOT NULL,
    entry_field        TEXT   NOT NULL,
    payment_fields     TEXT   NOT NULL, -- names, separated by commas
    country            TEXT   NOT NULL,
    network            TEXT   NOT NULL,
    currency           TEXT   NOT NULL,
    title              TEXT   NOT NULL,
    name               TEXT   NOT NULL,
    owner              TEXT   NOT NULL,
    masked             TEXT   NOT NULL,
    purpose            TEXT   NOT NULL,
    notes              TEXT   NOT NULL,
    state              TEXT   NOT NULL, -- waiting, approved, rejected, revoked; cooling, usable and superseded follow from the clock
    usable_from_us     BIGINT NOT NULL DEFAULT 0,
    superseded_by      TEXT   NOT NULL DEFAULT '',
    superseded_from_us BIGINT NOT NULL DEFAULT 0,
    replaces_id        TEXT   NOT NULL DEFAULT '',
    import_id          TEXT   NOT NULL DEFAULT '',
    fingerprint        TEXT   NOT NULL, -- keyed, of the place
    pay_print          TEXT   NOT NULL DEFAULT '', -- keyed, of what payouts to it carry as their destination's digest
    digest             TEXT   NOT NULL, -- of everything that an approver agrees to
    values_sealed      BYTEA  NOT NULL,
    created_us         BIGINT NOT NULL,
    created_by         TEXT   NOT NULL,
    created_by_name    TEXT   NOT NULL,
    decided_us         BIGINT NOT NULL DEFAULT 0,
    decided_by_name    TEXT   NOT NULL DEFAULT '',
    ended_us           BIGINT NOT NULL DEFAULT 0,
    ended_by_name      TEXT   NOT NULL DEFAULT '',
    reason             TEXT   NOT NULL DEFAULT '',
    version            BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX destinations_created ON destinations (environment, created_us DESC, id DESC);
CREATE INDEX destinations_state ON destinations (environment, state, created_us DESC, id DESC);
CREATE INDEX destinations_kind ON destinations (environment, kind, created_us DESC, id DESC);
CREATE INDEX destinations_provider ON destinations (environment, provider, created_us DESC, id DESC);
CREATE INDEX destinations_usable ON destinations (environment, state, usable_from_us);
CREATE INDEX destinations_superseded ON destinations (environment, superseded_from_us) WHERE superseded_from_us > 0;
CREATE INDEX destinations_fingerprint ON destinations (environment, fingerprint);
CREATE INDEX destinations_pay ON destinations (environment, pay_print) WHERE pay_print <> '';
CREATE INDEX destinations_form ON destinations (environment, form, state, created_us DESC, id DESC);
CREATE INDEX destinations_replaces ON destinations (replaces_id) WHERE replaces_id <> '';
CREATE INDEX destinations_import ON destinations (import_id) WHERE import_id <> '';

-- The words by which a destination is found: of its name, owner and purpose in clear, whole account numbers as keyed fingerprints.
CREATE TABLE destination_words (
    environment    TEXT NOT NULL,
    word           TEXT NOT NULL,
    destination_id TEXT NOT NULL REFERENCES destinations (id),
    PRIMARY KEY (environment, word, destination_id)
);
CREATE INDEX destination_words_of ON destination_words (destination_id, word);

CREATE TABLE destination_events (
    id             TEXT   NOT NULL PRIMARY KEY,
    destination_id TEXT   NOT NULL REFERENCES destinations (id),
    at_us          BIGINT NOT NULL,
    what           TEXT   NOT NULL,
    actor_name     TEXT   NOT NULL,
    sentence       TEXT   NOT NULL
);
CREATE INDEX destination_events_of ON destination_events (destination_id, id);

-- What providers said when they were asked whose a destination is.
CREATE TABLE destination_checks (
    id             TEXT   NOT NULL PRIMARY KEY,
    destination_id TEXT   NOT NULL REFERENCES destinations (id),
    credential_id  TEXT   NOT NULL,
    at_us          BIGINT NOT NULL,
    by_name        TEXT   NOT NULL,
    verdict        TEXT   NOT NULL,
    name           TEXT   NOT NULL,
    sentence       TEXT   NOT NULL,
    token          TEXT   NOT NULL DEFAULT '' -- while the answer comes by webhook
);
CREATE INDEX destination_checks_of ON destination_checks (destination_id, id);
CREATE INDEX destination_checks_token ON destination_checks (token) WHERE token <> '';

-- The guard over new destinations, one row per environment.
CREATE TABLE destination_guards (
    environment  TEXT   NOT NULL PRIMARY KEY,
    wait_seconds BIGINT NOT NULL,
    next_seconds BIGINT NOT NULL DEFAULT 0,
    next_from_us BIGINT NOT NULL DEFAULT 0,
    off_from_us  BIGINT NOT NULL DEFAULT 0,
    changed_us   BIGINT NOT NULL DEFAULT 0,
    changed_by   TEXT   NOT NULL DEFAULT ''
);
INSERT INTO destination_guards (environment, wait_seconds) VALUES ('sandbox', 86400), ('live', 86400);

-- Credentials for which an admin decided whether a payout may go to something that is no destination. No row: yes in sandbox, no in live.
CREATE TABLE raw_payouts (
    credential_id TEXT    NOT NULL PRIMARY KEY,
    allowed       BOOLEAN NOT NULL,
    changed_us    BIGINT  NOT NULL,
    changed_by    TEXT    NOT NULL
);

-- A file of destinations that was checked and waits to be added by whoever brought it.
CREATE TABLE destination_imports (
    id          TEXT   NOT NULL PRIMARY KEY,
    environment TEXT   NOT NULL,
    user_id     TEXT   NOT NULL,
    file_name   TEXT   NOT NULL,
    good        BIGINT NOT NULL,
    refused     BIGINT NOT NULL,
    rows_sealed BYTEA,
    created_us  BIGINT NOT NULL,
    done_us     BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX transactions_destination ON transactions (destination_id, created_us DESC) WHERE destination_id <> '';

-- +goose Down
DROP INDEX transactions_destination;
DROP TABLE destination_imports;
DROP TABLE raw_payouts;
DROP TABLE destination_guards;
DROP TABLE destination_checks;
DROP TABLE destination_events;
DROP TABLE destination_words;
DROP TABLE destinations;
