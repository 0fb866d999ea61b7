-- Transactions of every kind, their attempts, timeline, evidence, approvals, policies, ledger and maintained totals.

-- +goose Up
CREATE TABLE transactions (
    id                 TEXT   NOT NULL PRIMARY KEY,
    environment        TEXT   NOT NULL,
    kind               TEXT   NOT NULL,
    provider           TEXT   NOT NULL,
    credential_id      TEXT   NOT NULL,
    method             TEXT   NOT NULL,
    reference          TEXT   NOT NULL,
    provider_ref       TEXT   NOT NULL DEFAULT '',
    bank_ref           TEXT   NOT NULL DEFAULT '',
    state              TEXT   NOT NULL,
    word               TEXT   NOT NULL DEFAULT '',
    reason_code        TEXT   NOT NULL DEFAULT '',
    reason             TEXT   NOT NULL DEFAULT '',
    asset              TEXT   NOT NULL,
    minor              BIGINT NOT NULL,
    settled_asset      TEXT   NOT NULL DEFAULT '',
    settled_minor      BIGINT NOT NULL DEFAULT 0,
    fee_asset          TEXT   NOT NULL DEFAULT '',
    fee_minor          BIGINT NOT NULL DEFAULT 0,
    counter_asset      TEXT   NOT NULL DEFAULT '',
    counter_minor      BIGINT NOT NULL DEFAULT 0,
    rate               TEXT   NOT NULL DEFAULT '',
    party              TEXT   NOT NULL DEFAULT '',
    destination_id     TEXT   NOT NULL DEFAULT '',
    destination_digest TEXT   NOT NULL DEFAULT '',
    sub_account        TEXT   NOT NULL DEFAULT '',
    batch_id           TEXT   NOT NULL DEFAULT '',
    of_id              TEXT   NOT NULL DEFAULT '',
    digest             TEXT   NOT NULL DEFAULT '',
    credential_version BIGINT NOT NULL DEFAULT 0,
    created_us         BIGINT NOT NULL,
    updated_us         BIGINT NOT NULL,
    created_by         TEXT   NOT NULL DEFAULT '',
    created_by_name    TEXT   NOT NULL DEFAULT '',
    sent_us            BIGINT NOT NULL DEFAULT 0,
    settled_us         BIGINT NOT NULL DEFAULT 0,
    send_after_us      BIGINT NOT NULL DEFAULT 0,
    expires_us         BIGINT NOT NULL DEFAULT 0,
    next_ask_us        BIGINT NOT NULL DEFAULT 0,
    asks               BIGINT NOT NULL DEFAULT 0,
    waits              TEXT   NOT NULL DEFAULT '',
    alert              TEXT   NOT NULL DEFAULT '',
    version            BIGINT NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX transactions_reference ON transactions (reference);
CREATE INDEX transactions_provider_ref ON transactions (provider_ref, provider) WHERE provider_ref <> '';
CREATE INDEX transactions_created ON transactions (environment, created_us DESC, id DESC);
CREATE INDEX transactions_kind ON transactions (environment, kind, created_us DESC, id DESC);
CREATE INDEX transactions_state ON transactions (environment, state, created_us DESC, id DESC);
CREATE INDEX transactions_combo ON transactions (environment, provider, credential_id, kind, state, asset, created_us DESC, id DESC);
CREATE INDEX transactions_ask ON transactions (next_ask_us) WHERE next_ask_us > 0;
CREATE INDEX transactions_send ON transactions (send_after_us) WHERE state IN ('approved', 'scheduled');
CREATE INDEX transactions_expiry ON transactions (expires_us) WHERE expires_us > 0 AND state = 'awaiting_approval';
CREATE INDEX transactions_party ON transactions (destination_digest, created_us DESC) WHERE destination_digest <> '';
CREATE INDEX transactions_alert ON transactions (environment, created_us DESC) WHERE alert <> '';
CREATE INDEX transactions_of ON transactions (of_id) WHERE of_id <> '';
CREATE INDEX transactions_batch ON transactions (batch_id) WHERE batch_id <> '';

CREATE TABLE transaction_details (
    transaction_id TEXT NOT NULL PRIMARY KEY REFERENCES transactions (id),
    values_json    TEXT NOT NULL DEFAULT '{}',
    detail_json    TEXT NOT NULL DEFAULT '{}'
);

-- Counts and sums by every filter that lists offer, kept in the transaction of the change: day is days since 1970 in UTC, -1 is all days.
CREATE TABLE transaction_totals (
    environment   TEXT   NOT NULL,
    day           BIGINT NOT NULL,
    provider      TEXT   NOT NULL,
    credential_id TEXT   NOT NULL,
    kind          TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    asset         TEXT   NOT NULL,
    n             BIGINT NOT NULL,
    minor         BIGINT NOT NULL,
    PRIMARY KEY (environment, day, provider, credential_id, kind, state, asset)
);

-- One try to do something at the provider. The partial index is the promise that at most one is in flight.
CREATE TABLE attempts (
    id             TEXT   NOT NULL PRIMARY KEY,
    transaction_id TEXT   NOT NULL REFERENCES transactions (id),
    number         BIGINT NOT NULL,
    operation      TEXT   NOT NULL,
    reference      TEXT   NOT NULL,
    digest         TEXT   NOT NULL,
    state          TEXT   NOT NULL,
    started_us     BIGINT NOT NULL,
    deadline_us    BIGINT NOT NULL,
    finished_us    BIGINT NOT NULL DEFAULT 0,
    code           TEXT   NOT NULL DEFAULT '',
    message        TEXT   NOT NULL DEFAULT '',
    instance       TEXT   NOT NULL,
    by_name        TEXT   NOT NULL DEFAULT '',
    UNIQUE (transaction_id, number)
);
CREATE UNIQUE INDEX attempts_one_open ON attempts (transaction_id) WHERE state = 'open';
CREATE INDEX attempts_reference ON attempts (reference);
CREATE INDEX attempts_open ON attempts (deadline_us) WHERE state = 'open';

CREATE TABLE events (
    id             TEXT   NOT NULL PRIMARY KEY,
    transaction_id TEXT   NOT NULL REFERENCES transactions (id),
    at_us          BIGINT NOT NULL,
    what           TEXT   NOT NULL,
    from_state     TEXT   NOT NULL DEFAULT '',
    to_state       TEXT   NOT NULL DEFAULT '',
    cause          TEXT   NOT NULL DEFAULT '',
    actor_id       TEXT   NOT NULL DEFAULT '',
    actor_name     TEXT   NOT NULL DEFAULT '',
    sentence       TEXT   NOT NULL,
    figures_json   TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX events_transaction ON events (transaction_id, id);

CREATE TABLE evidence (
    id             TEXT   NOT NULL PRIMARY KEY,
    transaction_id TEXT   NOT NULL REFERENCES transactions (id),
    attempt_id     TEXT   NOT NULL DEFAULT '',
    at_us          BIGINT NOT NULL,
    source         TEXT   NOT NULL,
    result         TEXT   NOT NULL,
    says           TEXT   NOT NULL,
    exchange_id    TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX evidence_transaction ON evidence (transaction_id, id);

CREATE TABLE policies (
    id          TEXT   NOT NULL PRIMARY KEY,
    position    BIGINT NOT NULL,
    name        TEXT   NOT NULL,
    environment TEXT   NOT NULL DEFAULT '',
    kind        TEXT   NOT NULL DEFAULT '',
    provider    TEXT   NOT NULL DEFAULT '',
    asset       TEXT   NOT NULL DEFAULT '',
    min_minor   BIGINT NOT NULL DEFAULT 0,
    max_minor   BIGINT NOT NULL DEFAULT 0,
    day_person  BIGINT NOT NULL DEFAULT 0,
    day_party   BIGINT NOT NULL DEFAULT 0,
    new_party   BIGINT NOT NULL DEFAULT 0,
    approvers   BIGINT NOT NULL,
    role        TEXT   NOT NULL,
    ttl_seconds BIGINT NOT NULL,
    version     BIGINT NOT NULL DEFAULT 1
);
INSERT INTO policies (id, position, name, kind, approvers, role, ttl_seconds) VALUES
    ('own-balances', 10, 'Conversions between own balances', 'conversion', 0, 'finance', 86400),
    ('own-wallets', 20, 'Transfers between own wallets', 'transfer', 1, 'finance', 86400),
    ('refunds', 30, 'Refunds', 'refund', 1, 'finance', 86400),
    ('orders', 40, 'Orders of codes', 'order', 1, 'finance', 86400);
INSERT INTO policies (id, position, name, kind, asset, max_minor, approvers, role, ttl_seconds) VALUES
    ('payout-brl', 50, 'Payouts up to 50,000 BRL', 'payout', 'BRL', 5000000, 1, 'finance', 86400),
    ('payout-usd', 51, 'Payouts up to 10,000 USD', 'payout', 'USD', 1000000, 1, 'finance', 86400),
    ('payout-wusd', 52, 'Payouts up to 10,000 WUSD', 'payout', 'WUSD', 1000000, 1, 'finance', 86400),
    ('payout-clp', 53, 'Payouts up to 10,000,000 CLP', 'payout', 'CLP', 10000000, 1, 'finance', 86400),
    ('payout-mxn', 54, 'Payouts up to 200,000 MXN', 'payout', 'MXN', 20000000, 1, 'finance', 86400),
    ('payout-eur', 56, 'Payouts up to 10,000 EUR', 'payout', 'EUR', 1000000, 1, 'finance', 86400),
    ('payout-jpy', 57, 'Payouts up to 1,500,000 JPY', 'payout', 'JPY', 1500000, 1, 'finance', 86400),
    ('payout-cop', 58, 'Payouts up to 40,000,000 COP', 'payout', 'COP', 4000000000, 1, 'finance', 86400),
    ('payout-ars', 59, 'Payouts up to 10,000,000 ARS', 'payout', 'ARS', 1000000000, 1, 'finance', 86400),
    ('payout-pen', 60, 'Payouts up to 40,000 PEN', 'payout', 'PEN', 4000000, 1, 'finance', 86400),
    ('payout-rub', 61, 'Payouts up to 1,000,000 RUB', 'payout', 'RUB', 100000000, 1, 'finance', 86400),
    ('payout-kes', 55, 'Payouts up to 1,000,000 KES', 'payout', 'KES', 100000000, 1, 'finance', 86400);

CREATE TABLE approval_requests (
    id              TEXT   NOT NULL PRIMARY KEY,
    environment     TEXT   NOT NULL,
    subject         TEXT   NOT NULL, -- transaction, resend, give_up, policy …
    subject_id      TEXT   NOT NULL,
    digest          TEXT   NOT NULL,
    title           TEXT   NOT NULL,
    payload_json    TEXT   NOT NULL DEFAULT '{}', -- what the approver was shown; for changes: what will be written
    policy_id       TEXT   NOT NULL DEFAULT '',
    rule            TEXT   NOT NULL,
    needed          BIGINT NOT NULL,
    role            TEXT   NOT NULL,
    permission      TEXT   NOT NULL,
    state           TEXT   NOT NULL, -- open, approved, rejected, expired, void
    created_us      BIGINT NOT NULL,
    created_by      TEXT   NOT NULL,
    created_by_name TEXT   NOT NULL,
    reason          TEXT   NOT NULL DEFAULT '',
    expires_us      BIGINT NOT NULL,
    decided_us      BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX approval_requests_state ON approval_requests (environment, state, created_us DESC, id DESC);
CREATE INDEX approval_requests_subject ON approval_requests (subject_id, created_us DESC);
CREATE UNIQUE INDEX approval_requests_one_open ON approval_requests (subject, subject_id) WHERE state = 'open';

CREATE TABLE approvals (
    request_id TEXT   NOT NULL REFERENCES approval_requests (id),
    user_id    TEXT   NOT NULL,
    user_name  TEXT   NOT NULL,
    decision   TEXT   NOT NULL, -- approve, reject
    reason     TEXT   NOT NULL DEFAULT '',
    digest     TEXT   NOT NULL,
    at_us      BIGINT NOT NULL,
    PRIMARY KEY (request_id, user_id)
);

CREATE TABLE ledger_entries (
    id             TEXT   NOT NULL PRIMARY KEY,
    transaction_id TEXT   NOT NULL,
    event_id       TEXT   NOT NULL,
    at_us          BIGINT NOT NULL,
    environment    TEXT   NOT NULL,
    credential_id  TEXT   NOT NULL,
    account        TEXT   NOT NULL,
    asset          TEXT   NOT NULL,
    minor          BIGINT NOT NULL
);
CREATE INDEX ledger_entries_transaction ON ledger_entries (transaction_id, id);
CREATE INDEX ledger_entries_account ON ledger_entries (environment, credential_id, account, asset, id);

CREATE TABLE ledger_accounts (
    environment   TEXT   NOT NULL,
    credential_id TEXT   NOT NULL,
    account       TEXT   NOT NULL,
    asset         TEXT   NOT NULL,
    minor         BIGINT NOT NULL,
    PRIMARY KEY (environment, credential_id, account, asset)
);

CREATE TABLE notes (
    id             TEXT   NOT NULL PRIMARY KEY,
    transaction_id TEXT   NOT NULL REFERENCES transactions (id),
    at_us          BIGINT NOT NULL,
    user_id        TEXT   NOT NULL,
    user_name      TEXT   NOT NULL,
    body           TEXT   NOT NULL
);
CREATE INDEX notes_transaction ON notes (transaction_id, id);

-- +goose Down
DROP TABLE notes;
DROP TABLE ledger_accounts;
DROP TABLE ledger_entries;
DROP TABLE approvals;
DROP TABLE approval_requests;
DROP TABLE policies;
DROP TABLE evidence;
DROP TABLE events;
DROP TABLE attempts;
DROP TABLE transaction_totals;
DROP TABLE transaction_details;
DROP TABLE transactions;
