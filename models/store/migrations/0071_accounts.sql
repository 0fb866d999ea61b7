-- +goose Up
-- The account alone, whatever the country, the network and the way: what the duplicate guard compares across providers.
ALTER TABLE transactions ADD COLUMN account_digest TEXT NOT NULL DEFAULT '';
CREATE INDEX transactions_account ON transactions (account_digest, created_us DESC) WHERE account_digest <> '';

-- +goose Down
DROP INDEX transactions_account;
ALTER TABLE transactions DROP COLUMN account_digest;
