package store

import (
	"encoding/hex"
	"math"
	"strings"

	"countinghouse/models"
)

// Lists are searched by the beginnings of words, which stand in a table of their own: environment, word, and the id of what they belong to.

const (
	mostWords  = 6   // of a search are looked at
	fewMatches = 400 // rows to which one word may lead for them to be looked up and sorted; a commoner word is looked for while walking the list in order of time, where a page of them is soon found
)

// wordKey writes a word so that beginnings stay beginnings and sort alike in every database: PostgreSQL compares text by the rules of a language.
func wordKey(w string) string { return hex.EncodeToString([]byte(w)) }

// wordEnd is the first key behind all words that begin like this one.
func wordEnd(w string) string { return wordKey(w) + "g" }

// byWords is the condition that every word begins a word of the row: table holds the words, column there the id of the row, id that of the row itself.
// The rarest word leads; one that many share is checked row by row. few: the leading word leaves a small set of ids.
func (tx *Tx) byWords(table, column, id string, env models.Environment, words []string) (where string, args []any, few bool, err error) {
	if len(words) == 0 {
		return " AND 1 = 0", nil, false, nil
	}
	words = words[:min(mostWords, len(words))]
	lead, least := -1, math.MaxInt
	for i, w := range words {
		var n int
		if err := tx.QueryRow("SELECT COUNT(*) FROM (SELECT 1 FROM "+table+" WHERE environment = ? AND word >= ? AND word < ? LIMIT "+limited(fewMatches+1)+") x",
			env, wordKey(w), wordEnd(w)).Scan(&n); err != nil {
			return "", nil, false, err
		}
		if n < least {
			lead, least = i, n
		}
	}
	few = least <= fewMatches
	var b strings.Builder
	for i, w := range words {
		if i == lead && few {
			b.WriteString(" AND " + id + " IN (SELECT " + column + " FROM " + table + " WHERE environment = ? AND word >= ? AND word < ?)")
			args = append(args, env, wordKey(w), wordEnd(w))
			continue
		}
		b.WriteString(" AND EXISTS (SELECT 1 FROM " + table + " w WHERE w." + column + " = " + id + " AND w.word >= ? AND w.word < ?)")
		args = append(args, wordKey(w), wordEnd(w))
	}
	return b.String(), args, few, nil
}
