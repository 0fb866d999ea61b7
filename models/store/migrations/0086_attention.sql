-- What needs attention is counted from its index alone: its rows lie far apart in the table.

-- +goose Up
DROP INDEX transactions_alert;
CREATE INDEX transactions_alert ON transactions (environment, created_us DESC, id DESC, kind, asset, minor, alert) WHERE alert <> '';

-- +goose Down
DROP INDEX transactions_alert;
CREATE INDEX transactions_alert ON transactions (environment, created_us DESC) WHERE alert <> '';
