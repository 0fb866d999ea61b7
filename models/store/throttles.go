package store

import (
	"time"

	"countinghouse/models"
)

// A throttle counts failures of one subject. They are rows, so that every instance over one database agrees.
type throttle struct {
	scope string
	limit int64
	per   time.Duration // failures older than this are forgotten; as long is the block
}

// The throttles. An account bears fewer failures than an address, behind which a whole office may sit.
var (
	throttleAccount = throttle{"sign-in account", 10, 15 * time.Minute}
	throttleAddress = throttle{"sign-in address", 40, 15 * time.Minute}
	throttleFactor  = throttle{"second factor", 5, 15 * time.Minute}
	throttleLink    = throttle{"link address", 20, 15 * time.Minute}
)

// accountKey keeps what somebody typed as an address out of the table: it could be a password.
func accountKey(email string) string { return tokenHash("account " + email)[:32] }

// blocked gives a Throttled error while a subject is blocked. The sentence is the same for known and unknown accounts.
func (tx *Tx) blocked(t throttle, subject string) error {
	var until models.Micros
	err := tx.QueryRow("SELECT blocked_us FROM throttles WHERE scope = ? AND subject = ?", t.scope, subject).Scan(&until)
	if IsNoRow(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if until <= tx.Now {
		return nil
	}
	wait := until.Time().Sub(tx.Now.Time()).Round(time.Second)
	minutes := int(wait/time.Minute) + 1
	return models.Errorf(models.Throttled, "Too many tries. Wait %d minutes and try again.", minutes)
}

// failed counts one failure and blocks the subject when it was one too many.
func (tx *Tx) failed(t throttle, subject string) error {
	var n int64
	var since models.Micros
	err := tx.QueryRow("SELECT failures, since_us FROM throttles WHERE scope = ? AND subject = ?"+tx.ForUpdate(), t.scope, subject).Scan(&n, &since)
	if err != nil && !IsNoRow(err) {
		return err
	}
	if since.Add(t.per) <= tx.Now {
		n, since = 0, tx.Now
	}
	n++
	var until models.Micros
	if n >= t.limit {
		n, until = 0, tx.Now.Add(t.per)
	}
	return tx.Exec(`INSERT INTO throttles (scope, subject, failures, since_us, blocked_us) VALUES (?,?,?,?,?)
		ON CONFLICT (scope, subject) DO UPDATE SET failures = excluded.failures, since_us = excluded.since_us, blocked_us = excluded.blocked_us`,
		t.scope, subject, n, since, until)
}

// forgive forgets the failures after a success.
func (tx *Tx) forgive(t throttle, subject string) error {
	return tx.Exec("DELETE FROM throttles WHERE scope = ? AND subject = ?", t.scope, subject)
}
