-- Who may do what, kept as it was: one line for every change of a person's name, state, roles or second factor, so that an access review can be
-- made for a past day. For people who were here before this table the first line is their last known change.

-- +goose Up
CREATE TABLE access_history (
    id       TEXT    NOT NULL PRIMARY KEY,
    user_id  TEXT    NOT NULL REFERENCES users (id),
    at_us    BIGINT  NOT NULL,
    name     TEXT    NOT NULL,
    email    TEXT    NOT NULL,
    state    TEXT    NOT NULL,
    roles    TEXT    NOT NULL, -- joined by commas
    factor   BOOLEAN NOT NULL, -- an authenticator app is set up
    passkeys BIGINT  NOT NULL  -- that open something
);
CREATE INDEX access_history_at ON access_history (at_us, id);
INSERT INTO access_history (id, user_id, at_us, name, email, state, roles, factor, passkeys)
    SELECT 'start-' || u.id, u.id, u.updated_us, u.name, u.email, u.state,
        COALESCE((SELECT string_agg(r.role, ',') FROM user_roles r WHERE r.user_id = u.id), ''), u.totp_sealed IS NOT NULL,
        (SELECT COUNT(*) FROM passkeys p WHERE p.user_id = u.id AND p.blocked_us = 0)
    FROM users u;

-- +goose Down
DROP TABLE access_history;
