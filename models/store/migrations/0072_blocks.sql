-- +goose Up
-- The totals of lists by blocks of 8 and of 64 days beside those of single days: a year is added up from some thirty rows.
INSERT INTO transaction_totals (environment, day, provider, credential_id, kind, state, asset, n, minor)
	SELECT environment, 1000000 + day / 8, provider, credential_id, kind, state, asset, SUM(n), SUM(minor) FROM transaction_totals WHERE day >= 0 AND day < 1000000
	GROUP BY environment, 1000000 + day / 8, provider, credential_id, kind, state, asset;
INSERT INTO transaction_totals (environment, day, provider, credential_id, kind, state, asset, n, minor)
	SELECT environment, 2000000 + day / 64, provider, credential_id, kind, state, asset, SUM(n), SUM(minor) FROM transaction_totals WHERE day >= 0 AND day < 1000000
	GROUP BY environment, 2000000 + day / 64, provider, credential_id, kind, state, asset;
INSERT INTO sub_account_totals (environment, sub_account, day, provider, credential_id, kind, state, asset, n, minor)
	SELECT environment, sub_account, 1000000 + day / 8, provider, credential_id, kind, state, asset, SUM(n), SUM(minor) FROM sub_account_totals WHERE day >= 0 AND day < 1000000
	GROUP BY environment, sub_account, 1000000 + day / 8, provider, credential_id, kind, state, asset;
INSERT INTO sub_account_totals (environment, sub_account, day, provider, credential_id, kind, state, asset, n, minor)
	SELECT environment, sub_account, 2000000 + day / 64, provider, credential_id, kind, state, asset, SUM(n), SUM(minor) FROM sub_account_totals WHERE day >= 0 AND day < 1000000
	GROUP BY environment, sub_account, 2000000 + day / 64, provider, credential_id, kind, state, asset;

-- +goose Down
DELETE FROM sub_account_totals WHERE day >= 1000000;
DELETE FROM transaction_totals WHERE day >= 1000000;
