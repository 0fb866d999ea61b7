-- +goose Up
-- What has drifted at a credential, one row per kind while it lasts.
CREATE TABLE credential_drift (
    credential_id TEXT    NOT NULL REFERENCES credentials (id),
    kind          TEXT    NOT NULL,
    sentence      TEXT    NOT NULL,
    grave         BOOLEAN NOT NULL,
    since_us      BIGINT  NOT NULL,
    seen_us       BIGINT  NOT NULL,
    PRIMARY KEY (credential_id, kind)
);

-- +goose Down
DROP TABLE credential_drift;
