-- In which sub-account a person works, by environment; and lists, counts and sums of one sub-account, found like those of all.

-- +goose Up
CREATE TABLE working_sub_accounts (
    user_id        TEXT   NOT NULL REFERENCES users (id),
    environment    TEXT   NOT NULL,
    sub_account_id TEXT   NOT NULL REFERENCES sub_accounts (id),
    chosen_us      BIGINT NOT NULL,
    PRIMARY KEY (user_id, environment)
);
CREATE INDEX transactions_sub ON transactions (environment, sub_account, created_us DESC, id DESC) WHERE sub_account <> '';
CREATE INDEX transactions_sub_state ON transactions (environment, sub_account, state, created_us DESC, id DESC) WHERE sub_account <> '';
CREATE INDEX transactions_sub_combo ON transactions (environment, sub_account, provider, credential_id, kind, state, asset, created_us DESC, id DESC)
    WHERE sub_account <> '';

-- transaction_totals again, of the transactions that belong to a sub-account.
CREATE TABLE sub_account_totals (
    environment   TEXT   NOT NULL,
    sub_account   TEXT   NOT NULL,
    day           BIGINT NOT NULL,
    provider      TEXT   NOT NULL,
    credential_id TEXT   NOT NULL,
    kind          TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    asset         TEXT   NOT NULL,
    n             BIGINT NOT NULL,
    minor         BIGINT NOT NULL,
    PRIMARY KEY (environment, sub_account, day, provider, credential_id, kind, state, asset)
);

-- +goose Down
DROP TABLE sub_account_totals;
DROP INDEX transactions_sub_combo;
DROP INDEX transactions_sub_state;
DROP INDEX transactions_sub;
DROP TABLE working_sub_accounts;
