package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"countinghouse/models"
)

// PrepareKYB puts together what shall be handed over for one account: the current files of the chosen documents. It waits for the approval of a
// second person, which is bound to exactly these files. Permission kyb.manage.
func (s *Store) PrepareKYB(ctx context.Context, a models.Actor, env models.Environment, caseID, linkID string, documentIDs []string, note string) (sub models.KYBSubmission, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		if err := a.Require(models.KYBManage); err != nil {
			return err
		}
		c, err := tx.kybCase(env, caseID)
		if err != nil {
			return err
		}
		l, err := tx.kybLink(caseID, linkID)
		if err != nil {
			return err
		}
		if note, err = models.CleanText("note", note, 500, false); err != nil {
			return err
		}
		files, err := tx.chosenFiles(c, documentIDs)
		if err != nil {
			return err
		}
		rules, err := tx.rulesOfLink(l)
		if err != nil {
			return err
		}
		if err := rules.CheckFiles(files); err != nil {
			return err
		}
		if err := tx.onlyChanged(l, rules, files); err != nil {
			return err
		}
		sub = models.KYBSubmission{ID: models.NewID(), Environment: env, CaseID: caseID, LinkID: linkID, CredentialID: l.CredentialID, Provider: l.Provider, Account: l.Account, Company: c.Company,
			State: models.SubWaiting, Digest: models.SubmissionDigest(env, l.CredentialID, l.Account, files), Files: files, FileCount: int64(len(files)), Note: note,
			CreatedAt: tx.Now, CreatedBy: a.UserID, CreatedName: a.Name}
		for _, f := range files {
			sub.Bytes += f.Size
		}
		if err := tx.insertSubmission(sub); err != nil {
			return err
		}
		return tx.askKYBApproval(a, c, sub, rules.Title)
	})
	return sub, err
}

// takenFiles is the condition on submissions whose files a provider has: it took them, whatever it then said of the company. What was not taken, or
// perhaps never arrived, is not there.
const takenFiles = "s.state IN ('submitted', 'question', 'refused', 'verified')"

// onlyChanged refuses files that a provider has already where its contract says that it wants only what changed.
func (tx *Tx) onlyChanged(l models.KYBLink, rules models.KYBRules, files []models.KYBFile) error {
	if rules.Resend != models.ResendChanged {
		return nil
	}
	there, err := tx.texts("SELECT f.version_id FROM kyb_submissions s JOIN kyb_submission_files f ON f.submission_id = s.id WHERE s.link_id = ? AND "+takenFiles, l.ID)
	if err != nil {
		return err
	}
	for _, f := range files {
		if slices.Contains(there, f.VersionID) {
			return models.FieldErrorf("files", "%s has this version of %s already and wants only what changed. Take it out of the set, or upload a newer version first.", rules.Title, f.Name)
		}
	}
	return nil
}

// KYBRulesOf gives a provider's rules under the settings of a credential; ok is false where the provider takes no documents. Permission kyb.read.
func (s *Store) KYBRulesOf(ctx context.Context, a models.Actor, env models.Environment, credentialID string) (rules models.KYBRules, ok bool, err error) {
	if err := a.Require(models.KYBRead); err != nil {
		return rules, false, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		l := models.KYBLink{CredentialID: credentialID, Environment: env}
		err := tx.QueryRow("SELECT provider FROM credentials WHERE id = ? AND environment = ?", credentialID, env).Scan(&l.Provider)
		if IsNoRow(err) {
			return nil
		}
		if err != nil {
			return err
		}
		rules, err = tx.rulesOfLink(l)
		if ok = err == nil; models.Is(err, models.Conflict) {
			return nil
		}
		return err
	})
	return rules, ok, err
}

// chosenFiles takes the current versions of the chosen documents, in the order of the case.
func (tx *Tx) chosenFiles(c models.KYBCase, ids []string) (files []models.KYBFile, err error) {
	docs, err := tx.kybDocuments(c.ID)
	if err != nil {
		return nil, err
	}
	found := 0
	for _, d := range docs {
		if !slices.Contains(ids, d.ID) {
			continue
		}
		found++
		switch {
		case d.State != models.DocumentKept:
			return nil, models.FieldErrorf("files", "%s is deleted.", d.Title())
		case d.Kind == "":
			return nil, models.FieldErrorf("files", "%s: say what it is before it is handed over.", d.Current.Name)
		}
		v := d.Current
		files = append(files, models.KYBFile{VersionID: v.ID, DocumentID: d.ID, Kind: d.Kind, Name: v.Name, Type: v.Type, Size: v.Size, SHA256: v.SHA256})
	}
	slices.Sort(ids)
	if found < len(slices.Compact(ids)) {
		return nil, models.FieldErrorf("files", "One of the documents is not of this company.")
	}
	models.UniqueNames(files)
	return files, nil
}

