package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"countinghouse/models"
)

// ImportRow is one row of a file of destinations that passed every check.
type ImportRow struct {
	Line    int
	Spec    models.DestinationSpec
	Name    string
	Purpose string
	Notes   string
}

// ImportMax is how many destinations one file may bring.
const ImportMax = 2000

// importLife is how long a checked file waits to be added.
const importLife = 2 * time.Hour

// SameAsStored tells which of some rows name a place that is here already or twice in the file, by their number in the list. It needs
// destinations.create.
func (s *Store) SameAsStored(ctx context.Context, a models.Actor, env models.Environment, rows []ImportRow) (map[int]string, error) {
	if err := a.Require(models.DestinationsCreate); err != nil {
		return nil, err
	}
	out := map[int]string{}
	err := s.View(ctx, func(tx *Tx) error {
		clear(out)
		seen := map[string]int{}
		for i := range rows {
			f, err := s.PlaceFingerprint(rows[i].Spec.Place)
			if err != nil {
				return err
			}
			key := rows[i].Spec.Form + f
			if first, ok := seen[key]; ok {
				out[i] = fmt.Sprintf("The same destination stands in line %d of this file.", first)
				continue
			}
			seen[key] = rows[i].Line
			d := models.Destination{Environment: env, Form: rows[i].Spec.Form, Fingerprint: f}
			if err := tx.refuseSame(&d); models.Is(err, models.Invalid) {
				out[i] = sentenceOfError(err)
			} else if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// KeepImport keeps the good rows of a checked file, sealed, until the person who brought it says that they shall be added. Nothing else is written.
// It needs destinations.create.
func (s *Store) KeepImport(ctx context.Context, a models.Actor, env models.Environment, file string, rows []ImportRow, refused int) (id string, err error) {
	if err := a.Require(models.DestinationsCreate); err != nil {
		return "", err
	}
	if len(rows) > ImportMax {
		return "", models.Errorf(models.Invalid, "One file brings at most %d destinations.", ImportMax)
	}
	plain, err := json.Marshal(rows)
	if err != nil {
		return "", err
	}
	id = models.NewID()
	sealed, err := s.seal(ctx, "destination_imports", id, "rows_sealed", plain)
	if err != nil {
		return "", err
	}
	return id, s.Update(ctx, func(tx *Tx) error {
		if err := tx.Exec("DELETE FROM destination_imports WHERE done_us = 0 AND created_us < ?", tx.Now.Add(-importLife)); err != nil {
			return err
		}
		return tx.Exec("INSERT INTO destination_imports (id, environment, user_id, file_name, good, refused, rows_sealed, created_us) VALUES (?,?,?,?,?,?,?,?)",
			id, env, a.UserID, models.Safe(file, 120), len(rows), refused, sealed, tx.Now)
	})
}

// AddImport writes all rows of a checked file, or none, and asks a second person about them together. It needs destinations.create.
func (s *Store) AddImport(ctx context.Context, a models.Actor, env models.Environment, id string, register func(models.DestinationSpec) []RegisterAt) (n int, err error) {
	if err := a.Require(models.DestinationsCreate); err != nil {
		return 0, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		rows, file, done, err := tx.keptImport(a, env, id)
		if err != nil {
			return err
		}
		if done {
			return models.Errorf(models.Conflict, "This file was added already.")
		}
		var all []models.Destination
		for _, r := range rows {
			x := NewDestination{ID: models.NewID(), Environment: env, Spec: r.Spec, Name: r.Name, Purpose: r.Purpose, Notes: r.Notes, importID: id}
			if register != nil {
				x.Register = register(r.Spec)
			}
			d, err := tx.createDestination(a, x)
			if err != nil {
				return fmt.Errorf("line %d: %w", r.Line, err)
			}
			all = append(all, *d)
		}
		n = len(all)
		if n == 0 {
			return models.Errorf(models.Conflict, "No row of this file can be added.")
		}
		if err := tx.Exec("UPDATE destination_imports SET done_us = ?, rows_sealed = NULL WHERE id = ?", tx.Now, id); err != nil {
			return err
		}
		if err := tx.askForImport(a, id, file, all); err != nil {
			return err
		}
		return tx.Audit(a, "destination.import", "destination_import", id, nil, map[string]any{"file": file, "rows": n, "digest": importDigest(all)},
			fmt.Sprintf("Added %d destinations from the file %s.", n, file))
	})
	return n, err
}

func (tx *Tx) keptImport(a models.Actor, env models.Environment, id string) (rows []ImportRow, file string, done bool, err error) {
	var user string
	var in models.Environment
	var sealed []byte
	var doneAt, created models.Micros
	err = tx.QueryRow("SELECT user_id, environment, file_name, rows_sealed, created_us, done_us FROM destination_imports WHERE id = ?"+tx.ForUpdate(), id).
		Scan(&user, &in, &file, &sealed, &created, &doneAt)
	switch {
	case IsNoRow(err) || (err == nil && (user != a.UserID || in != env)):
		return nil, "", false, models.Errorf(models.NotFound, "There is no such file. A checked file is kept for two hours, for the person who brought it.")
	case err != nil:
		return nil, "", false, err
	case doneAt != 0:
		return nil, file, true, nil
	case tx.Now > created.Add(importLife):
		return nil, "", false, models.Errorf(models.NotFound, "This file was checked more than two hours ago. Bring it again.")
	}
	plain, err := tx.Store.unseal(tx.ctx, "destination_imports", id, "rows_sealed", sealed)
	if err != nil {
		return nil, "", false, err
	}
	return rows, file, false, json.Unmarshal(plain, &rows)
}

func (tx *Tx) askForImport(a models.Actor, id, file string, all []models.Destination) error {
	return tx.openRequest(a, ApprovalRequest{Environment: all[0].Environment, Subject: subjectImport, SubjectID: id, Digest: importDigest(all),
		Title: fmt.Sprintf("%d destinations from %s", len(all), file), Rule: "A destination needs a second person who may approve destinations", Needed: 1,
		Permission: models.DestinationsApprove, ExpiresAt: tx.Now.Add(destinationAsks)}, map[string]any{"file": file, "rows": len(all)})
}

// renewImportRequest files the request about an import anew after one of its destinations was taken out of it.
func (tx *Tx) renewImportRequest(id string) error {
	rs, err := tx.requests("SELECT "+requestColumns+" FROM approval_requests WHERE subject = ? AND subject_id = ? AND state = 'open'", subjectImport, id)
	if err != nil || len(rs) == 0 {
		return err
	}
	r := rs[0]
	if err := tx.Exec("UPDATE approval_requests SET state = 'void', decided_us = ? WHERE id = ?", tx.Now, r.ID); err != nil {
		return err
	}
	left, err := tx.destinationsWhere("d.import_id = ? AND d.import_id <> '' AND d.state = 'waiting' ORDER BY d.created_us, d.id", id)
	if err != nil || len(left) == 0 {
		return err
	}
	var file string
	if err := tx.QueryRow("SELECT file_name FROM destination_imports WHERE id = ?", id).Scan(&file); err != nil {
		return err
	}
	return tx.askForImport(models.Actor{UserID: r.CreatedBy, Name: r.CreatedByName}, id, file, left)
}

// importDigest binds an approval to every destination of an import.
func importDigest(all []models.Destination) string {
	var list []string
	for i := range all {
		list = append(list, all[i].ID+all[i].Digest)
	}
	slices.Sort(list)
	h := sha256.New()
	for _, x := range list {
		h.Write([]byte(x))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// DestinationsOfImport lists what a file brought, for the page of its approval. It needs destinations.read.
func (s *Store) DestinationsOfImport(ctx context.Context, a models.Actor, id string) (out []models.Destination, err error) {
	if err := a.Require(models.DestinationsRead); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		out, err = tx.destinationsWhere("d.import_id = ? AND d.import_id <> '' ORDER BY d.created_us, d.id LIMIT ?", id, ImportMax)
		return err
	})
	return out, err
}
