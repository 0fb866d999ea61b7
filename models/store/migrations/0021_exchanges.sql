-- Every HTTP request to a provider and its answer, redacted before it is stored. Ids are UUIDv7, so they sort by time. The large columns
-- come last: a list never touches the pages they overflow to.

-- +goose Up
CREATE TABLE exchanges (
    id              TEXT    NOT NULL PRIMARY KEY,
    credential_id   TEXT    NOT NULL,
    provider        TEXT    NOT NULL,
    environment     TEXT    NOT NULL,
    subject_kind    TEXT    NOT NULL,
    subject_id      TEXT    NOT NULL,
    attempt_id      TEXT    NOT NULL,
    operation       TEXT    NOT NULL,
    started_us      BIGINT  NOT NULL,
    duration_us     BIGINT  NOT NULL,
    method          TEXT    NOT NULL,
    status          BIGINT  NOT NULL,
    sent            BOOLEAN NOT NULL,
    failed          BOOLEAN NOT NULL,
    body_digest     TEXT    NOT NULL,
    err             TEXT    NOT NULL,
    url             TEXT    NOT NULL,
    request_header  TEXT    NOT NULL,
    response_header TEXT    NOT NULL,
    request_body    BYTEA   NOT NULL,
    response_body   BYTEA   NOT NULL
);
CREATE INDEX exchanges_subject ON exchanges (subject_kind, subject_id, id);
CREATE INDEX exchanges_credential ON exchanges (credential_id, id);
CREATE INDEX exchanges_failed ON exchanges (credential_id, id) WHERE failed;
CREATE INDEX exchanges_started ON exchanges (started_us);

-- +goose Down
DROP TABLE exchanges;