// rulesOfLink gives the provider's rules under the settings of the credential.
func (tx *Tx) rulesOfLink(l models.KYBLink) (models.KYBRules, error) {
	var text string
	if err := tx.QueryRow("SELECT settings_json FROM credentials WHERE id = ?", l.CredentialID).Scan(&text); err != nil {
		return models.KYBRules{}, err
	}
	settings := map[string]string{}
	if err := json.Unmarshal([]byte(text), &settings); err != nil {
		return models.KYBRules{}, fmt.Errorf("settings of the credential: %w", err)
	}
	if tx.Store.kybRules != nil {
		if r, ok := tx.Store.kybRules(l.Provider, l.Environment, settings); ok {
			return r, nil
		}
	}
	return models.KYBRules{}, models.Errorf(models.Conflict, "This provider takes no documents from this program.")
}

func (tx *Tx) askKYBApproval(a models.Actor, c models.KYBCase, sub models.KYBSubmission, title string) error {
	sentence := fmt.Sprintf("Hand %s of %s over to %s, account %s", filesText(sub.FileCount), c.Company, title, sub.Account)
	if err := tx.openRequest(a, ApprovalRequest{Environment: sub.Environment, Subject: "kyb", SubjectID: sub.ID, Digest: sub.Digest, Title: sentence,
		Rule: "Documents leave after a second person has looked at them", Needed: 1, Role: models.Compliance, Permission: models.KYBApprove, ExpiresAt: tx.Now.Add(changeLife)},
		sub.Files); err != nil {
		return err
	}
	if err := tx.refreshCase(c.ID); err != nil {
		return err
	}
	if err := tx.kybEvent(c.ID, a, "prepared", sentence+": waits for a second person"); err != nil {
		return err
	}
	return tx.Audit(a, "kyb.prepare", "kyb_submission", sub.ID, nil, map[string]any{"digest": sub.Digest, "files": sub.Files, "account": sub.Account}, sentence+": prepared.")
}

// filesAsApproved computes the digest of the set anew and looks that every file is still what it was.
func (tx *Tx) filesAsApproved(sub models.KYBSubmission) error {
	var changed int64
	if err := tx.QueryRow(`SELECT COUNT(*) FROM kyb_submission_files f JOIN kyb_versions v ON v.id = f.version_id
		WHERE f.submission_id = ? AND (v.state <> 'kept' OR v.sha256 <> f.sha256)`, sub.ID).Scan(&changed); err != nil {
		return err
	}
	if changed > 0 || models.SubmissionDigest(sub.Environment, sub.CredentialID, sub.Account, sub.Files) != sub.Digest {
		return models.Errorf(models.Conflict, "The files are not the ones that were prepared. They must be prepared and approved anew.")
	}
	return nil
}

// decidedKYB carries out the decision on a submission.
func (tx *Tx) decidedKYB(a models.Actor, r *ApprovalRequest, approved bool, reason string) error {
	sub, err := tx.submission(r.Environment, r.SubjectID)
	if err != nil {
		return err
	}
	if sub.State != models.SubWaiting || sub.Digest != r.Digest {
		return models.Errorf(models.Conflict, "This submission does not wait for an approval any more.")
	}
	if err := tx.filesAsApproved(sub); err != nil {
		return err
	}
	if !approved {
		return tx.endSubmission(a, sub, models.SubRejected, "Not approved: "+reason)
	}
	if err := tx.Exec("UPDATE kyb_submissions SET state = ?, approved_us = ?, approved_name = ? WHERE id = ?", models.SubApproved, tx.Now, a.Name, sub.ID); err != nil {
		return err
	}
	if err := tx.refreshCase(sub.CaseID); err != nil {
		return err
	}
	return tx.kybEvent(sub.CaseID, a, "approved", fmt.Sprintf("Approved to hand %s over to account %s", filesText(sub.FileCount), sub.Account))
}

// expiredKYB ends a submission on which nobody decided in time.
func (tx *Tx) expiredKYB(r *ApprovalRequest) error {
	sub, err := tx.submission(r.Environment, r.SubjectID)
	if err != nil || sub.State != models.SubWaiting {
		return err
	}
	return tx.endSubmission(models.System("approvals"), sub, models.SubWithdrawn, "Nobody decided in time")
}
