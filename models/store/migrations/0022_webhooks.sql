-- Inbound calls of providers. The dedupe key makes repeats of one event one row.

-- +goose Up
CREATE TABLE webhook_deliveries (
    id             TEXT   NOT NULL PRIMARY KEY,
    credential_id  TEXT   NOT NULL,
    provider       TEXT   NOT NULL,
    environment    TEXT   NOT NULL,
    topic          TEXT   NOT NULL,
    dedupe         TEXT   NOT NULL,
    received_us    BIGINT NOT NULL,
    state          TEXT   NOT NULL,
    trust          TEXT   NOT NULL,
    tries          BIGINT NOT NULL,
    processed_us   BIGINT NOT NULL,
    repeats        BIGINT NOT NULL,
    repeated_us    BIGINT NOT NULL,
    kind           TEXT   NOT NULL,
    reference      TEXT   NOT NULL,
    provider_ref   TEXT   NOT NULL,
    word           TEXT   NOT NULL,
    event          TEXT   NOT NULL,
    transaction_id TEXT   NOT NULL,
    method         TEXT   NOT NULL,
    from_ip        TEXT   NOT NULL,
    digest         TEXT   NOT NULL,
    size           BIGINT NOT NULL,
    items          TEXT   NOT NULL,
    sentence       TEXT   NOT NULL,
    error          TEXT   NOT NULL,
    path           TEXT   NOT NULL,
    query          TEXT   NOT NULL,
    header         TEXT   NOT NULL,
    body           BYTEA  NOT NULL
);
CREATE UNIQUE INDEX webhook_deliveries_dedupe ON webhook_deliveries (credential_id, topic, dedupe);
CREATE INDEX webhook_deliveries_list ON webhook_deliveries (environment, id);
CREATE INDEX webhook_deliveries_provider ON webhook_deliveries (environment, provider, id);
CREATE INDEX webhook_deliveries_state ON webhook_deliveries (environment, state, id);
CREATE INDEX webhook_deliveries_transaction ON webhook_deliveries (transaction_id, id) WHERE transaction_id <> '';
CREATE INDEX webhook_deliveries_reference ON webhook_deliveries (reference) WHERE reference <> '';
CREATE INDEX webhook_deliveries_provider_ref ON webhook_deliveries (provider_ref) WHERE provider_ref <> '';

-- +goose Down
DROP TABLE webhook_deliveries;
