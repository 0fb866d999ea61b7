-- Filters by amount read the list day by day, newest first: inside a day the rows of a currency lie in the order of their amounts.

-- +goose Up
CREATE INDEX transactions_amount ON transactions (environment, asset, (created_us / 86400000000), minor, created_us, id, kind, state, provider);

-- +goose Down
DROP INDEX transactions_amount;
