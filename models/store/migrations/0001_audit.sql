-- The audit trail: a hash chain, its head, and signed checkpoints of it.
-- Types that mean the same on both engines: TEXT, BIGINT (also for UTC microseconds), BOOLEAN, BYTEA.

-- +goose Up
CREATE TABLE audit_entries (
    seq           BIGINT NOT NULL PRIMARY KEY,
    at_us         BIGINT NOT NULL,
    actor_id      TEXT   NOT NULL,
    actor_name    TEXT   NOT NULL,
    task          TEXT   NOT NULL,
    session_id    TEXT   NOT NULL,
    ip            TEXT   NOT NULL,
    action        TEXT   NOT NULL,
    noun          TEXT   NOT NULL,
    noun_id       TEXT   NOT NULL,
    sentence      TEXT   NOT NULL,
    before_digest TEXT   NOT NULL,
    after_digest  TEXT   NOT NULL,
    before_json   TEXT   NOT NULL,
    after_json    TEXT   NOT NULL,
    hash          TEXT   NOT NULL
);
CREATE INDEX audit_entries_actor ON audit_entries (actor_id, seq);
CREATE INDEX audit_entries_noun ON audit_entries (noun, noun_id, seq);
CREATE INDEX audit_entries_action ON audit_entries (action, seq);

CREATE TABLE audit_head (
    id   BIGINT NOT NULL PRIMARY KEY,
    seq  BIGINT NOT NULL,
    hash TEXT   NOT NULL
);
INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '');

CREATE TABLE audit_anchors (
    seq       BIGINT NOT NULL PRIMARY KEY,
    hash      TEXT   NOT NULL,
    at_us     BIGINT NOT NULL,
    key_id    TEXT   NOT NULL,
    signature TEXT   NOT NULL
);

-- +goose Down
DROP TABLE audit_anchors;
DROP TABLE audit_head;
DROP TABLE audit_entries;
