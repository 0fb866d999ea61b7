package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"countinghouse/models"
)

// destinationAsks is how long a new destination waits for its second person.
const destinationAsks = 14 * 24 * time.Hour

// What approvals are about.
const (
	subjectDestination = "destination"
	subjectImport      = "destination_import"
)

// askForDestination files the request of one destination. What is stored with it is masked.
func (tx *Tx) askForDestination(a models.Actor, d *models.Destination) error {
	title := "Destination " + d.Name + ": " + d.Masked
	if d.Replaces != "" {
		title = "Change of a destination: " + d.Name + ", " + d.Masked
	}
	return tx.openRequest(a, ApprovalRequest{Environment: d.Environment, Subject: subjectDestination, SubjectID: d.ID, Digest: d.Digest, Title: title,
		Rule: "A destination needs a second person who may approve destinations", Needed: 1, Permission: models.DestinationsApprove, ExpiresAt: tx.Now.Add(destinationAsks)}, forDestinationAudit(d))
}

// decidedDestinations carries out what was decided about one destination, or about all of an import.
func (tx *Tx) decidedDestinations(a models.Actor, r *ApprovalRequest, state, reason string) error {
	if state == "open" {
		return nil
	}
	where := "d.id = ?"
	if r.Subject == subjectImport {
		where = "d.import_id = ? AND d.import_id <> ''"
	}
	list, err := tx.destinationsWhere(where+" AND d.state = 'waiting' ORDER BY d.created_us, d.id"+tx.ForUpdate(), r.SubjectID)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return models.Errorf(models.Conflict, "Nothing of this waits any more. Look at the destination.")
	}
	if r.Subject == subjectImport && importDigest(list) != r.Digest {
		return models.Errorf(models.Conflict, "What was imported is not what stands here now. Look at it again.")
	}
	g, err := tx.guard(list[0].Environment)
	if err != nil {
		return err
	}
	for i := range list {
		d := &list[i]
		if state == "approved" {
			err = tx.approveDestination(a, d, r, g)
		} else {
			err = tx.refuseDestination(a.Name, d, reason)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// approveDestination starts the waiting time. What was approved is opened once more: rows that were changed behind our back are refused.
func (tx *Tx) approveDestination(a models.Actor, d *models.Destination, r *ApprovalRequest, g models.DestinationGuard) error {
	if a.UserID == d.CreatedBy {
		return models.Errorf(models.Forbidden, "You added this destination yourself; somebody else must decide.")
	}
	if r.Subject == subjectDestination && r.Digest != d.Digest {
		return models.Errorf(models.Conflict, "The destination is not the one that was submitted. It must be added anew.")
	}
	if err := tx.openContents(d); err != nil {
		return err
	}
	from := tx.Now
	if !g.Off(tx.Now) {
		from = tx.Now.Add(g.Waits(tx.Now))
	}
	if err := tx.Exec("UPDATE destinations SET state = 'approved', usable_from_us = ?, decided_us = ?, decided_by_name = ?, version = version + 1 WHERE id = ?", from, tx.Now, a.Name, d.ID); err != nil {
		return err
	}
	said := "Approved by " + a.Name
	if from > tx.Now {
		said += fmt.Sprintf("; usable from %s UTC", from.Time().UTC().Format("2006-01-02 15:04"))
	}
	if err := tx.destinationEvent(d.ID, "approved", a.Name, said); err != nil {
		return err
	}
	if d.Replaces != "" {
		if err := tx.supersede(a, d, from); err != nil {
			return err
		}
	}
	return tx.startEntries(d, a.Name)
}

// supersede lets the older version end in the moment from which the new one is usable: until then payouts can still be made.
func (tx *Tx) supersede(a models.Actor, d *models.Destination, from models.Micros) error {
	n, err := tx.Change("UPDATE destinations SET superseded_by = ?, superseded_from_us = ?, version = version + 1 WHERE id = ? AND state = 'approved' AND superseded_by = ''", d.ID, from, d.Replaces)
	if err != nil {
		return err
	}
	if n == 0 {
		return models.Errorf(models.Conflict, "The destination that this one shall replace was revoked or replaced meanwhile. Reject this one and add a new one.")
	}
	if err := tx.removeEntries(d.Replaces, from, a.Name); err != nil {
		return err
	}
	return tx.destinationEvent(d.Replaces, "superseded", a.Name, fmt.Sprintf("A newer version takes its place from %s UTC", from.Time().UTC().Format("2006-01-02 15:04")))
}

func (tx *Tx) refuseDestination(by string, d *models.Destination, reason string) error {
	if err := tx.Exec("UPDATE destinations SET state = 'rejected', decided_us = ?, decided_by_name = ?, ended_us = ?, ended_by_name = ?, reason = ?, version = version + 1 WHERE id = ? AND state = 'waiting'",
		tx.Now, by, tx.Now, by, reason, d.ID); err != nil {
		return err
	}
	if err := tx.releaseEntries(d.ID); err != nil {
		return err
	}
	return tx.destinationEvent(d.ID, "rejected", by, "Rejected by "+by+": "+reason)
}

// expiredDestinations ends what nobody decided about in time.
func (tx *Tx) expiredDestinations(r *ApprovalRequest) error {
	return tx.decidedDestinations(models.System("nobody"), r, "rejected", "Nobody decided within 14 days.")
}

// RevokeDestination takes a destination out of use at once; a change of it that waits goes with it. What is approved and not sent yet will not be
// sent. It needs destinations.approve, or destinations.create: taking away is never a risk, so nobody else is asked.
func (s *Store) RevokeDestination(ctx context.Context, a models.Actor, env models.Environment, id, reason string) error {
	if !maySeeDestinations(a) {
		return a.Require(models.DestinationsApprove)
	}
	reason, err := models.CleanText("reason", reason, 300, true)
	if err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		d, err := tx.lockDestination(id, env)
		if err != nil {
			return err
		}
		if d.Stored != models.DestinationApproved && d.Stored != models.DestinationWaiting {
			return models.Errorf(models.Conflict, "This destination is %s already.", strings.ToLower(d.Stored.Word()))
		}
		if err := tx.revoke(a, d, reason); err != nil {
			return err
		}
		return tx.Audit(a, "destination.revoke", "destination", d.ID, map[string]any{"state": d.Stored}, map[string]any{"state": models.DestinationRevoked, "reason": reason},
			fmt.Sprintf("Revoked the destination %s (%s): %s", d.Name, d.Masked, reason))
	})
}

