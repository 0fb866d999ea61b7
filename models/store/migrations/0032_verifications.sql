-- Recipient verifications whose answer comes by webhook: bound to an unguessable token.

-- +goose Up
CREATE TABLE verifications (
    token         TEXT   NOT NULL PRIMARY KEY,
    credential_id TEXT   NOT NULL,
    user_id       TEXT   NOT NULL,
    created_us    BIGINT NOT NULL,
    answered_us   BIGINT NOT NULL DEFAULT 0,
    verdict       TEXT   NOT NULL DEFAULT '',
    name          TEXT   NOT NULL DEFAULT '',
    sentence      TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX verifications_age ON verifications (created_us);

-- +goose Down
DROP TABLE verifications;
