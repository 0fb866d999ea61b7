package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"

	"countinghouse/models"
)

// JobKind names the jobs that the store files in the transaction of the change that needs them.
type JobKind string

// The kinds of job. A job is only a wake-up: what is due stands in the tables, and a sweep finds what no job reached.
const (
	JobSend    JobKind = "send"    // id of a transaction
	JobAsk     JobKind = "ask"     // id of a transaction
	JobOperate JobKind = "operate" // id of an attempt: cancel, hold, release

	JobSubAccounts JobKind = "sub-accounts" // id of a credential: read the provider's list, send what waits
	JobBook        JobKind = "book"         // id of an entry in a provider's book

	JobKYB      JobKind = "kyb"       // id of a run: hand documents over
	JobKYBAsk   JobKind = "kyb_ask"   // id of a credential: how its accounts stand
	JobKYBFiles JobKind = "kyb_files" // remove the files whose deletion was agreed
)

// Enqueuer files a job inside a transaction: when the transaction is rolled back there is no job.
type Enqueuer interface {
	Enqueue(ctx context.Context, tx *sql.Tx, kind JobKind, id string, at models.Micros) error
	// Wake tells the workers of this process to look now. It is called after the commit.
	Wake()
}

// Change carries out an approved or rejected change of a noun that is guarded by the approvals engine.
type Change func(tx *Tx, a models.Actor, r *ApprovalRequest, approved bool) error

// UseJobs gives the store the queue. Without one nothing is filed and the sweep does all the work, later.
func (s *Store) UseJobs(e Enqueuer) { s.jobs = e }

// OnApproval registers what an approval of a subject means. It is called while the store is set up, before it is used.
func (s *Store) OnApproval(subject string, f Change) {
	if s.changes == nil {
		s.changes = map[string]Change{}
	}
	s.changes[subject] = f
}

func (tx *Tx) enqueue(kind JobKind, id string, at models.Micros) error {
	if tx.Store.jobs == nil {
		return nil
	}
	tx.AfterCommit(tx.Store.jobs.Wake)
	return tx.Store.jobs.Enqueue(tx.ctx, tx.sql, kind, id, at)
}

// digestOf is the SHA-256 of b as lower-case hex.
func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
