package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"countinghouse/models"
)

const documentColumns = `d.id, d.case_id, d.environment, d.kind, d.holder, d.issuer, d.number_end, d.issued_on, d.expires_on, d.state, d.versions, d.created_us, d.updated_us, d.version,
	v.id, v.document_id, v.number, v.file_key, v.name, v.mime, v.size, v.sha256, v.scan, v.scan_note, v.findings, v.state, v.uploaded_us, v.uploaded_name, v.deleted_us, v.deleted_why`

const documentFrom = " FROM kyb_documents d JOIN kyb_versions v ON v.id = d.current_id"

func scanDocument(r scanner) (d models.KYBDocument, err error) {
	v, findings := &d.Current, ""
	err = r.Scan(&d.ID, &d.CaseID, &d.Environment, &d.Kind, &d.Holder, &d.Issuer, &d.NumberEnd, &d.Issued, &d.Expires, &d.State, &d.Versions, &d.CreatedAt, &d.UpdatedAt, &d.Version,
		&v.ID, &v.DocumentID, &v.Number, &v.Key, &v.Name, &v.Type, &v.Size, &v.SHA256, &v.Scan, &v.ScanNote, &findings, &v.State, &v.UploadedAt, &v.UploadedBy, &v.DeletedAt, &v.DeletedWhy)
	v.Findings = linesOf(findings)
	return d, err
}

func linesOf(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

func (tx *Tx) kybDocuments(caseID string) (out []models.KYBDocument, err error) {
	err = tx.Each(func(r *sql.Rows) error {
		d, err := scanDocument(r)
		out = append(out, d)
		return err
	}, "SELECT "+documentColumns+documentFrom+" WHERE d.case_id = ? ORDER BY d.created_us, d.id", caseID)
	return out, err
}

func (tx *Tx) kybDocument(env models.Environment, id string) (models.KYBDocument, error) {
	d, err := scanDocument(tx.QueryRow("SELECT "+documentColumns+documentFrom+" WHERE d.id = ? AND d.environment = ?", id, env))
	if IsNoRow(err) {
		return d, models.Errorf(models.NotFound, "There is no such document.")
	}
	return d, err
}

// NewKYBFile is a file that lies in the file store and was looked into.
type NewKYBFile struct {
	CaseID     string
	DocumentID string // of which it is a new version; empty: a new document
	Kind       models.DocumentKind
	ID         string // of the version; the key contains it
	Key        string
	Name       string
	Type       string
	Size       int64
	SHA256     string
	Scan       string
	ScanNote   string
	Findings   []string
}

// AddKYBFile writes down a file that was put into the file store. The same content is kept once in a case: already is then true, the document
// is the one that has it, and the caller removes what it put. Permission kyb.manage.
func (s *Store) AddKYBFile(ctx context.Context, a models.Actor, env models.Environment, f NewKYBFile) (d models.KYBDocument, already bool, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		if err := a.Require(models.KYBManage); err != nil {
			return err
		}
		if _, err := tx.kybCase(env, f.CaseID); err != nil {
			return err
		}
		var there string
		err := tx.QueryRow("SELECT document_id FROM kyb_versions WHERE case_id = ? AND sha256 = ? AND state = 'kept' ORDER BY uploaded_us LIMIT 1", f.CaseID, f.SHA256).Scan(&there)
		if already = err == nil; already {
			d, err = tx.kybDocument(env, there)
			return err
		}
		if !IsNoRow(err) {
			return err
		}
		if d, err = tx.addVersion(a, env, f); err != nil {
			return err
		}
		if err := tx.refreshCase(f.CaseID); err != nil {
			return err
		}
		sentence := fmt.Sprintf("Uploaded %s (%s)", f.Name, models.Megabytes(f.Size))
		if d.Versions > 1 {
			sentence = fmt.Sprintf("Uploaded version %d of %s: %s", d.Versions, lower(d.Title()), f.Name)
		}
		if err := tx.kybEvent(f.CaseID, a, "uploaded", sentence); err != nil {
			return err
		}
		return tx.Audit(a, "kyb.upload", "kyb_document", d.ID, nil, map[string]any{"version": d.Current.ID, "name": f.Name, "type": f.Type, "size": f.Size, "sha256": f.SHA256, "scan": f.Scan}, sentence+".")
	})
	return d, already, err
}

