package store

import (
	"context"
	"fmt"
	"strings"

	"countinghouse/models"
)

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
