-- Exchanges that evidence rests on are never forgotten, so it must be quick to see that one is.

-- +goose Up
CREATE INDEX evidence_exchange ON evidence (exchange_id) WHERE exchange_id <> '';
CREATE INDEX contract_evidence_exchange ON contract_evidence (exchange_id) WHERE exchange_id <> '';
DROP INDEX exchanges_started;
CREATE INDEX exchanges_started ON exchanges (started_us, id);

-- +goose Down
DROP INDEX exchanges_started;
CREATE INDEX exchanges_started ON exchanges (started_us);
DROP INDEX contract_evidence_exchange;
DROP INDEX evidence_exchange;
