-- Codes that an order delivered. They are bearer money: sealed before they come here, opened one at a time for a person with a reason.

-- +goose Up
CREATE TABLE codes (
    id             TEXT   NOT NULL PRIMARY KEY,
    transaction_id TEXT   NOT NULL REFERENCES transactions (id),
    position       BIGINT NOT NULL,
    sku            TEXT   NOT NULL DEFAULT '',
    serial         TEXT   NOT NULL DEFAULT '', -- masked
    last4          TEXT   NOT NULL DEFAULT '',
    expiry         TEXT   NOT NULL DEFAULT '',
    fingerprint    TEXT   NOT NULL,            -- keyed digest, so that a code that is told twice is kept once
    sealed         BYTEA  NOT NULL,
    arrived_us     BIGINT NOT NULL,
    reveals        BIGINT NOT NULL DEFAULT 0,
    revealed_us    BIGINT NOT NULL DEFAULT 0,
    revealed_by    TEXT   NOT NULL DEFAULT '',
    UNIQUE (transaction_id, fingerprint)
);
CREATE INDEX codes_transaction ON codes (transaction_id, position);

-- +goose Down
DROP TABLE codes;
