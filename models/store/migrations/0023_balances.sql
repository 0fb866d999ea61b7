-- What providers say they hold for the merchant: the latest figure, its history, and how the last reading went.

-- +goose Up
CREATE TABLE balances (
    credential_id TEXT   NOT NULL REFERENCES credentials (id),
    account       TEXT   NOT NULL,
    asset         TEXT   NOT NULL,
    available     BIGINT NOT NULL,
    total_asset   TEXT   NOT NULL,
    total         BIGINT NOT NULL,
    text          TEXT   NOT NULL,
    mark          TEXT   NOT NULL,
    note          TEXT   NOT NULL,
    read_us       BIGINT NOT NULL,
    PRIMARY KEY (credential_id, account, asset)
);

CREATE TABLE balance_points (
    credential_id TEXT   NOT NULL REFERENCES credentials (id),
    account       TEXT   NOT NULL,
    asset         TEXT   NOT NULL,
    at_us         BIGINT NOT NULL,
    available     BIGINT NOT NULL,
    PRIMARY KEY (credential_id, account, asset, at_us)
);

CREATE TABLE balance_reads (
    credential_id TEXT   NOT NULL PRIMARY KEY REFERENCES credentials (id),
    at_us         BIGINT NOT NULL,
    ok_us         BIGINT NOT NULL,
    error         TEXT   NOT NULL
);

-- +goose Down
DROP TABLE balance_reads;
DROP TABLE balance_points;
DROP TABLE balances;