func (tx *Tx) revoke(a models.Actor, d *models.Destination, reason string) error {
	if err := tx.Exec("UPDATE destinations SET state = 'revoked', ended_us = ?, ended_by_name = ?, reason = ?, version = version + 1 WHERE id = ?", tx.Now, a.Name, reason, d.ID); err != nil {
		return err
	}
	if err := tx.destinationEvent(d.ID, "revoked", a.Name, "Revoked by "+a.Name+": "+reason); err != nil {
		return err
	}
	if err := tx.Exec("UPDATE approval_requests SET state = 'void', decided_us = ? WHERE subject = ? AND subject_id = ? AND state = 'open'", tx.Now, subjectDestination, d.ID); err != nil {
		return err
	}
	if d.ImportID != "" && d.Stored == models.DestinationWaiting {
		if err := tx.renewImportRequest(d.ImportID); err != nil {
			return err
		}
	}
	// The older version stays if this one, which was to replace it, never came into use.
	if d.Replaces != "" && (d.UsableFrom == 0 || tx.Now < d.UsableFrom) {
		n, err := tx.Change("UPDATE destinations SET superseded_by = '', superseded_from_us = 0 WHERE id = ? AND superseded_by = ?", d.Replaces, d.ID)
		if err != nil {
			return err
		}
		if n > 0 {
			if err := tx.keepEntries(d.Replaces); err != nil {
				return err
			}
			if err := tx.destinationEvent(d.Replaces, "kept", a.Name, "It stays in use: the newer version was revoked before its time"); err != nil {
				return err
			}
		}
	}
	if d.Stored == models.DestinationWaiting {
		return tx.releaseEntries(d.ID)
	}
	return tx.removeEntries(d.ID, tx.Now, a.Name)
}

