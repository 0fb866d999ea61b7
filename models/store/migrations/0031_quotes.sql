-- Quotes that people were shown, so that a confirmation takes exactly the one on their screen.

-- +goose Up
CREATE TABLE quotes (
    id            TEXT   NOT NULL PRIMARY KEY,
    credential_id TEXT   NOT NULL,
    user_id       TEXT   NOT NULL,
    asset         TEXT   NOT NULL,
    minor         BIGINT NOT NULL,
    buy           TEXT   NOT NULL,
    quote_json    TEXT   NOT NULL,
    expires_us    BIGINT NOT NULL,
    created_us    BIGINT NOT NULL
);
CREATE INDEX quotes_expiry ON quotes (expires_us);

-- +goose Down
DROP TABLE quotes;
