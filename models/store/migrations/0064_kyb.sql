-- KYB: companies, their documents and versions, the accounts that the documents are for, and what was handed over to whom.

-- +goose Up
CREATE TABLE kyb_cases (
    id              TEXT   NOT NULL PRIMARY KEY,
    environment     TEXT   NOT NULL,
    company         TEXT   NOT NULL,
    company_fold    TEXT   NOT NULL,
    country         TEXT   NOT NULL,
    company_type    TEXT   NOT NULL,
    reg_number      TEXT   NOT NULL,
    note            TEXT   NOT NULL,
    state           TEXT   NOT NULL,
    documents       BIGINT NOT NULL,
    missing         BIGINT NOT NULL,
    questions       BIGINT NOT NULL,
    next_day        TEXT   NOT NULL,
    next_what       TEXT   NOT NULL,
    created_us      BIGINT NOT NULL,
    created_by      TEXT   NOT NULL,
    created_by_name TEXT   NOT NULL,
    updated_us      BIGINT NOT NULL,
    version         BIGINT NOT NULL
);
CREATE INDEX kyb_cases_all ON kyb_cases (environment, created_us DESC, id DESC);
CREATE INDEX kyb_cases_state ON kyb_cases (environment, state, created_us DESC, id DESC);
CREATE INDEX kyb_cases_next ON kyb_cases (environment, next_day);
CREATE UNIQUE INDEX kyb_cases_name ON kyb_cases (environment, company_fold, country);
CREATE INDEX kyb_cases_questions ON kyb_cases (environment, created_us) WHERE questions > 0;

CREATE TABLE kyb_links (
    id             TEXT   NOT NULL PRIMARY KEY,
    case_id        TEXT   NOT NULL REFERENCES kyb_cases (id),
    environment    TEXT   NOT NULL,
    provider       TEXT   NOT NULL,
    credential_id  TEXT   NOT NULL REFERENCES credentials (id),
    account        TEXT   NOT NULL,
    sub_account_id TEXT   NOT NULL,
    standing       TEXT   NOT NULL,
    word           TEXT   NOT NULL,
    word_note      TEXT   NOT NULL,
    word_us        BIGINT NOT NULL,
    opened_us      BIGINT NOT NULL,
    created_by     TEXT   NOT NULL,
    UNIQUE (credential_id, account)
);
CREATE INDEX kyb_links_case ON kyb_links (case_id);

CREATE TABLE kyb_documents (
    id          TEXT   NOT NULL PRIMARY KEY,
    case_id     TEXT   NOT NULL REFERENCES kyb_cases (id),
    environment TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    holder      TEXT   NOT NULL,
    issuer      TEXT   NOT NULL,
    number_end  TEXT   NOT NULL,
    number      BYTEA,
    issued_on   TEXT   NOT NULL,
    expires_on  TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    versions    BIGINT NOT NULL,
    current_id  TEXT   NOT NULL,
    created_us  BIGINT NOT NULL,
    updated_us  BIGINT NOT NULL,
    version     BIGINT NOT NULL
);
CREATE INDEX kyb_documents_case ON kyb_documents (case_id, created_us, id);
CREATE INDEX kyb_documents_all ON kyb_documents (environment, created_us DESC, id DESC);
CREATE INDEX kyb_documents_kind ON kyb_documents (environment, kind, created_us DESC, id DESC);
CREATE INDEX kyb_documents_end ON kyb_documents (environment, expires_on) WHERE state = 'kept' AND expires_on <> '';

CREATE TABLE kyb_versions (
    id            TEXT   NOT NULL PRIMARY KEY,
    document_id   TEXT   NOT NULL REFERENCES kyb_documents (id),
    case_id       TEXT   NOT NULL,
    number        BIGINT NOT NULL,
    file_key      TEXT   NOT NULL,
    name          TEXT   NOT NULL,
    mime          TEXT   NOT NULL,
    size          BIGINT NOT NULL,
    sha256        TEXT   NOT NULL,
    scan          TEXT   NOT NULL,
    scan_note     TEXT   NOT NULL,
    findings      TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    uploaded_us   BIGINT NOT NULL,
    uploaded_by   TEXT   NOT NULL,
    uploaded_name TEXT   NOT NULL,
    deleted_us    BIGINT NOT NULL,
    deleted_why   TEXT   NOT NULL,
    UNIQUE (document_id, number)
);
CREATE INDEX kyb_versions_case ON kyb_versions (case_id, sha256);
CREATE INDEX kyb_versions_deleting ON kyb_versions (deleted_us) WHERE state = 'deleting';
CREATE INDEX kyb_versions_key ON kyb_versions (file_key);

-- What ends and what falls due, by day. Written anew with every change of a case; it does not depend on today.
CREATE TABLE kyb_deadlines (
    case_id     TEXT   NOT NULL REFERENCES kyb_cases (id),
    seq         BIGINT NOT NULL,
    environment TEXT   NOT NULL,
    day         TEXT   NOT NULL,
    what        TEXT   NOT NULL,
    document_id TEXT   NOT NULL,
    link_id     TEXT   NOT NULL,
    provider    TEXT   NOT NULL,
    account     TEXT   NOT NULL,
    requirement TEXT   NOT NULL,
    sentence    TEXT   NOT NULL,
    PRIMARY KEY (case_id, seq)
);
CREATE INDEX kyb_deadlines_day ON kyb_deadlines (environment, day, case_id, seq);

CREATE TABLE kyb_reminders (
    document_id TEXT   NOT NULL REFERENCES kyb_documents (id),
    expires_on  TEXT   NOT NULL,
    days_before BIGINT NOT NULL,
    at_us       BIGINT NOT NULL,
    PRIMARY KEY (document_id, expires_on, days_before)
);

CREATE TABLE kyb_events (
    id         TEXT   NOT NULL PRIMARY KEY,
    case_id    TEXT   NOT NULL REFERENCES kyb_cases (id),
    at_us      BIGINT NOT NULL,
    what       TEXT   NOT NULL,
    sentence   TEXT   NOT NULL,
    actor_name TEXT   NOT NULL
);
CREATE INDEX kyb_events_case ON kyb_events (case_id, at_us, id);

CREATE TABLE kyb_tasks (
    id            TEXT   NOT NULL PRIMARY KEY,
    case_id       TEXT   NOT NULL REFERENCES kyb_cases (id),
    environment   TEXT   NOT NULL,
    link_id       TEXT   NOT NULL,
    submission_id TEXT   NOT NULL,
    text          TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    created_us    BIGINT NOT NULL,
    answer        TEXT   NOT NULL,
    done_us       BIGINT NOT NULL,
    done_by       TEXT   NOT NULL,
    done_name     TEXT   NOT NULL
);
CREATE INDEX kyb_tasks_case ON kyb_tasks (case_id, created_us);

-- +goose Down
DROP TABLE kyb_tasks;
DROP TABLE kyb_events;
DROP TABLE kyb_reminders;
DROP TABLE kyb_deadlines;
DROP TABLE kyb_versions;
DROP TABLE kyb_documents;
DROP TABLE kyb_links;
DROP TABLE kyb_cases;
