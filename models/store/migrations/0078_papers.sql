-- Files that staff keep with a transaction: a payer's receipt, a screenshot of the provider's panel. Their bytes lie sealed in the file store.
-- attempt_id names the dispute that they were put on file for; empty: none yet.

-- +goose Up
CREATE TABLE papers (
    id             TEXT   NOT NULL PRIMARY KEY,
    transaction_id TEXT   NOT NULL,
    environment    TEXT   NOT NULL,
    attempt_id     TEXT   NOT NULL,
    file_key       TEXT   NOT NULL,
    name           TEXT   NOT NULL,
    mime           TEXT   NOT NULL,
    size           BIGINT NOT NULL,
    sha256         TEXT   NOT NULL,
    scan           TEXT   NOT NULL,
    scan_note      TEXT   NOT NULL,
    findings       TEXT   NOT NULL,
    added_us       BIGINT NOT NULL,
    added_by       TEXT   NOT NULL
);
CREATE UNIQUE INDEX papers_transaction ON papers (transaction_id, sha256);
CREATE UNIQUE INDEX papers_key ON papers (file_key);

-- +goose Down
DROP TABLE papers;
