-- KYB leaves the house: submissions with the exact set of files, runs that carry many of them, and the calls as they were made.

-- +goose Up
CREATE TABLE kyb_submissions (
    id              TEXT   NOT NULL PRIMARY KEY,
    environment     TEXT   NOT NULL,
    case_id         TEXT   NOT NULL REFERENCES kyb_cases (id),
    link_id         TEXT   NOT NULL REFERENCES kyb_links (id),
    credential_id   TEXT   NOT NULL,
    provider        TEXT   NOT NULL,
    account         TEXT   NOT NULL,
    company         TEXT   NOT NULL,
    state           TEXT   NOT NULL,
    digest          TEXT   NOT NULL,
    files           BIGINT NOT NULL,
    bytes           BIGINT NOT NULL,
    note            TEXT   NOT NULL,
    word_before     TEXT   NOT NULL,
    run_id          TEXT   NOT NULL,
    call_id         TEXT   NOT NULL,
    message         TEXT   NOT NULL,
    created_us      BIGINT NOT NULL,
    created_by      TEXT   NOT NULL,
    created_by_name TEXT   NOT NULL,
    approved_us     BIGINT NOT NULL,
    approved_name   TEXT   NOT NULL,
    sent_us         BIGINT NOT NULL,
    sent_name       TEXT   NOT NULL,
    ended_us        BIGINT NOT NULL,
    next_ask_us     BIGINT NOT NULL,
    asks            BIGINT NOT NULL
);
-- One under way for each account: the guard against handing over twice.
CREATE UNIQUE INDEX kyb_submissions_open ON kyb_submissions (link_id) WHERE state IN ('waiting', 'approved', 'queued', 'sending', 'unknown', 'submitted');
CREATE INDEX kyb_submissions_all ON kyb_submissions (environment, created_us DESC, id DESC);
CREATE INDEX kyb_submissions_state ON kyb_submissions (environment, state, created_us DESC, id DESC);
CREATE INDEX kyb_submissions_case ON kyb_submissions (case_id, created_us DESC, id DESC);
CREATE INDEX kyb_submissions_run ON kyb_submissions (run_id, created_us, id) WHERE run_id <> '';
CREATE INDEX kyb_submissions_call ON kyb_submissions (call_id) WHERE call_id <> '';
CREATE INDEX kyb_submissions_ask ON kyb_submissions (next_ask_us) WHERE next_ask_us > 0;

CREATE TABLE kyb_submission_files (
    submission_id TEXT   NOT NULL REFERENCES kyb_submissions (id),
    position      BIGINT NOT NULL,
    version_id    TEXT   NOT NULL REFERENCES kyb_versions (id),
    document_id   TEXT   NOT NULL,
    kind          TEXT   NOT NULL,
    name          TEXT   NOT NULL,
    mime          TEXT   NOT NULL,
    size          BIGINT NOT NULL,
    sha256        TEXT   NOT NULL,
    PRIMARY KEY (submission_id, position)
);
CREATE INDEX kyb_submission_files_version ON kyb_submission_files (version_id);

CREATE TABLE kyb_runs (
    id            TEXT   NOT NULL PRIMARY KEY,
    environment   TEXT   NOT NULL,
    credential_id TEXT   NOT NULL,
    provider      TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    total         BIGINT NOT NULL,
    done          BIGINT NOT NULL,
    accepted      BIGINT NOT NULL,
    declined      BIGINT NOT NULL,
    unknown       BIGINT NOT NULL,
    not_sent      BIGINT NOT NULL,
    created_us    BIGINT NOT NULL,
    created_by    TEXT   NOT NULL,
    created_name  TEXT   NOT NULL,
    ended_us      BIGINT NOT NULL
);
CREATE INDEX kyb_runs_all ON kyb_runs (environment, created_us DESC, id DESC);
CREATE INDEX kyb_runs_running ON kyb_runs (created_us) WHERE state = 'running';

CREATE TABLE kyb_calls (
    id            TEXT   NOT NULL PRIMARY KEY,
    run_id        TEXT   NOT NULL REFERENCES kyb_runs (id),
    environment   TEXT   NOT NULL,
    credential_id TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    digest        TEXT   NOT NULL,
    companies     BIGINT NOT NULL,
    files         BIGINT NOT NULL,
    bytes         BIGINT NOT NULL,
    instance      TEXT   NOT NULL,
    started_us    BIGINT NOT NULL,
    deadline_us   BIGINT NOT NULL,
    ended_us      BIGINT NOT NULL,
    code          TEXT   NOT NULL,
    message       TEXT   NOT NULL,
    exchange_id   TEXT   NOT NULL
);
-- One in flight for each credential.
CREATE UNIQUE INDEX kyb_calls_open ON kyb_calls (credential_id) WHERE state = 'open';
CREATE INDEX kyb_calls_run ON kyb_calls (run_id, started_us);

-- +goose Down
DROP TABLE kyb_calls;
DROP TABLE kyb_runs;
DROP TABLE kyb_submission_files;
DROP TABLE kyb_submissions;
