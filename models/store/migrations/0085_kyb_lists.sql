-- Cases are found by the words of the company's name and by its number in the register, each by its beginning, and the lists of what is missing
-- and what is asked come from indexes of their own: none of it reads more the more cases there are.

-- +goose Up
CREATE TABLE kyb_case_words (
    environment TEXT NOT NULL,
    word        TEXT NOT NULL,
    case_id     TEXT NOT NULL REFERENCES kyb_cases (id),
    PRIMARY KEY (environment, word, case_id)
);
CREATE INDEX kyb_case_words_of ON kyb_case_words (case_id, word);
-- The words of cases from before are written by the program when it has started; 1: they are there.
ALTER TABLE kyb_cases ADD COLUMN worded BIGINT NOT NULL DEFAULT 0;
CREATE INDEX kyb_cases_unworded ON kyb_cases (id) WHERE worded = 0;
DROP INDEX kyb_cases_questions;
CREATE INDEX kyb_cases_asked ON kyb_cases (environment, created_us DESC, id DESC) WHERE questions > 0;
CREATE INDEX kyb_cases_missing ON kyb_cases (environment, created_us DESC, id DESC) WHERE missing > 0;
CREATE INDEX kyb_deadlines_count ON kyb_deadlines (environment, day, what);

-- +goose Down
DROP INDEX kyb_deadlines_count;
DROP INDEX kyb_cases_missing;
DROP INDEX kyb_cases_asked;
CREATE INDEX kyb_cases_questions ON kyb_cases (environment, created_us) WHERE questions > 0;
DROP INDEX kyb_cases_unworded;
ALTER TABLE kyb_cases DROP COLUMN worded;
DROP TABLE kyb_case_words;
