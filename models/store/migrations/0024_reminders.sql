-- Which reminders to replace a credential's keys were given, so that each is given once for each set of keys.

-- +goose Up
CREATE TABLE credential_reminders (
    credential_id TEXT   NOT NULL REFERENCES credentials (id),
    rotate_by_us  BIGINT NOT NULL,
    days_before   BIGINT NOT NULL,
    at_us         BIGINT NOT NULL,
    PRIMARY KEY (credential_id, rotate_by_us, days_before)
);

-- +goose Down
DROP TABLE credential_reminders;