func lower(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// addVersion writes the version, and the document if it is the first.
func (tx *Tx) addVersion(a models.Actor, env models.Environment, f NewKYBFile) (d models.KYBDocument, err error) {
	number := int64(1)
	if f.DocumentID != "" {
		if d, err = tx.kybDocument(env, f.DocumentID); err != nil {
			return d, err
		}
		if d.CaseID != f.CaseID || d.State != models.DocumentKept {
			return d, models.Errorf(models.Conflict, "This document takes no new version.")
		}
		number = d.Versions + 1
	} else {
		f.DocumentID = models.NewID()
		if err := tx.Exec(`INSERT INTO kyb_documents (id, case_id, environment, kind, holder, issuer, number_end, number, issued_on, expires_on, state, versions, current_id, created_us, updated_us, version)
			VALUES (?,?,?,?,'','','',NULL,'','',?,1,?,?,?,1)`, f.DocumentID, f.CaseID, env, f.Kind, models.DocumentKept, f.ID, tx.Now, tx.Now); err != nil {
			return d, err
		}
	}
	if err := tx.Exec(`INSERT INTO kyb_versions (id, document_id, case_id, number, file_key, name, mime, size, sha256, scan, scan_note, findings, state, uploaded_us, uploaded_by, uploaded_name, deleted_us, deleted_why)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,0,'')`, f.ID, f.DocumentID, f.CaseID, number, f.Key, f.Name, f.Type, f.Size, f.SHA256, f.Scan, models.Safe(f.ScanNote, 200),
		strings.Join(f.Findings, "\n"), models.DocumentKept, tx.Now, a.UserID, a.Name); err != nil {
		return d, err
	}
	if number > 1 {
		if err := tx.Exec("UPDATE kyb_documents SET current_id = ?, versions = ?, updated_us = ?, version = version + 1 WHERE id = ?", f.ID, number, tx.Now, f.DocumentID); err != nil {
			return d, err
		}
	}
	return tx.kybDocument(env, f.DocumentID)
}

// DescribeKYBDocument writes down what a document is. An empty number leaves the one that is kept. version is the one that the person saw.
// Permission kyb.manage.
func (s *Store) DescribeKYBDocument(ctx context.Context, a models.Actor, env models.Environment, id string, version int64, form KYBDocumentForm) error {
	return s.Update(ctx, func(tx *Tx) error {
		if err := a.Require(models.KYBManage); err != nil {
			return err
		}
		want, number, err := form.Check()
		if err != nil {
			return err
		}
		if want.Issued > models.DateOf(tx.Now.Add(24*time.Hour)) {
			return models.FieldErrorf("issued", "This day has not come yet.")
		}
		d, err := tx.kybDocument(env, id)
		if err != nil {
			return err
		}
		if d.Version != version || d.State != models.DocumentKept {
			return models.Errorf(models.Conflict, "Somebody changed this document after you opened it. Look at it again.")
		}
		if err := tx.describe(id, want, number); err != nil {
			return err
		}
		if err := tx.refreshCase(d.CaseID); err != nil {
			return err
		}
		if err := tx.kybEvent(d.CaseID, a, "described", "Described: "+want.Title()); err != nil {
			return err
		}
		return tx.Audit(a, "kyb.describe", "kyb_document", id, describedOf(d), describedOf(want), "Described "+want.Title()+".")
	})
}

func describedOf(d models.KYBDocument) map[string]any {
	return map[string]any{"kind": d.Kind, "holder": d.Holder, "issuer": d.Issuer, "issued": d.Issued, "expires": d.Expires}
}

func (tx *Tx) describe(id string, want models.KYBDocument, number string) error {
	if err := tx.Exec("UPDATE kyb_documents SET kind = ?, holder = ?, issuer = ?, issued_on = ?, expires_on = ?, updated_us = ?, version = version + 1 WHERE id = ?",
		want.Kind, want.Holder, want.Issuer, want.Issued, want.Expires, tx.Now, id); err != nil || number == "" {
		return err
	}
	sealed, err := tx.Store.seal(tx.ctx, "kyb_documents", id, "number", []byte(number))
	if err != nil {
		return err
	}
	return tx.Exec("UPDATE kyb_documents SET number = ?, number_end = ? WHERE id = ?", sealed, endOfNumber(number), id)
}

// endOfNumber is what lists show of a document's number: at most its last three characters, and never half of it.
func endOfNumber(number string) string {
	r := []rune(number)
	return string(r[len(r)-min(3, len(r)/2):])
}

// ShowKYBNumber opens a document's number for somebody to read, and writes down that they did. Permission kyb.read.
func (s *Store) ShowKYBNumber(ctx context.Context, a models.Actor, env models.Environment, id string) (number string, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		if err := a.Require(models.KYBRead); err != nil {
			return err
		}
		d, err := tx.kybDocument(env, id)
		if err != nil {
			return err
		}
		var sealed []byte
		if err := tx.QueryRow("SELECT number FROM kyb_documents WHERE id = ?", id).Scan(&sealed); err != nil {
			return err
		}
		if len(sealed) == 0 {
			return models.Errorf(models.Conflict, "No number is kept of this document.")
		}
		plain, err := s.unseal(ctx, "kyb_documents", id, "number", sealed)
		if err != nil {
			return err
		}
		number = string(plain)
		return tx.Audit(a, "kyb.number", "kyb_document", id, nil, nil, "Looked at the number of "+lower(d.Title())+".")
	})
	return number, err
}

