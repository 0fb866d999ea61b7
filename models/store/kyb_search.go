package store

import (
	"context"
	"database/sql"

	"countinghouse/models"
)

// caseWords writes down by which words a case is found: those of the company's name, and its number in the register.
func (tx *Tx) caseWords(id string, env models.Environment, company, register string) error {
	if err := tx.Exec("DELETE FROM kyb_case_words WHERE case_id = ?", id); err != nil {
		return err
	}
	for _, w := range models.SearchWords(company, register) {
		if err := tx.Exec("INSERT INTO kyb_case_words (environment, word, case_id) VALUES (?,?,?)", env, wordKey(w), id); err != nil {
			return err
		}
	}
	return tx.Exec("UPDATE kyb_cases SET worded = 1 WHERE id = ? AND worded = 0", id)
}

// WordKYB writes the words of cases that were opened before there were any. For tasks; usually there is nothing to do.
func (s *Store) WordKYB(ctx context.Context) (n int, err error) {
	for {
		done := 0
		err := s.Update(ctx, func(tx *Tx) error {
			var list []models.KYBCase
			if err := tx.Each(func(r *sql.Rows) error {
				c, err := scanCase(r)
				list = append(list, c)
				return err
			}, "SELECT "+caseColumns+" FROM kyb_cases WHERE worded = 0 ORDER BY id LIMIT 100"); err != nil {
				return err
			}
			for _, c := range list {
				if err := tx.caseWords(c.ID, c.Environment, c.Company, c.RegNumber); err != nil {
					return err
				}
			}
			done = len(list)
			return nil
		})
		if n += done; err != nil || done == 0 {
			return n, err
		}
	}
}

// caseSearch finds cases whose words begin like all of those that were typed.
func (tx *Tx) caseSearch(env models.Environment, search string) (string, []any, error) {
	where, args, _, err := tx.byWords("kyb_case_words", "case_id", "kyb_cases.id", env, models.SearchWords(search))
	return where, args, err
}
