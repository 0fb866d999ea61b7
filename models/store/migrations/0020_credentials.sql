-- Credentials: one set of keys at one provider in one environment, its sealed secrets, changes that wait for a second admin, and what has
-- been proved or confirmed about the provider's contract with it.

-- +goose Up
CREATE TABLE credentials (
    id             TEXT   NOT NULL PRIMARY KEY,
    provider       TEXT   NOT NULL,
    environment    TEXT   NOT NULL,
    name           TEXT   NOT NULL,
    sub_account    TEXT   NOT NULL,
    note           TEXT   NOT NULL,
    egress_note    TEXT   NOT NULL,
    values_json    TEXT   NOT NULL,
    settings_json  TEXT   NOT NULL,
    state          TEXT   NOT NULL,
    version        BIGINT NOT NULL,
    issued_us      BIGINT NOT NULL,
    rotate_by_us   BIGINT NOT NULL,
    rotate_days    BIGINT NOT NULL,
    tested_us      BIGINT NOT NULL,
    tested         TEXT   NOT NULL,
    test_note      TEXT   NOT NULL,
    skew_secs      BIGINT NOT NULL,
    created_us     BIGINT NOT NULL,
    created_by     TEXT   NOT NULL,
    updated_us     BIGINT NOT NULL
);
CREATE UNIQUE INDEX credentials_name ON credentials (environment, provider, name);

-- Apart from the credential, because every call touches it and nobody who decides about money reads it.
CREATE TABLE credential_use (
    credential_id TEXT   NOT NULL PRIMARY KEY REFERENCES credentials (id),
    used_us       BIGINT NOT NULL,
    ok_us         BIGINT NOT NULL,
    error_us      BIGINT NOT NULL,
    error_text    TEXT   NOT NULL,
    webhook_us    BIGINT NOT NULL
);

CREATE TABLE credential_secrets (
    id            TEXT   NOT NULL PRIMARY KEY,
    credential_id TEXT   NOT NULL REFERENCES credentials (id),
    slot          TEXT   NOT NULL,
    field         TEXT   NOT NULL,
    sealed        BYTEA  NOT NULL,
    last4         TEXT   NOT NULL,
    fingerprint   TEXT   NOT NULL,
    set_us        BIGINT NOT NULL,
    set_by        TEXT   NOT NULL,
    overlap_us    BIGINT NOT NULL,
    tested_us     BIGINT NOT NULL
);
CREATE UNIQUE INDEX credential_secrets_place ON credential_secrets (credential_id, slot, field);

CREATE TABLE credential_changes (
    id            TEXT   NOT NULL PRIMARY KEY,
    credential_id TEXT   NOT NULL REFERENCES credentials (id),
    kind          TEXT   NOT NULL,
    values_json   TEXT   NOT NULL,
    settings_json TEXT   NOT NULL,
    digest        TEXT   NOT NULL,
    reason        TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    asked_us      BIGINT NOT NULL,
    asked_by      TEXT   NOT NULL,
    asked_name    TEXT   NOT NULL,
    decided_us    BIGINT NOT NULL,
    decided_by    TEXT   NOT NULL,
    decided_name  TEXT   NOT NULL,
    note          TEXT   NOT NULL
);
CREATE INDEX credential_changes_credential ON credential_changes (credential_id, id);
CREATE UNIQUE INDEX credential_changes_one_waiting ON credential_changes (credential_id) WHERE state = 'waiting';

CREATE TABLE contract_evidence (
    id            TEXT   NOT NULL PRIMARY KEY,
    credential_id TEXT   NOT NULL REFERENCES credentials (id),
    item          TEXT   NOT NULL,
    verdict       TEXT   NOT NULL,
    exchange_id   TEXT   NOT NULL,
    delivery_id   TEXT   NOT NULL,
    sentence      TEXT   NOT NULL,
    basis         TEXT   NOT NULL,
    at_us         BIGINT NOT NULL,
    by_name       TEXT   NOT NULL
);
CREATE INDEX contract_evidence_item ON contract_evidence (credential_id, item, id);

CREATE TABLE contract_confirmations (
    credential_id TEXT   NOT NULL REFERENCES credentials (id),
    item          TEXT   NOT NULL,
    user_id       TEXT   NOT NULL,
    user_name     TEXT   NOT NULL,
    reason        TEXT   NOT NULL,
    basis         TEXT   NOT NULL,
    at_us         BIGINT NOT NULL,
    PRIMARY KEY (credential_id, item, user_id)
);

-- +goose Down
DROP TABLE contract_confirmations;
DROP TABLE contract_evidence;
DROP TABLE credential_changes;
DROP TABLE credential_secrets;
DROP TABLE credential_use;
DROP TABLE credentials;