// OpenKYBFile gives a version whose file somebody is about to see or to keep, and writes that down first. how is "view" or "download".
// Permission kyb.read.
func (s *Store) OpenKYBFile(ctx context.Context, a models.Actor, env models.Environment, versionID, how string) (v models.KYBVersion, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		if err := a.Require(models.KYBRead); err != nil {
			return err
		}
		list, err := tx.versionsWhere("v.id = ? AND d.environment = ?", versionID, env)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return models.Errorf(models.NotFound, "There is no such file.")
		}
		if v = list[0]; v.State != models.DocumentKept {
			return models.Errorf(models.Conflict, "This file was deleted. Its hash is kept: %s.", v.SHA256)
		}
		verb := map[string]string{"view": "Looked at", "download": "Downloaded"}[how]
		return tx.Audit(a, "kyb."+how, "kyb_document", v.DocumentID, nil, map[string]string{"version": v.ID, "sha256": v.SHA256}, verb+" "+v.Name+".")
	})
	return v, err
}

func (tx *Tx) versionsWhere(where string, args ...any) (out []models.KYBVersion, err error) {
	err = tx.Each(func(r *sql.Rows) error {
		var v models.KYBVersion
		var findings string
		err := r.Scan(&v.ID, &v.DocumentID, &v.Number, &v.Key, &v.Name, &v.Type, &v.Size, &v.SHA256, &v.Scan, &v.ScanNote, &findings, &v.State, &v.UploadedAt, &v.UploadedBy, &v.DeletedAt, &v.DeletedWhy)
		v.Findings = linesOf(findings)
		out = append(out, v)
		return err
	}, `SELECT v.id, v.document_id, v.number, v.file_key, v.name, v.mime, v.size, v.sha256, v.scan, v.scan_note, v.findings, v.state, v.uploaded_us, v.uploaded_name, v.deleted_us, v.deleted_why
		FROM kyb_versions v JOIN kyb_documents d ON d.id = v.document_id WHERE `+where+" ORDER BY v.number DESC", args...)
	return out, err
}

