-- Passkeys: the public halves of key pairs on people's devices, and the ceremonies that were begun with them and not yet answered.

-- +goose Up
CREATE TABLE passkeys (
    id            TEXT   NOT NULL PRIMARY KEY,
    user_id       TEXT   NOT NULL REFERENCES users (id),
    credential_id TEXT   NOT NULL, -- base64url of what the device calls it
    name          TEXT   NOT NULL,
    sealed        BYTEA  NOT NULL, -- the whole record as the library keeps it, sealed by the vault
    sign_count    BIGINT NOT NULL, -- the device's counter when it was last used; 0 where it has none
    created_us    BIGINT NOT NULL,
    used_us       BIGINT NOT NULL,
    blocked_us    BIGINT NOT NULL  -- its counter went back: a copy may exist, and it opens nothing any more
);
CREATE UNIQUE INDEX passkeys_credential ON passkeys (credential_id);
CREATE INDEX passkeys_user ON passkeys (user_id, created_us);

CREATE TABLE passkey_ceremonies (
    token_hash TEXT   NOT NULL PRIMARY KEY,
    kind       TEXT   NOT NULL, -- register, sign-in, step-up
    user_id    TEXT   NOT NULL, -- empty for sign-in
    session_id TEXT   NOT NULL,
    ip         TEXT   NOT NULL,
    data       TEXT   NOT NULL, -- JSON of the library's session data, challenge included
    expires_us BIGINT NOT NULL
);
CREATE INDEX passkey_ceremonies_ip ON passkey_ceremonies (ip, expires_us);
CREATE INDEX passkey_ceremonies_expires ON passkey_ceremonies (expires_us);

-- +goose Down
DROP TABLE passkey_ceremonies;
DROP TABLE passkeys;
