-- What the pages need beside the nouns: the list of requests by who made them, and filters that people keep.

-- +goose Up
CREATE INDEX approval_requests_maker ON approval_requests (created_by, environment, created_us DESC, id DESC);

-- A filter of the list of transactions under a name. query is what stands after the question mark of the list's address, so that relative
-- dates stay relative.
CREATE TABLE saved_views (
    id         TEXT   NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES users (id),
    user_name  TEXT   NOT NULL,
    base       TEXT   NOT NULL, -- the list: /transactions, /payouts …
    name       TEXT   NOT NULL,
    query      TEXT   NOT NULL,
    shared     BIGINT NOT NULL,
    created_us BIGINT NOT NULL
);
CREATE INDEX saved_views_user ON saved_views (user_id, created_us);
CREATE INDEX saved_views_shared ON saved_views (created_us) WHERE shared = 1;

-- +goose Down
DROP TABLE saved_views;
DROP INDEX approval_requests_maker;