// KYBDocument reads a document. Permission kyb.read.
func (s *Store) KYBDocument(ctx context.Context, a models.Actor, env models.Environment, id string) (p KYBDocumentPage, err error) {
	if err := a.Require(models.KYBRead); err != nil {
		return p, err
	}
	err = s.View(ctx, func(tx *Tx) (err error) {
		if p.Document, err = tx.kybDocument(env, id); err != nil {
			return err
		}
		if p.Case, err = tx.kybCase(env, p.Document.CaseID); err != nil {
			return err
		}
		if p.Versions, err = tx.versionsWhere("v.document_id = ?", id); err != nil {
			return err
		}
		if p.Sent, err = tx.submissionsWhere("s.id IN (SELECT submission_id FROM kyb_submission_files WHERE document_id = ?) ORDER BY s.created_us DESC, s.id DESC LIMIT 20", id); err != nil {
			return err
		}
		p.Requests, err = tx.approvalsOf(id)
		return err
	})
	return p, err
}

// KYBDocumentList is one page of documents, newest first.
type KYBDocumentList struct {
	Rows         []KYBDocumentRow
	Newer, Older models.Cursor
}

// KYBDocuments lists the documents of all cases. Permission kyb.read.
func (s *Store) KYBDocuments(ctx context.Context, a models.Actor, f KYBDocumentFilter) (*KYBDocumentList, error) {
	if err := a.Require(models.KYBRead); err != nil {
		return nil, err
	}
	if f.Limit <= 0 || f.Limit > 200 {
		f.Limit = 50
	}
	out := new(KYBDocumentList)
	err := s.View(ctx, func(tx *Tx) error {
		out.Rows = nil
		where, args := "d.environment = ?", []any{f.Environment}
		if f.Kind != "" || f.Unsorted {
			where, args = where+" AND d.kind = ?", append(args, f.Kind)
		}
		page := keyset{"d.created_us", "d.id", f.Cursor, f.Limit}
		more, margs := page.where()
		if err := tx.Each(func(r *sql.Rows) error {
			var row KYBDocumentRow
			d, err := scanDocument(tail{r, &row.Company})
			row.KYBDocument = d
			out.Rows = append(out.Rows, row)
			return err
		}, "SELECT "+documentColumns+", c.company"+documentFrom+" JOIN kyb_cases c ON c.id = d.case_id WHERE "+where+more+page.order(), append(args, margs...)...); err != nil {
			return err
		}
		out.Rows, out.Newer, out.Older = cutPage(page, out.Rows, func(d KYBDocumentRow) models.Cursor { return models.Cursor{At: d.CreatedAt, ID: d.ID} })
		return nil
	})
	return out, err
}

// tail scans one more column behind those that a scan function knows.
type tail struct {
	scanner
	last any
}

// Scan implements scanner.
func (t tail) Scan(to ...any) error { return t.scanner.Scan(append(to, t.last)...) }

// deletionDigest binds the deletion of a document to exactly the files it has.
func (tx *Tx) deletionDigest(id string) (string, error) {
	list, err := tx.versionsWhere("v.document_id = ?", id)
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "kyb_delete\n%s\n", id)
	for _, v := range list {
		_, _ = fmt.Fprintf(h, "%s\t%s\t%s\n", v.ID, v.SHA256, v.State)
	}
	return hex.EncodeToString(h.Sum(nil)), err
}

// weightyReason takes the reason of something that cannot be undone; short says what is wanted of one that is too short.
func weightyReason(reason, short string) (string, error) {
	reason, err := models.CleanText("reason", reason, 500, false)
	if err == nil && len([]rune(reason)) < 10 {
		err = models.FieldErrorf("reason", "%s", short)
	}
	return reason, err
}

