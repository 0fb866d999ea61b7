package store

import (
	"context"
	"database/sql"
	"math"
	"strings"

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

// caseSearch finds cases whose words begin like all of those that were typed. The rarest leads; one that many share is looked at case by case.
func (tx *Tx) caseSearch(env models.Environment, search string) (string, []any, error) {
	words := models.SearchWords(search)
	if len(words) == 0 {
		return " AND 1 = 0", nil, nil
	}
	words = words[:min(6, len(words))]
	lead, least := -1, math.MaxInt
	for i, w := range words {
		var n int
		if err := tx.QueryRow("SELECT COUNT(*) FROM (SELECT 1 FROM kyb_case_words WHERE environment = ? AND word >= ? AND word < ? LIMIT ?) x", env, wordKey(w), wordEnd(w), fewMatches+1).Scan(&n); err != nil {
			return "", nil, err
		}
		if n < least {
			lead, least = i, n
		}
	}
	var b strings.Builder
	var args []any
	for i, w := range words {
		if i == lead && least <= fewMatches {
			b.WriteString(" AND id IN (SELECT case_id FROM kyb_case_words WHERE environment = ? AND word >= ? AND word < ?)")
			args = append(args, env, wordKey(w), wordEnd(w))
			continue
		}
		b.WriteString(" AND EXISTS (SELECT 1 FROM kyb_case_words w WHERE w.case_id = kyb_cases.id AND w.word >= ? AND w.word < ?)")
		args = append(args, wordKey(w), wordEnd(w))
	}
	return b.String(), args, nil
}
