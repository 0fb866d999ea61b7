package store

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"countinghouse/models"
)

// auditSigner holds the key that signs anchors. Without a key no anchors are made: the chain still shows changes, but not a cut tail.
type auditSigner struct {
	key ed25519.PrivateKey
	id  string
}

func newSigner(key ed25519.PrivateKey) auditSigner {
	if len(key) != ed25519.PrivateKeySize {
		return auditSigner{}
	}
	return auditSigner{key: key, id: AuditKeyID(key.Public().(ed25519.PublicKey))}
}

// AuditKeyID names a public key by the start of its SHA-256.
func AuditKeyID(pub ed25519.PublicKey) string {
	sum := sha256.Sum256(pub)
	return hex.EncodeToString(sum[:8])
}

// AuditPublicKey is what an outsider needs to check anchors; nil when the store has no key.
func (s *Store) AuditPublicKey() ed25519.PublicKey {
	if s.signer.key == nil {
		return nil
	}
	return s.signer.key.Public().(ed25519.PublicKey)
}

// sign makes the anchor that says: at that moment the chain ended with this entry.
func (sg auditSigner) sign(seq int64, hash string, at models.Micros) models.AuditAnchor {
	a := models.AuditAnchor{Seq: seq, Hash: hash, At: at, KeyID: sg.id}
	a.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(sg.key, a.Text()))
	return a
}

func (tx *Tx) anchor(seq int64, hash string) error {
	sg := tx.Store.signer
	if sg.key == nil {
		return nil
	}
	a := sg.sign(seq, hash, tx.Now)
	return tx.Exec(`INSERT INTO audit_anchors (seq, hash, at_us, key_id, signature) VALUES (?,?,?,?,?) ON CONFLICT (seq) DO NOTHING`,
		a.Seq, a.Hash, a.At, a.KeyID, a.Signature)
}

// Anchor signs the chain's present end and returns the anchor, to be kept somewhere that this machine cannot write.
func (s *Store) Anchor(ctx context.Context) (models.AuditAnchor, error) {
	if s.signer.key == nil {
		return models.AuditAnchor{}, models.Errorf(models.Unavailable, "There is no audit key, so nothing can be signed.")
	}
	var a models.AuditAnchor
	err := s.Update(ctx, func(tx *Tx) error {
		var seq int64
		var hash string
		if err := tx.QueryRow("SELECT seq, hash FROM audit_head WHERE id = 1"+tx.ForUpdate()).Scan(&seq, &hash); err != nil {
			return err
		}
		if seq == 0 {
			return models.Errorf(models.Conflict, "The audit trail is empty: there is nothing to sign yet.")
		}
		if err := tx.anchor(seq, hash); err != nil {
			return err
		}
		return tx.QueryRow("SELECT seq, hash, at_us, key_id, signature FROM audit_anchors WHERE seq = ?", seq).
			Scan(&a.Seq, &a.Hash, &a.At, &a.KeyID, &a.Signature)
	})
	return a, err
}

// VerifyAudit reads the whole chain and says where it first breaks: an entry changed, missing or out of order, a head that points elsewhere,
// an anchor that the chain contradicts or no longer reaches. outside are anchors kept elsewhere; they count as much as our own.
func (s *Store) VerifyAudit(ctx context.Context, outside ...models.AuditAnchor) (models.AuditReport, error) {
	var rep models.AuditReport
	err := s.View(ctx, func(q *Tx) error {
		anchors, err := q.anchors()
		if err != nil {
			return err
		}
		v := verifier{rep: &rep, want: map[int64][]models.AuditAnchor{}}
		for _, a := range append(anchors, outside...) {
			if why := s.badAnchor(a); why != "" {
				v.fail(a.Seq, why)
			}
			v.want[a.Seq] = append(v.want[a.Seq], a)
		}
		if err := q.Each(v.next, "SELECT "+auditColumns+" FROM audit_entries ORDER BY seq"); err != nil {
			return err
		}
		return v.end(q)
	})
	return rep, err
}

// badAnchor says what is wrong with an anchor itself, or nothing.
func (s *Store) badAnchor(a models.AuditAnchor) string {
	pub := s.AuditPublicKey()
	if pub == nil {
		return "" // nothing to check signatures with: the hash is still compared
	}
	if a.KeyID != AuditKeyID(pub) {
		return fmt.Sprintf("The anchor at entry %d was signed with another key (%s).", a.Seq, a.KeyID)
	}
	sig, err := base64.StdEncoding.DecodeString(a.Signature)
	if err != nil || !ed25519.Verify(pub, a.Text(), sig) {
		return fmt.Sprintf("The anchor at entry %d has a wrong signature.", a.Seq)
	}
	return ""
}

func (tx *Tx) anchors() (list []models.AuditAnchor, err error) {
	err = tx.Each(func(r *sql.Rows) error {
		var a models.AuditAnchor
		list = append(list, a)
		l := &list[len(list)-1]
		return r.Scan(&l.Seq, &l.Hash, &l.At, &l.KeyID, &l.Signature)
	}, "SELECT seq, hash, at_us, key_id, signature FROM audit_anchors ORDER BY seq")
	return list, err
}

// verifier walks the chain. It goes on after the first break only to count.
type verifier struct {
	rep  *models.AuditReport
	want map[int64][]models.AuditAnchor
	prev string
	last int64
}

func (v *verifier) fail(seq int64, why string) {
	if v.rep.Whole() || seq < v.rep.Broken {
		v.rep.Broken, v.rep.Why = seq, why
	}
}

func (v *verifier) next(r *sql.Rows) error {
	e, err := scanAudit(r)
	if err != nil {
		return err
	}
	v.rep.Entries++
	switch {
	case e.Seq != v.last+1:
		v.fail(v.last+1, fmt.Sprintf("Entry %d is missing: entry %d follows entry %d.", v.last+1, e.Seq, v.last))
	case chain(v.prev, e) != e.Hash:
		v.fail(e.Seq, fmt.Sprintf("Entry %d does not fit its hash: it, or the entry before it, was changed.", e.Seq))
	}
	for _, a := range v.want[e.Seq] {
		if a.Hash != e.Hash {
			v.fail(e.Seq, fmt.Sprintf("Entry %d is not the one that the anchor of %s signed: the chain was rewritten.", e.Seq, a.At.Time().Format("2006-01-02 15:04:05 UTC")))
		} else {
			v.rep.Anchors++
		}
	}
	v.prev, v.last = e.Hash, e.Seq
	v.rep.Head = e.Hash
	return nil
}

func (v *verifier) end(q *Tx) error {
	var seq int64
	var hash string
	if err := q.QueryRow("SELECT seq, hash FROM audit_head WHERE id = 1").Scan(&seq, &hash); err != nil {
		return err
	}
	if seq != v.last || hash != v.prev {
		v.fail(v.last+1, fmt.Sprintf("The chain ends at entry %d, but its head says entry %d: the tail was cut.", v.last, seq))
	}
	for at := range v.want {
		if at > v.last {
			v.fail(v.last+1, fmt.Sprintf("The chain ends at entry %d, but an anchor signed entry %d: the tail was cut.", v.last, at))
		}
	}
	return nil
}