// AskKYBDeletion asks for a document's files to be removed for good. A second person with kyb.approve must agree; hashes and the record stay.
// Permission kyb.manage and a fresh second factor.
func (s *Store) AskKYBDeletion(ctx context.Context, a models.Actor, env models.Environment, id, reason string) error {
	return s.Update(ctx, func(tx *Tx) error {
		if err := a.Require(models.KYBManage); err != nil {
			return err
		}
		if err := a.RequireStepUp(tx.Now); err != nil {
			return err
		}
		reason, err := weightyReason(reason, "Write why, in at least ten characters: the second person and the audit trail read it.")
		if err != nil {
			return err
		}
		d, err := tx.kybDocument(env, id)
		if err != nil {
			return err
		}
		if err := tx.mayGo(d); err != nil {
			return err
		}
		digest, err := tx.deletionDigest(id)
		if err != nil {
			return err
		}
		c, err := tx.kybCase(env, d.CaseID)
		if err != nil {
			return err
		}
		title := fmt.Sprintf("Delete the files of %s, %s", lower(d.Title()), c.Company)
		if err := tx.openRequest(a, ApprovalRequest{Environment: env, Subject: "kyb_delete", SubjectID: id, Digest: digest, Title: title, Rule: "Deleting a document needs a second person",
			Needed: 1, Role: models.Compliance, Permission: models.KYBApprove, Reason: reason, ExpiresAt: tx.Now.Add(changeLife)},
			map[string]any{"company": c.Company, "document": d.Title(), "versions": d.Versions, "name": d.Current.Name, "sha256": d.Current.SHA256}); err != nil {
			return err
		}
		if err := tx.kybEvent(d.CaseID, a, "delete", "Asked to delete "+lower(d.Title())+": "+reason); err != nil {
			return err
		}
		return tx.Audit(a, "kyb.delete-ask", "kyb_document", id, nil, map[string]string{"digest": digest, "reason": reason}, title+": asked.")
	})
}

