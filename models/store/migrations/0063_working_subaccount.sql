-- In which sub-account a person works, by environment; and the lists of one sub-account in their order of time.

-- +goose Up
CREATE TABLE working_sub_accounts (
    user_id        TEXT   NOT NULL REFERENCES users (id),
    environment    TEXT   NOT NULL,
    sub_account_id TEXT   NOT NULL REFERENCES sub_accounts (id),
    chosen_us      BIGINT NOT NULL,
    PRIMARY KEY (user_id, environment)
);
CREATE INDEX transactions_sub ON transactions (environment, sub_account, created_us DESC, id DESC) WHERE sub_account <> '';

-- +goose Down
DROP INDEX transactions_sub;
DROP TABLE working_sub_accounts;
