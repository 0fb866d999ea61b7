-- Books: the lists that providers keep of where they may pay to, our entries in them, every write to them, and what was last read.

-- +goose Up
CREATE TABLE book_entries (
    id             TEXT    NOT NULL PRIMARY KEY,
    destination_id TEXT    NOT NULL REFERENCES destinations (id),
    credential_id  TEXT    NOT NULL,
    provider       TEXT    NOT NULL,
    environment    TEXT    NOT NULL,
    book           TEXT    NOT NULL,
    entry_id       TEXT    NOT NULL DEFAULT '', -- theirs
    state          TEXT    NOT NULL,
    operation      TEXT    NOT NULL DEFAULT '',
    usable         BOOLEAN NOT NULL DEFAULT FALSE,
    word           TEXT    NOT NULL DEFAULT '',
    says           TEXT    NOT NULL DEFAULT '',
    differs        BOOLEAN NOT NULL DEFAULT FALSE,
    problem        BOOLEAN NOT NULL DEFAULT FALSE, -- somebody must look
    due_us         BIGINT  NOT NULL DEFAULT 0,
    looks          BIGINT  NOT NULL DEFAULT 0, -- lists read since the answer was lost
    asked_by       TEXT    NOT NULL DEFAULT '',
    seen_us        BIGINT  NOT NULL DEFAULT 0,
    changed_us     BIGINT  NOT NULL,
    UNIQUE (destination_id, credential_id)
);
CREATE INDEX book_entries_due ON book_entries (due_us) WHERE due_us > 0;
CREATE INDEX book_entries_credential ON book_entries (credential_id, book, entry_id);
CREATE INDEX book_entries_problem ON book_entries (environment, changed_us) WHERE problem;

-- One write to a book. It is committed before the first byte leaves; the partial index is the promise that at most one of an entry is open.
CREATE TABLE book_attempts (
    id          TEXT   NOT NULL PRIMARY KEY,
    entry_id    TEXT   NOT NULL REFERENCES book_entries (id),
    number      BIGINT NOT NULL,
    operation   TEXT   NOT NULL,
    reference   TEXT   NOT NULL,
    digest      TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    started_us  BIGINT NOT NULL,
    deadline_us BIGINT NOT NULL,
    finished_us BIGINT NOT NULL DEFAULT 0,
    code        TEXT   NOT NULL DEFAULT '',
    message     TEXT   NOT NULL DEFAULT '',
    by_name     TEXT   NOT NULL DEFAULT '',
    instance    TEXT   NOT NULL,
    exchange_id TEXT   NOT NULL DEFAULT '',
    UNIQUE (entry_id, number)
);
CREATE UNIQUE INDEX book_attempts_one_open ON book_attempts (entry_id) WHERE state = 'open';
CREATE UNIQUE INDEX book_attempts_reference ON book_attempts (reference);
CREATE INDEX book_attempts_open ON book_attempts (deadline_us) WHERE state = 'open';

CREATE TABLE book_lines (
    id            TEXT    NOT NULL PRIMARY KEY,
    credential_id TEXT    NOT NULL,
    provider      TEXT    NOT NULL,
    environment   TEXT    NOT NULL,
    book          TEXT    NOT NULL,
    entry_id      TEXT    NOT NULL,
    word          TEXT    NOT NULL,
    usable        BOOLEAN NOT NULL,
    title         TEXT    NOT NULL,
    owner         TEXT    NOT NULL,
    masked        TEXT    NOT NULL,
    fingerprint   TEXT    NOT NULL,
    theirs_sealed BYTEA   NOT NULL,
    content       TEXT    NOT NULL, -- keyed fingerprint of all values, so that an unchanged line is not written again
    our_entry     TEXT    NOT NULL DEFAULT '',
    differs       BOOLEAN NOT NULL DEFAULT FALSE,
    problem       BOOLEAN NOT NULL DEFAULT FALSE, -- nobody has decided about it
    decision      TEXT    NOT NULL DEFAULT '',
    note          TEXT    NOT NULL DEFAULT '',
    decided_by    TEXT    NOT NULL DEFAULT '',
    first_us      BIGINT  NOT NULL,
    seen_us       BIGINT  NOT NULL,
    gone_us       BIGINT  NOT NULL DEFAULT 0,
    UNIQUE (credential_id, book, entry_id)
);
CREATE INDEX book_lines_problem ON book_lines (environment, first_us) WHERE problem;

CREATE TABLE book_reads (
    credential_id TEXT   NOT NULL,
    book          TEXT   NOT NULL,
    read_us       BIGINT NOT NULL,
    error         TEXT   NOT NULL,
    lines         BIGINT NOT NULL,
    PRIMARY KEY (credential_id, book)
);

-- +goose Down
DROP TABLE book_reads;
DROP TABLE book_lines;
DROP TABLE book_attempts;
DROP TABLE book_entries;