// mayGo refuses while a submission under way holds the document.
func (tx *Tx) mayGo(d models.KYBDocument) error {
	if d.State != models.DocumentKept {
		return models.Errorf(models.Conflict, "This document is deleted already.")
	}
	var held bool
	if err := tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM kyb_submission_files f JOIN kyb_submissions s ON s.id = f.submission_id
		WHERE f.document_id = ? AND s.state IN ('waiting', 'approved', 'queued', 'sending', 'unknown'))`, d.ID).Scan(&held); err != nil {
		return err
	}
	if held {
		return models.Errorf(models.Conflict, "It is part of a submission that has not come to its end. Withdraw that first, or wait.")
	}
	return nil
}

// decidedKYBDeletion marks the files for removal; a task removes them after the commit.
func (tx *Tx) decidedKYBDeletion(a models.Actor, r *ApprovalRequest, approved bool) error {
	d, err := tx.kybDocument(r.Environment, r.SubjectID)
	if err != nil {
		return err
	}
	if !approved {
		return tx.kybEvent(d.CaseID, a, "delete", "Not deleted: "+lower(d.Title()))
	}
	digest, err := tx.deletionDigest(d.ID)
	if err != nil {
		return err
	}
	if digest != r.Digest {
		return models.Errorf(models.Conflict, "The document is not the one that was asked about. Nothing was deleted.")
	}
	if err := tx.mayGo(d); err != nil {
		return err
	}
	if err := tx.Exec("UPDATE kyb_versions SET state = 'deleting', deleted_us = ?, deleted_why = ? WHERE document_id = ? AND state = 'kept'", tx.Now, r.Reason, d.ID); err != nil {
		return err
	}
	if err := tx.Exec("UPDATE kyb_documents SET state = 'deleting', updated_us = ?, version = version + 1 WHERE id = ?", tx.Now, d.ID); err != nil {
		return err
	}
	if err := tx.refreshCase(d.CaseID); err != nil {
		return err
	}
	if err := tx.kybEvent(d.CaseID, a, "deleted", "Deleted the files of "+lower(d.Title())+"; the hashes stay"); err != nil {
		return err
	}
	return tx.enqueue(JobKYBFiles, "files", tx.Now)
}

// KYBFilesToDelete lists the files whose deletion was agreed and that may still be in the file store. For tasks.
func (s *Store) KYBFilesToDelete(ctx context.Context) (list []models.KYBVersion, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		list, err = tx.versionsWhere("v.state = 'deleting' AND v.deleted_us > 0")
		return err
	})
	return list, err
}

// KYBFileDeleted notes that a file is gone from the file store. For tasks.
func (s *Store) KYBFileDeleted(ctx context.Context, versionID string) error {
	return s.Update(ctx, func(tx *Tx) error {
		list, err := tx.versionsWhere("v.id = ? AND v.state = 'deleting'", versionID)
		if err != nil || len(list) == 0 {
			return err
		}
		v := list[0]
		if err := tx.Exec("UPDATE kyb_versions SET state = 'deleted' WHERE id = ?", v.ID); err != nil {
			return err
		}
		if err := tx.Exec("UPDATE kyb_documents SET state = 'deleted' WHERE id = ? AND NOT EXISTS (SELECT 1 FROM kyb_versions WHERE document_id = ? AND state = 'deleting')", v.DocumentID, v.DocumentID); err != nil {
			return err
		}
		return tx.Audit(models.System("kyb_files"), "kyb.deleted", "kyb_document", v.DocumentID, nil, map[string]string{"version": v.ID, "sha256": v.SHA256}, "Removed the file "+v.Name+"; its hash stays.")
	})
}

// KYBKeyKnown tells whether a key of the file store belongs to a version, so that what an upload left behind can be swept. For tasks.
func (s *Store) KYBKeyKnown(ctx context.Context, key string) (known bool, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		return tx.QueryRow("SELECT EXISTS (SELECT 1 FROM kyb_versions WHERE file_key = ? AND state <> 'deleted')", key).Scan(&known)
	})
	return known, err
}

// KYBKeyGone tells whether a file's deletion was agreed for every version that it belongs to. A file that no version knows is not gone: it may be of an
// upload that is not written down yet. For the rotation of keys.
func (s *Store) KYBKeyGone(ctx context.Context, key string) (gone bool, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		return tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM kyb_versions WHERE file_key = ?) AND NOT EXISTS (SELECT 1 FROM kyb_versions WHERE file_key = ? AND state = 'kept')`, key, key).Scan(&gone)
	})
	return gone, err
}

// KYBFileKey gives where a version lies in the file store. For tasks.
func (s *Store) KYBFileKey(ctx context.Context, versionID string) (key string, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		err := tx.QueryRow("SELECT file_key FROM kyb_versions WHERE id = ? AND state = 'kept'", versionID).Scan(&key)
		if IsNoRow(err) {
			return models.Errorf(models.NotFound, "There is no such file any more.")
		}
		return err
	})
	return key, err
}

// NoteInfected writes down that an upload was refused because of a virus. Permission kyb.manage.
func (s *Store) NoteInfected(ctx context.Context, a models.Actor, env models.Environment, caseID, name, signature string) error {
	return s.Update(ctx, func(tx *Tx) error {
		if err := a.Require(models.KYBManage); err != nil {
			return err
		}
		if _, err := tx.kybCase(env, caseID); err != nil {
			return err
		}
		sentence := fmt.Sprintf("Refused %s: the virus scanner found %s", name, models.Safe(signature, 100))
		if err := tx.kybEvent(caseID, a, "infected", sentence); err != nil {
			return err
		}
		return tx.Audit(a, "kyb.infected", "kyb_case", caseID, nil, map[string]string{"name": name, "signature": signature}, sentence+".")
	})
}
