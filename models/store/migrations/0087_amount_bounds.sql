-- The lowest and the highest amount beside each total. A filter by amounts then asks no days of blocks in which nobody has such an amount. They only
-- ever widen: a row that left a combination leaves its amount in there. Everything is counted anew, which takes as long as reading the table once.

-- +goose Up
ALTER TABLE transaction_totals ADD COLUMN low BIGINT NOT NULL DEFAULT 0;
ALTER TABLE transaction_totals ADD COLUMN high BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sub_account_totals ADD COLUMN low BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sub_account_totals ADD COLUMN high BIGINT NOT NULL DEFAULT 0;
DELETE FROM transaction_totals;
INSERT INTO transaction_totals (environment, day, provider, credential_id, kind, state, asset, n, minor, low, high)
	SELECT environment, created_us / 86400000000, provider, credential_id, kind, state, asset, COUNT(*), SUM(minor), MIN(minor), MAX(minor) FROM transactions
	GROUP BY environment, created_us / 86400000000, provider, credential_id, kind, state, asset;
INSERT INTO transaction_totals (environment, day, provider, credential_id, kind, state, asset, n, minor, low, high)
	SELECT environment, 0 * day - 1, provider, credential_id, kind, state, asset, SUM(n), SUM(minor), MIN(low), MAX(high) FROM transaction_totals WHERE day >= 0 AND day < 1000000
	GROUP BY environment, 0 * day - 1, provider, credential_id, kind, state, asset;
INSERT INTO transaction_totals (environment, day, provider, credential_id, kind, state, asset, n, minor, low, high)
	SELECT environment, 1000000 + day / 8, provider, credential_id, kind, state, asset, SUM(n), SUM(minor), MIN(low), MAX(high) FROM transaction_totals WHERE day >= 0 AND day < 1000000
	GROUP BY environment, 1000000 + day / 8, provider, credential_id, kind, state, asset;
INSERT INTO transaction_totals (environment, day, provider, credential_id, kind, state, asset, n, minor, low, high)
	SELECT environment, 2000000 + day / 64, provider, credential_id, kind, state, asset, SUM(n), SUM(minor), MIN(low), MAX(high) FROM transaction_totals WHERE day >= 0 AND day < 1000000
	GROUP BY environment, 2000000 + day / 64, provider, credential_id, kind, state, asset;
DELETE FROM sub_account_totals;
INSERT INTO sub_account_totals (environment, sub_account, day, provider, credential_id, kind, state, asset, n, minor, low, high)
	SELECT environment, sub_account, created_us / 86400000000, provider, credential_id, kind, state, asset, COUNT(*), SUM(minor), MIN(minor), MAX(minor) FROM transactions WHERE sub_account <> ''
	GROUP BY environment, sub_account, created_us / 86400000000, provider, credential_id, kind, state, asset;
INSERT INTO sub_account_totals (environment, sub_account, day, provider, credential_id, kind, state, asset, n, minor, low, high)
	SELECT environment, sub_account, 0 * day - 1, provider, credential_id, kind, state, asset, SUM(n), SUM(minor), MIN(low), MAX(high) FROM sub_account_totals WHERE day >= 0 AND day < 1000000
	GROUP BY environment, sub_account, 0 * day - 1, provider, credential_id, kind, state, asset;
INSERT INTO sub_account_totals (environment, sub_account, day, provider, credential_id, kind, state, asset, n, minor, low, high)
	SELECT environment, sub_account, 1000000 + day / 8, provider, credential_id, kind, state, asset, SUM(n), SUM(minor), MIN(low), MAX(high) FROM sub_account_totals WHERE day >= 0 AND day < 1000000
	GROUP BY environment, sub_account, 1000000 + day / 8, provider, credential_id, kind, state, asset;
INSERT INTO sub_account_totals (environment, sub_account, day, provider, credential_id, kind, state, asset, n, minor, low, high)
	SELECT environment, sub_account, 2000000 + day / 64, provider, credential_id, kind, state, asset, SUM(n), SUM(minor), MIN(low), MAX(high) FROM sub_account_totals WHERE day >= 0 AND day < 1000000
	GROUP BY environment, sub_account, 2000000 + day / 64, provider, credential_id, kind, state, asset;

-- +goose Down
ALTER TABLE sub_account_totals DROP COLUMN high;
ALTER TABLE sub_account_totals DROP COLUMN low;
ALTER TABLE transaction_totals DROP COLUMN high;
ALTER TABLE transaction_totals DROP COLUMN low;
