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

// RefusedRow is one row of a file that did not pass, as it came, and why.
type RefusedRow struct {
	Line  int
	Cells []string
	Why   []string
}

// keptFile is what is sealed of a checked file. Its refused rows stay readable for as long as the good ones may be added, also after they were.
type keptFile struct {
	Rows    []ImportRow  `json:"rows"`
	Header  []string     `json:"header"`
	Refused []RefusedRow `json:"refused"`
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

// KeepImport keeps a checked file, sealed, until the person who brought it says that its good rows shall be added: those, and the refused ones with the
// header, so that they can be mended. Nothing else is written. It needs destinations.create.
func (s *Store) KeepImport(ctx context.Context, a models.Actor, env models.Environment, file string, rows []ImportRow, header []string, refused []RefusedRow) (id string, err error) {
	if err := a.Require(models.DestinationsCreate); err != nil {
		return "", err
	}
	if len(rows) > ImportMax {
		return "", models.Errorf(models.Invalid, "One file brings at most %d destinations.", ImportMax)
	}
	plain, err := json.Marshal(keptFile{rows, header, refused})
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
		if err := tx.Exec("UPDATE destination_imports SET rows_sealed = NULL WHERE rows_sealed IS NOT NULL AND created_us < ?", tx.Now.Add(-importLife)); err != nil {
			return err
		}
		return tx.Exec("INSERT INTO destination_imports (id, environment, user_id, file_name, good, refused, rows_sealed, created_us) VALUES (?,?,?,?,?,?,?,?)",
			id, env, a.UserID, models.Safe(file, 120), len(rows), len(refused), sealed, tx.Now)
	})
}

// AddImport writes all rows of a checked file, or none, and asks a second person about them together. It needs destinations.create.
func (s *Store) AddImport(ctx context.Context, a models.Actor, env models.Environment, id string, register func(models.DestinationSpec) []RegisterAt) (n int, err error) {
	if err := a.Require(models.DestinationsCreate); err != nil {
		return 0, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		kept, file, done, err := tx.keptImport(a, env, id, tx.ForUpdate())
		if err != nil {
			return err
		}
		if done {
			return models.Errorf(models.Conflict, "This file was added already.")
		}
		var all []models.Destination
		for _, r := range kept.Rows {
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
		if err := tx.closeImport(id, kept); err != nil {
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

// closeImport marks a file as added and lets go of what is written down by now.
func (tx *Tx) closeImport(id string, kept keptFile) error {
	kept.Rows = nil
	plain, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	sealed, err := tx.Store.seal(tx.ctx, "destination_imports", id, "rows_sealed", plain)
	if err != nil {
		return err
	}
	return tx.Exec("UPDATE destination_imports SET done_us = ?, rows_sealed = ? WHERE id = ?", tx.Now, sealed, id)
}

// RefusedRows gives the rows of a checked file that did not pass, with its header and name, to the person who brought it, for two hours. It needs
// destinations.create.
func (s *Store) RefusedRows(ctx context.Context, a models.Actor, env models.Environment, id string) (file string, header []string, rows []RefusedRow, err error) {
	if err := a.Require(models.DestinationsCreate); err != nil {
		return "", nil, nil, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		kept, name, _, err := tx.keptImport(a, env, id, "")
		if err == nil && len(kept.Refused) == 0 {
			err = models.Errorf(models.NotFound, "No row of this file was refused.")
		}
		file, header, rows = name, kept.Header, kept.Refused
		return err
	})
	return file, header, rows, err
}

// keptImport opens a checked file for the person who brought it. lock is what the query ends with: who writes holds the row.
func (tx *Tx) keptImport(a models.Actor, env models.Environment, id, lock string) (kept keptFile, file string, done bool, err error) {
	var user string
	var in models.Environment
	var sealed []byte
	var doneAt, created models.Micros
	err = tx.QueryRow("SELECT user_id, environment, file_name, rows_sealed, created_us, done_us FROM destination_imports WHERE id = ?"+lock, id).
		Scan(&user, &in, &file, &sealed, &created, &doneAt)
	switch {
	case IsNoRow(err) || (err == nil && (user != a.UserID || in != env)):
		return kept, "", false, models.Errorf(models.NotFound, "There is no such file. A checked file is kept for two hours, for the person who brought it.")
	case err != nil:
		return kept, "", false, err
	case tx.Now > created.Add(importLife) || sealed == nil:
		if doneAt != 0 {
			return kept, file, true, nil
		}
		return kept, "", false, models.Errorf(models.NotFound, "This file was checked more than two hours ago. Bring it again.")
	}
	plain, err := tx.Store.unseal(tx.ctx, "destination_imports", id, "rows_sealed", sealed)
	if err != nil {
		return kept, "", false, err
	}
	if err := json.Unmarshal(plain, &kept); err != nil { // checked by an older version of the program
		return kept, "", false, models.Errorf(models.Conflict, "The program was replaced since this file was checked. Bring it again.")
	}
	return kept, file, doneAt != 0, nil
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
