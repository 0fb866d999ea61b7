-- Address rules get an end, a last hit and, for what providers know of us, the list they belong to and how far telling has come. What the rules
-- keep out is counted per address, and what exchanges show about the address we call from is kept per provider list.

-- +goose Up
ALTER TABLE ip_rules ADD COLUMN list TEXT NOT NULL DEFAULT '';          -- egress: which of the provider's lists
ALTER TABLE ip_rules ADD COLUMN expires_us BIGINT NOT NULL DEFAULT 0;   -- lets nobody in from then on; 0: no end
ALTER TABLE ip_rules ADD COLUMN hit_us BIGINT NOT NULL DEFAULT 0;       -- when it last let somebody in
ALTER TABLE ip_rules ADD COLUMN told TEXT NOT NULL DEFAULT '';          -- egress: to_send, sent, confirmed, refused
ALTER TABLE ip_rules ADD COLUMN told_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE ip_rules ADD COLUMN told_by TEXT NOT NULL DEFAULT '';       -- user id; empty when a call showed it
ALTER TABLE ip_rules ADD COLUMN told_exchange TEXT NOT NULL DEFAULT ''; -- the call that showed it
UPDATE ip_rules SET told = 'to_send' WHERE scope = 'egress';

CREATE TABLE refused_addresses (
    id            TEXT   NOT NULL PRIMARY KEY,
    scope         TEXT   NOT NULL,
    role          TEXT   NOT NULL, -- console: the role whose rules do not hold the address
    credential_id TEXT   NOT NULL, -- webhook
    ip            TEXT   NOT NULL,
    user_id       TEXT   NOT NULL, -- console: who was signed in
    first_us      BIGINT NOT NULL,
    last_us       BIGINT NOT NULL,
    knocks        BIGINT NOT NULL
);
CREATE UNIQUE INDEX refused_addresses_who ON refused_addresses (scope, role, credential_id, ip, user_id);
CREATE INDEX refused_addresses_last ON refused_addresses (scope, last_us);

CREATE TABLE egress_seen (
    credential_id TEXT    NOT NULL REFERENCES credentials (id),
    list          TEXT    NOT NULL,
    refused       BOOLEAN NOT NULL, -- the newest word: the provider does not know the address we call from
    address       TEXT    NOT NULL, -- the newest address that the provider itself named; empty if it never did
    address_us    BIGINT  NOT NULL,
    at_us         BIGINT  NOT NULL,
    exchange_id   TEXT    NOT NULL,
    PRIMARY KEY (credential_id, list)
);

-- +goose Down
DROP TABLE egress_seen;
DROP TABLE refused_addresses;
ALTER TABLE ip_rules DROP COLUMN told_exchange;
ALTER TABLE ip_rules DROP COLUMN told_by;
ALTER TABLE ip_rules DROP COLUMN told_us;
ALTER TABLE ip_rules DROP COLUMN told;
ALTER TABLE ip_rules DROP COLUMN hit_us;
ALTER TABLE ip_rules DROP COLUMN expires_us;
ALTER TABLE ip_rules DROP COLUMN list;