// NoteDestination changes the notes of a destination. They decide nothing, so nobody is asked. It needs destinations.create or
// destinations.approve.
func (s *Store) NoteDestination(ctx context.Context, a models.Actor, env models.Environment, id, notes string) error {
	if !maySeeDestinations(a) {
		return a.Require(models.DestinationsCreate)
	}
	notes, err := models.CleanText("notes", notes, 2000, false)
	if err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		d, err := tx.lockDestination(id, env)
		if err != nil {
			return err
		}
		if err := tx.Exec("UPDATE destinations SET notes = ? WHERE id = ?", notes, d.ID); err != nil {
			return err
		}
		return tx.Audit(a, "destination.note", "destination", d.ID, map[string]any{"notes": d.Notes}, map[string]any{"notes": notes}, "Changed the notes of the destination "+d.Name+".")
	})
}

// destinationChecks reads what providers said, newest first.
func (tx *Tx) destinationChecks(id string) (out []models.DestinationCheck, err error) {
	rows, err := tx.Query(`SELECT c.id, c.at_us, c.credential_id, COALESCE(k.name, ''), c.by_name, c.verdict, c.name, c.sentence FROM destination_checks c
		LEFT JOIN credentials k ON k.id = c.credential_id WHERE c.destination_id = ? ORDER BY c.id DESC LIMIT 20`, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err below tells what matters
	for rows.Next() {
		var c models.DestinationCheck
		if err := rows.Scan(&c.ID, &c.At, &c.CredentialID, &c.Credential, &c.ByName, &c.Verdict, &c.Name, &c.Sentence); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// AddDestinationCheck keeps a provider's word about a destination as evidence. token is that of a question whose answer comes by webhook; the answer may
// have come before this is written. It needs destinations.create or destinations.approve.
func (s *Store) AddDestinationCheck(ctx context.Context, a models.Actor, env models.Environment, id string, c models.DestinationCheck, token string) error {
	if !maySeeDestinations(a) {
		return a.Require(models.DestinationsCreate)
	}
	return s.Update(ctx, func(tx *Tx) error {
		d, err := tx.lockDestination(id, env)
		if err != nil {
			return err
		}
		if token != "" {
			var answered models.Micros
			var verdict, name, sentence string
			err := tx.QueryRow("SELECT answered_us, verdict, name, sentence FROM verifications WHERE token = ? AND credential_id = ?"+tx.ForUpdate(), token, c.CredentialID).Scan(&answered, &verdict, &name, &sentence)
			if err != nil && !IsNoRow(err) {
				return err
			}
			if answered != 0 {
				c.Verdict, c.Name, c.Sentence, token = verdict, name, sentence, ""
			}
		}
		if err := tx.Exec("INSERT INTO destination_checks (id, destination_id, credential_id, at_us, by_name, verdict, name, sentence, token) VALUES (?,?,?,?,?,?,?,?,?)",
			models.NewID(), d.ID, c.CredentialID, tx.Now, a.Name, c.Verdict, models.Safe(c.Name, 120), models.Safe(c.Sentence, 300), token); err != nil {
			return err
		}
		return tx.Audit(a, "destination.verify", "destination", d.ID, nil, map[string]any{"verdict": c.Verdict, "credential": c.CredentialID},
			fmt.Sprintf("Asked a provider about the destination %s: %s.", d.Name, c.Verdict))
	})
}

// answerDestinationCheck writes the answer that came by webhook into the evidence that waited for it.
func (tx *Tx) answerDestinationCheck(credentialID, token, verdict, name, sentence string) error {
	return tx.Exec("UPDATE destination_checks SET verdict = ?, name = ?, sentence = ?, at_us = ?, token = '' WHERE token = ? AND token <> '' AND credential_id = ?",
		verdict, models.Safe(name, 120), models.Safe(sentence, 300), tx.Now, token, credentialID)
}
