package store

import (
	"context"
	"database/sql"
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

func lower(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
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
