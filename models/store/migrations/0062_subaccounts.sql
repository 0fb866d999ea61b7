-- Sub-accounts: companies below the merchant's own account, the calls that open them, what the provider's list says, files of many.

-- +goose Up
CREATE TABLE sub_accounts (
    id              TEXT   NOT NULL PRIMARY KEY,
    environment     TEXT   NOT NULL,
    provider        TEXT   NOT NULL,
    credential_id   TEXT   NOT NULL,
    their_id        TEXT   NOT NULL DEFAULT '',
    their_user_id   TEXT   NOT NULL DEFAULT '',
    their_state     TEXT   NOT NULL DEFAULT '',
    their_type      TEXT   NOT NULL DEFAULT '',
    name            TEXT   NOT NULL,
    name_key        TEXT   NOT NULL, -- as names are compared: lower case, single spaces
    company         TEXT   NOT NULL,
    company_key     TEXT   NOT NULL,
    country         TEXT   NOT NULL DEFAULT '',
    type            TEXT   NOT NULL DEFAULT '',
    email           TEXT   NOT NULL DEFAULT '',
    username        TEXT   NOT NULL DEFAULT '',
    username_key    TEXT   NOT NULL DEFAULT '',
    state           TEXT   NOT NULL,
    reason          TEXT   NOT NULL DEFAULT '',
    alert           TEXT   NOT NULL DEFAULT '',
    batch_id        TEXT   NOT NULL DEFAULT '',
    batch_row       BIGINT NOT NULL DEFAULT 0,
    call_id         TEXT   NOT NULL DEFAULT '',
    digest          TEXT   NOT NULL DEFAULT '',
    alone           BIGINT NOT NULL DEFAULT 0,
    tries           BIGINT NOT NULL DEFAULT 0,
    missed          BIGINT NOT NULL DEFAULT 0,
    send_after_us   BIGINT NOT NULL DEFAULT 0,
    sent_us         BIGINT NOT NULL DEFAULT 0,
    answered_us     BIGINT NOT NULL DEFAULT 0,
    opened_us       BIGINT NOT NULL DEFAULT 0,
    listed_us       BIGINT NOT NULL DEFAULT 0,
    created_us      BIGINT NOT NULL,
    created_by      TEXT   NOT NULL DEFAULT '',
    created_by_name TEXT   NOT NULL DEFAULT '',
    updated_us      BIGINT NOT NULL,
    version         BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX sub_accounts_created ON sub_accounts (environment, created_us DESC, id DESC);
CREATE INDEX sub_accounts_state ON sub_accounts (environment, state, created_us DESC, id DESC);
CREATE INDEX sub_accounts_alert ON sub_accounts (environment, created_us DESC, id DESC) WHERE alert <> '';
CREATE INDEX sub_accounts_credential ON sub_accounts (credential_id, state, send_after_us, created_us, id);
CREATE INDEX sub_accounts_company ON sub_accounts (environment, company_key);
CREATE INDEX sub_accounts_name ON sub_accounts (environment, name_key);
CREATE INDEX sub_accounts_username ON sub_accounts (environment, username_key);
CREATE INDEX sub_accounts_batch ON sub_accounts (batch_id, batch_row) WHERE batch_id <> '';
CREATE INDEX sub_accounts_call ON sub_accounts (call_id) WHERE call_id <> '';
CREATE INDEX sub_accounts_waiting ON sub_accounts (send_after_us) WHERE state = 'waiting';
-- One id of theirs is one row of ours; a username is asked for once, unless the provider said that nothing was created.
CREATE UNIQUE INDEX sub_accounts_theirs ON sub_accounts (credential_id, their_id) WHERE their_id <> '';
CREATE UNIQUE INDEX sub_accounts_asked ON sub_accounts (credential_id, username_key)
    WHERE username_key <> '' AND state NOT IN ('refused', 'withdrawn', 'found', 'ignored');

-- One call to a provider that opens sub-accounts. The partial index is the promise that at most one is in flight per credential.
CREATE TABLE sub_account_calls (
    id            TEXT   NOT NULL PRIMARY KEY,
    environment   TEXT   NOT NULL,
    provider      TEXT   NOT NULL,
    credential_id TEXT   NOT NULL,
    operation     TEXT   NOT NULL, -- create, batch
    digest        TEXT   NOT NULL,
    row_count     BIGINT NOT NULL,
    state         TEXT   NOT NULL,
    started_us    BIGINT NOT NULL,
    deadline_us   BIGINT NOT NULL,
    finished_us   BIGINT NOT NULL DEFAULT 0,
    code          TEXT   NOT NULL DEFAULT '',
    message       TEXT   NOT NULL DEFAULT '',
    instance      TEXT   NOT NULL,
    exchange_id   TEXT   NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX sub_account_calls_one_open ON sub_account_calls (credential_id) WHERE state = 'open';
CREATE INDEX sub_account_calls_open ON sub_account_calls (deadline_us) WHERE state = 'open';

CREATE TABLE sub_account_events (
    id             TEXT   NOT NULL PRIMARY KEY,
    sub_account_id TEXT   NOT NULL REFERENCES sub_accounts (id),
    at_us          BIGINT NOT NULL,
    what           TEXT   NOT NULL,
    sentence       TEXT   NOT NULL,
    actor_name     TEXT   NOT NULL DEFAULT '',
    call_id        TEXT   NOT NULL DEFAULT '',
    exchange_id    TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX sub_account_events_of ON sub_account_events (sub_account_id, id);

CREATE TABLE sub_account_notes (
    id             TEXT   NOT NULL PRIMARY KEY,
    sub_account_id TEXT   NOT NULL REFERENCES sub_accounts (id),
    at_us          BIGINT NOT NULL,
    user_id        TEXT   NOT NULL,
    user_name      TEXT   NOT NULL,
    body           TEXT   NOT NULL
);
CREATE INDEX sub_account_notes_of ON sub_account_notes (sub_account_id, id);

-- What is known of a provider's own list, by credential.
CREATE TABLE sub_account_lists (
    credential_id TEXT   NOT NULL PRIMARY KEY,
    read_us       BIGINT NOT NULL DEFAULT 0,
    row_count     BIGINT NOT NULL DEFAULT 0,
    problem       TEXT   NOT NULL DEFAULT '',
    problem_us    BIGINT NOT NULL DEFAULT 0,
    next_us       BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE sub_account_batches (
    id              TEXT   NOT NULL PRIMARY KEY,
    environment     TEXT   NOT NULL,
    provider        TEXT   NOT NULL,
    credential_id   TEXT   NOT NULL,
    file_name       TEXT   NOT NULL,
    file_digest     TEXT   NOT NULL,
    state           TEXT   NOT NULL,
    row_count       BIGINT NOT NULL,
    bad             BIGINT NOT NULL,
    created_us      BIGINT NOT NULL,
    created_by      TEXT   NOT NULL,
    created_by_name TEXT   NOT NULL,
    started_us      BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX sub_account_batches_created ON sub_account_batches (environment, created_us DESC, id DESC);

CREATE TABLE sub_account_batch_rows (
    batch_id       TEXT   NOT NULL REFERENCES sub_account_batches (id),
    row_number     BIGINT NOT NULL,
    name           TEXT   NOT NULL DEFAULT '',
    company        TEXT   NOT NULL DEFAULT '',
    country        TEXT   NOT NULL DEFAULT '',
    type           TEXT   NOT NULL DEFAULT '',
    email          TEXT   NOT NULL DEFAULT '',
    username       TEXT   NOT NULL DEFAULT '',
    problem        TEXT   NOT NULL DEFAULT '',
    sub_account_id TEXT   NOT NULL DEFAULT '',
    PRIMARY KEY (batch_id, row_number)
);

-- +goose Down
DROP TABLE sub_account_batch_rows;
DROP TABLE sub_account_batches;
DROP TABLE sub_account_lists;
DROP TABLE sub_account_notes;
DROP TABLE sub_account_events;
DROP TABLE sub_account_calls;
DROP TABLE sub_accounts;
