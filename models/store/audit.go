package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"countinghouse/models"
)

// anchorEvery is how many entries lie between two anchors that are made by themselves.
const anchorEvery = 256

// keepJSON is the size up to which the redacted before and after are kept beside their digests.
const keepJSON = 4 << 10

// Audit appends an entry to the chain, in the transaction of the change that it records. before and after are plain structs or maps; fields
// whose names speak of secrets are blotted out before anything is stored or digested. Call it last in a use-case: it takes the lock on the
// chain's head, and others who write wait from here to the commit.
func (tx *Tx) Audit(actor models.Actor, action, noun, id string, before, after any, sentence string) error {
	e := models.AuditEntry{At: tx.Now, ActorID: actor.UserID, ActorName: clean(actor.Name), Task: actor.Task, Session: actor.Sess,
		IP: clean(actor.IP), Action: action, Noun: noun, NounID: clean(id), Sentence: clean(sentence)}
	var err error
	if e.Before, e.BeforeDigest, err = redacted(before); err != nil {
		return fmt.Errorf("audit %s, before: %w", action, err)
	}
	if e.After, e.AfterDigest, err = redacted(after); err != nil {
		return fmt.Errorf("audit %s, after: %w", action, err)
	}
	var prev string
	if err := tx.QueryRow("SELECT seq, hash FROM audit_head WHERE id = 1"+tx.ForUpdate()).Scan(&e.Seq, &prev); err != nil {
		return fmt.Errorf("read the head of the audit chain: %w", err)
	}
	e.Seq++
	e.Hash = chain(prev, e)
	if err := tx.Exec(`INSERT INTO audit_entries (`+auditColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		e.Seq, e.At, e.ActorID, e.ActorName, e.Task, e.Session, e.IP, e.Action, e.Noun, e.NounID, e.Sentence,
		e.BeforeDigest, e.AfterDigest, e.Before, e.After, e.Hash); err != nil {
		return fmt.Errorf("append to the audit chain: %w", err)
	}
	if err := tx.Exec("UPDATE audit_head SET seq = ?, hash = ? WHERE id = 1", e.Seq, e.Hash); err != nil {
		return fmt.Errorf("move the head of the audit chain: %w", err)
	}
	if e.Seq%anchorEvery == 0 {
		return tx.anchor(e.Seq, e.Hash)
	}
	return nil
}

const auditColumns = `seq, at_us, actor_id, actor_name, task, session_id, ip, action, noun, noun_id, sentence,
	before_digest, after_digest, before_json, after_json, hash`

// chain computes an entry's hash from the hash before it and everything that it says.
func chain(prev string, e models.AuditEntry) string {
	sum := sha256.Sum256(e.Link(prev))
	return hex.EncodeToString(sum[:])
}

// redacted gives the JSON of v without secrets, and its digest. Nothing before or after is two empty strings.
func redacted(v any) (text, digest string, err error) {
	if v == nil {
		return "", "", nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return "", "", err
	}
	var tree any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		return "", "", err
	}
	if raw, err = json.Marshal(blot(tree)); err != nil { // map keys come out sorted
		return "", "", err
	}
	sum := sha256.Sum256(raw)
	if text = clean(string(raw)); len(text) > keepJSON {
		text = ""
	}
	return text, hex.EncodeToString(sum[:]), nil
}

// secretWords are the parts of a field name that make its value unfit for the audit trail.
var secretWords = []string{"password", "secret", "token", "private", "passphrase", "otp", "recovery", "apikey", "api_key", "authorization", "cookie"}

func blot(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if secretName(k) {
				v[k] = "…"
			} else {
				v[k] = blot(inner)
			}
		}
	case []any:
		for i := range v {
			v[i] = blot(v[i])
		}
	}
	return v
}

func secretName(k string) bool {
	k = strings.ToLower(k)
	for _, w := range secretWords {
		if strings.Contains(k, w) {
			return true
		}
	}
	return false
}

// clean makes text fit for both databases and for a log line: valid UTF-8 without NUL.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// AuditList gives the trail, newest first.
func (s *Store) AuditList(ctx context.Context, actor models.Actor, f models.AuditFilter) ([]models.AuditEntry, error) {
	if err := actor.Require(models.AuditRead); err != nil {
		return nil, err
	}
	where, args := auditWhere(f)
	limit := min(max(f.Limit, 0), 500)
	if limit == 0 {
		limit = 50
	}
	var list []models.AuditEntry
	err := s.View(ctx, func(q *Tx) error {
		return q.Each(func(r *sql.Rows) error {
			e, err := scanAudit(r)
			list = append(list, e)
			return err
		}, "SELECT "+auditColumns+" FROM audit_entries"+where+" ORDER BY seq DESC LIMIT ?", append(args, limit)...)
	})
	return list, err
}

func auditWhere(f models.AuditFilter) (string, []any) {
	var conds []string
	var args []any
	add := func(cond string, arg any) { conds, args = append(conds, cond), append(args, arg) }
	if f.ActorID != "" {
		add("actor_id = ?", f.ActorID)
	}
	if f.Action != "" {
		add("action = ?", f.Action)
	}
	if f.Noun != "" {
		add("noun = ?", f.Noun)
	}
	if f.NounID != "" {
		add("noun_id = ?", f.NounID)
	}
	if f.From != 0 {
		add("at_us >= ?", f.From)
	}
	if f.To != 0 {
		add("at_us < ?", f.To)
	}
	if f.Before != 0 {
		add("seq < ?", f.Before)
	}
	if len(conds) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(conds, " AND "), args
}

func scanAudit(r *sql.Rows) (e models.AuditEntry, err error) {
	err = r.Scan(&e.Seq, &e.At, &e.ActorID, &e.ActorName, &e.Task, &e.Session, &e.IP, &e.Action, &e.Noun, &e.NounID, &e.Sentence,
		&e.BeforeDigest, &e.AfterDigest, &e.Before, &e.After, &e.Hash)
	return e, err
}
