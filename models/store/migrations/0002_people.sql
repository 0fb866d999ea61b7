-- People: who may come in, how they prove it, where from, and what waits for a second admin.

-- +goose Up
CREATE TABLE users (
    id              TEXT   NOT NULL PRIMARY KEY,
    email           TEXT   NOT NULL, -- lower case
    name            TEXT   NOT NULL,
    state           TEXT   NOT NULL, -- invited, active, suspended
    password_hash   TEXT   NOT NULL, -- argon2id in PHC form, empty before the first one is set
    totp_sealed     BYTEA,           -- sealed by the vault; null before enrolment and after a reset
    totp_pending    BYTEA,           -- sealed; shown as QR, not yet proved by a code
    totp_last_step  BIGINT NOT NULL, -- the newest 30-second step that was used; no step is used twice
    unproved        TEXT   NOT NULL, -- 'password' or 'factor': was reset by an admin and not yet used with the other one
    created_us      BIGINT NOT NULL,
    updated_us      BIGINT NOT NULL,
    last_sign_in_us BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_email ON users (email);

CREATE TABLE user_roles (
    user_id TEXT NOT NULL REFERENCES users (id),
    role    TEXT NOT NULL,
    PRIMARY KEY (user_id, role)
);

CREATE TABLE recovery_codes (
    user_id TEXT   NOT NULL REFERENCES users (id),
    hash    TEXT   NOT NULL,
    used_us BIGINT NOT NULL,
    PRIMARY KEY (user_id, hash)
);

CREATE TABLE sessions (
    id          TEXT   NOT NULL PRIMARY KEY,
    token_hash  TEXT   NOT NULL, -- SHA-256 of the cookie's token, which is nowhere
    user_id     TEXT   NOT NULL REFERENCES users (id),
    stage       TEXT   NOT NULL, -- second (password shown), enrol, full
    environment TEXT   NOT NULL,
    created_us  BIGINT NOT NULL,
    seen_us     BIGINT NOT NULL,
    expires_us  BIGINT NOT NULL, -- whatever happens
    step_up_us  BIGINT NOT NULL,
    ended_us    BIGINT NOT NULL,
    ended_why   TEXT   NOT NULL,
    ip          TEXT   NOT NULL,
    agent       TEXT   NOT NULL,
    data        TEXT   NOT NULL  -- JSON of gorilla/sessions values: the notice to show next
);
CREATE UNIQUE INDEX sessions_token ON sessions (token_hash);
CREATE INDEX sessions_user ON sessions (user_id, created_us);

CREATE TABLE links (
    id         TEXT   NOT NULL PRIMARY KEY,
    kind       TEXT   NOT NULL, -- setup, invite, password, factor, demo
    token_hash TEXT   NOT NULL,
    user_id    TEXT   NOT NULL, -- empty for setup
    created_us BIGINT NOT NULL,
    created_by TEXT   NOT NULL,
    expires_us BIGINT NOT NULL,
    used_us    BIGINT NOT NULL
);
CREATE UNIQUE INDEX links_token ON links (token_hash);
CREATE INDEX links_user ON links (user_id, kind);

CREATE TABLE throttles (
    scope      TEXT   NOT NULL, -- sign-in, factor, link
    subject    TEXT   NOT NULL, -- digest of the account, or the address
    failures   BIGINT NOT NULL,
    since_us   BIGINT NOT NULL,
    blocked_us BIGINT NOT NULL, -- until then
    PRIMARY KEY (scope, subject)
);

CREATE TABLE sign_ins (
    id      TEXT   NOT NULL PRIMARY KEY,
    at_us   BIGINT NOT NULL,
    user_id TEXT   NOT NULL, -- empty for an unknown address; what was typed is not kept, it could be a password
    outcome TEXT   NOT NULL,
    ip      TEXT   NOT NULL,
    agent   TEXT   NOT NULL
);
CREATE INDEX sign_ins_user ON sign_ins (user_id, id);

CREATE TABLE ip_rules (
    id            TEXT   NOT NULL PRIMARY KEY,
    scope         TEXT   NOT NULL, -- console, api, webhook, egress
    role          TEXT   NOT NULL, -- console: empty means everybody
    credential_id TEXT   NOT NULL, -- webhook and egress
    cidr          TEXT   NOT NULL,
    note          TEXT   NOT NULL,
    created_us    BIGINT NOT NULL,
    created_by    TEXT   NOT NULL,
    removed_us    BIGINT NOT NULL
);
CREATE INDEX ip_rules_scope ON ip_rules (scope, removed_us);

CREATE TABLE changes (
    id          TEXT   NOT NULL PRIMARY KEY,
    kind        TEXT   NOT NULL,
    subject     TEXT   NOT NULL,
    sentence    TEXT   NOT NULL,
    payload     TEXT   NOT NULL, -- JSON
    digest      TEXT   NOT NULL, -- SHA-256 of kind, subject and payload: an approval is for exactly this
    state       TEXT   NOT NULL, -- pending, applied, rejected, withdrawn, expired
    asked_us    BIGINT NOT NULL,
    asked_by    TEXT   NOT NULL,
    expires_us  BIGINT NOT NULL,
    decided_us  BIGINT NOT NULL,
    decided_by  TEXT   NOT NULL,
    reason      TEXT   NOT NULL
);
CREATE INDEX changes_state ON changes (state, asked_us);

-- +goose Down
DROP TABLE changes;
DROP TABLE ip_rules;
DROP TABLE sign_ins;
DROP TABLE throttles;
DROP TABLE links;
DROP TABLE sessions;
DROP TABLE recovery_codes;
DROP TABLE user_roles;
DROP TABLE users;
