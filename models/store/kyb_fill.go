package store

import (
	"context"
	"fmt"
	"slices"

	"countinghouse/models"
)

// KYBSeed is one company with everything that is known of it, for the demonstration and the benchmark. What it says is written as it is: the
// moments are its own, and nothing is asked for or sent.
type KYBSeed struct {
	Case       models.KYBCase
	Link       models.KYBLink
	SubAccount bool // keep a record of the account as well
	Documents  []KYBSeedDocument
	// Submission is what was handed over, with the documents at these places; the zero value: nothing was.
	Submission models.KYBSubmission
	Sent       []int
	Task       string // an open question
}

// KYBSeedDocument is a document with the number that is sealed.
type KYBSeedDocument struct {
	models.KYBDocument
	Number string
}

// FillKYB writes companies down in groups. For the demonstration and the benchmark only: no person has the permission that it would need.
func (s *Store) FillKYB(ctx context.Context, a models.Actor, seeds []KYBSeed) error {
	for part := range slices.Chunk(seeds, 25) {
		if err := s.Update(ctx, func(tx *Tx) error {
			for i := range part {
				if err := tx.fillKYB(a, &part[i]); err != nil {
					return fmt.Errorf("%s: %w", part[i].Case.Company, err)
				}
			}
			return tx.Audit(models.System("fill"), "kyb.fill", "kyb_case", part[0].Case.ID, nil, map[string]int{"cases": len(part)}, fmt.Sprintf("Wrote down %d KYB cases that were handed over as they are.", len(part)))
		}); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) fillKYB(a models.Actor, x *KYBSeed) error {
	c := x.Case
	if err := tx.insertCase(c); err != nil {
		return err
	}
	l := x.Link
	if x.SubAccount {
		own := models.SubAccount{ID: models.NewID(), Environment: c.Environment, Provider: l.Provider, CredentialID: l.CredentialID, TheirID: l.Account, TheirState: l.Word, Name: c.Company, Company: c.Company,
			Country: c.Country, Type: string(c.Type), State: models.SubAccountOpen, OpenedAt: l.OpenedAt, ListedAt: tx.Now, CreatedBy: a.UserID, CreatedName: a.Name}
		if err := tx.insertSubAccount(&own, models.SubAccountEvent{What: "opened", Sentence: "The provider lists it as " + l.Account, ActorName: a.Name}); err != nil {
			return err
		}
		l.SubAccountID = own.ID
	}
	if err := tx.Exec(`INSERT INTO kyb_links (id, case_id, environment, provider, credential_id, account, sub_account_id, standing, word, word_note, word_us, opened_us, created_by)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)`, l.ID, c.ID, c.Environment, l.Provider, l.CredentialID, l.Account, l.SubAccountID, l.Standing, l.Word, l.WordNote, l.WordAt, l.OpenedAt, a.UserID); err != nil {
		return err
	}
	for _, d := range x.Documents {
		if err := tx.fillDocument(a, c, d); err != nil {
			return err
		}
	}
	if err := tx.fillSubmission(a, x); err != nil {
		return err
	}
	if x.Task != "" {
		l.CaseID, l.Environment = c.ID, c.Environment
		if err := tx.openTask(l, x.Submission.ID, x.Task); err != nil {
			return err
		}
	}
	if err := tx.Exec("INSERT INTO kyb_events (id, case_id, at_us, what, sentence, actor_name) VALUES (?,?,?,'opened','Case opened',?)", models.NewID(), c.ID, c.CreatedAt, a.Name); err != nil {
		return err
	}
	return tx.recountCase(c.ID, 0, 0)
}

func (tx *Tx) fillDocument(a models.Actor, c models.KYBCase, d KYBSeedDocument) error {
	v := d.Current
	var sealed []byte
	if d.Number != "" {
		var err error
		if sealed, err = tx.Store.seal(tx.ctx, "kyb_documents", d.ID, "number", []byte(d.Number)); err != nil {
			return err
		}
	}
	if err := tx.Exec(`INSERT INTO kyb_documents (id, case_id, environment, kind, holder, issuer, number_end, number, issued_on, expires_on, state, versions, current_id, created_us, updated_us, version)
		VALUES (?,?,?,?,?,?,?,?,?,?,'kept',1,?,?,?,2)`, d.ID, c.ID, c.Environment, d.Kind, d.Holder, d.Issuer, endOfNumber(d.Number), sealed, d.Issued, d.Expires, v.ID, d.CreatedAt, d.CreatedAt); err != nil {
		return err
	}
	return tx.Exec(`INSERT INTO kyb_versions (id, document_id, case_id, number, file_key, name, mime, size, sha256, scan, scan_note, findings, state, uploaded_us, uploaded_by, uploaded_name, deleted_us, deleted_why)
		VALUES (?,?,?,1,?,?,?,?,?,?,?,'','kept',?,?,?,0,'')`, v.ID, d.ID, c.ID, v.Key, v.Name, v.Type, v.Size, v.SHA256, v.Scan, v.ScanNote, d.CreatedAt, a.UserID, a.Name)
}

func (tx *Tx) fillSubmission(a models.Actor, x *KYBSeed) error {
	s := &x.Submission
	if s.ID == "" {
		return nil
	}
	for _, i := range x.Sent {
		d := x.Documents[i]
		s.Files = append(s.Files, models.KYBFile{VersionID: d.Current.ID, DocumentID: d.ID, Kind: d.Kind, Name: d.Current.Name, Type: d.Current.Type, Size: d.Current.Size, SHA256: d.Current.SHA256})
		s.Bytes += d.Current.Size
	}
	models.UniqueNames(s.Files)
	l := x.Link
	s.Environment, s.CaseID, s.LinkID, s.CredentialID, s.Provider, s.Account, s.Company, s.FileCount = x.Case.Environment, x.Case.ID, l.ID, l.CredentialID, l.Provider, l.Account, x.Case.Company, int64(len(s.Files))
	s.Digest = models.SubmissionDigest(s.Environment, s.CredentialID, s.Account, s.Files)
	s.CreatedBy, s.CreatedName = a.UserID, a.Name
	if err := tx.insertSubmission(*s); err != nil {
		return err
	}
	sentence := fmt.Sprintf("Handed %s over for account %s", filesText(s.FileCount), s.Account)
	return tx.Exec("INSERT INTO kyb_events (id, case_id, at_us, what, sentence, actor_name) VALUES (?,?,?,'submitted',?,?)", models.NewID(), x.Case.ID, s.SentAt, sentence, s.SentName)
}

// KYBKeyShared tells whether a file of the store is still needed by another version than this one. For tasks.
func (s *Store) KYBKeyShared(ctx context.Context, key, versionID string) (shared bool, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		return tx.QueryRow("SELECT EXISTS (SELECT 1 FROM kyb_versions WHERE file_key = ? AND id <> ? AND state = 'kept')", key, versionID).Scan(&shared)
	})
	return shared, err
}
