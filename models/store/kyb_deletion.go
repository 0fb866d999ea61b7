package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"countinghouse/models"
)

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
