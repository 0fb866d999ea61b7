package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/files"
	"countinghouse/models/store"
	"countinghouse/views"
)

// MaxUpload is how many files one upload carries.
const MaxUpload = 20

// maxDocument is the size of one document.
const maxDocument = 10 << 20

var errNoFiles = models.Errorf(models.Unavailable, "This server keeps no files.")

// Intake takes documents in: each is read once, looked into, scanned, sealed, and written down.
type Intake struct {
	Store *store.Store
	Files files.Store
	Scan  files.Scanner
	slots chan struct{}
}

// NewIntake makes an intake. At most four documents are held in memory at once.
func NewIntake(s *store.Store, f files.Store, scan files.Scanner) *Intake {
	return &Intake{Store: s, Files: f, Scan: scan, slots: make(chan struct{}, 4)}
}

// Parts reads a form as it comes.
func (c *Ctx) Parts() (*multipart.Reader, error) {
	kind, attrs, err := mime.ParseMediaType(c.Fiber.Get(fiber.HeaderContentType))
	if err != nil || kind != "multipart/form-data" || attrs["boundary"] == "" {
		return nil, models.Errorf(models.Invalid, "This is not a form with files.")
	}
	var body = c.Fiber.Context().RequestBodyStream()
	if body == nil {
		body = bytes.NewReader(c.Fiber.Body())
	}
	return multipart.NewReader(body, attrs["boundary"]), nil
}

// take reads a form's files one after the other. A file that is refused does not hold the others up. documentID makes the one file a new version.
func (h *Intake) take(c *Ctx, caseID, documentID string) ([]views.Uploaded, error) {
	if err := c.Actor.Require(models.KYBManage); err != nil {
		return nil, err
	}
	if h.Files == nil {
		return nil, errNoFiles
	}
	parts, err := c.Parts()
	if err != nil {
		return nil, err
	}
	most := MaxUpload
	if documentID != "" {
		most = 1
	}
	var out []views.Uploaded
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return out, models.Errorf(models.Invalid, "The upload broke off. What is listed as taken was taken; send the others again.")
		}
		if part.FileName() == "" && part.FormName() != "files" { // an ordinary field: none is asked for
			continue
		}
		if part.FileName() == "" {
			continue // a file field in which nothing was chosen
		}
		if len(out) >= most {
			out = append(out, views.Uploaded{Name: files.CleanName(part.FileName()), Text: fmt.Sprintf("Not taken: at most %d at once. Send it with the next ones.", most)})
			if len(out) > 2*MaxUpload {
				break
			}
			continue
		}
		u, err := h.one(c, caseID, documentID, part)
		if err != nil {
			return out, err
		}
		out = append(out, u)
	}
	if len(out) == 0 {
		return nil, models.FieldErrorf("files", "Choose at least one file.")
	}
	return out, nil
}

// looked is a file that was read whole, looked into and scanned.
type looked struct {
	Name    string
	Body    []byte
	Found   files.Found
	Verdict files.Verdict
	Refusal string // in words, why it is not taken; empty: it may be kept
}

// look reads one file. A refusal is part of the result; an error is our own fault, or a broken line. It holds one of the slots until release.
func (h *Intake) look(ctx context.Context, name string, r io.Reader) (l looked, release func(), err error) {
	select {
	case h.slots <- struct{}{}:
		release = func() { <-h.slots }
	case <-ctx.Done():
		return l, func() {}, models.Errorf(models.Unavailable, "The server is busy with other uploads. Try again in a moment.")
	}
	l.Name = files.CleanName(name)
	l.Body, err = io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err != nil {
		return l, release, models.Errorf(models.Invalid, "The upload broke off. What is listed as taken was taken; send the others again.")
	}
	l.Found, err = files.Sniff(l.Name, bytes.NewReader(l.Body), int64(len(l.Body)), files.Limits{MaxBytes: maxDocument})
	var refusal *files.Refusal
	if errors.As(err, &refusal) {
		l.Refusal = "Not taken: " + lowerFirst(refusal.Sentence)
		if refusal.Code == files.CodeTooLarge {
			l.Refusal = "Not taken: the file has more than " + models.Megabytes(maxDocument) + "."
		}
		return l, release, nil
	}
	if err != nil {
		return l, release, err
	}
	if l.Verdict = h.Scan.Scan(ctx, bytes.NewReader(l.Body)); l.Verdict.State == files.Infected {
		l.Refusal = "Not taken: the virus scanner found " + l.Verdict.Signature + "."
	}
	return l, release, nil
}

// one takes one file.
func (h *Intake) one(c *Ctx, caseID, documentID string, part *multipart.Part) (u views.Uploaded, err error) {
	ctx := c.Context()
	l, release, err := h.look(ctx, part.FileName(), part)
	defer release()
	if err != nil {
		return u, err
	}
	if u.Name, u.Text = l.Name, l.Refusal; l.Refusal == "" {
		return h.keep(ctx, c, caseID, documentID, u, l.Body, l.Found, l.Verdict)
	}
	if l.Verdict.State == files.Infected {
		return u, h.Store.NoteInfected(ctx, c.Actor, c.Env, caseID, u.Name, l.Verdict.Signature)
	}
	return u, nil
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// keep seals the file into the store and writes it down. What is not written down is removed again.
func (h *Intake) keep(ctx context.Context, c *Ctx, caseID, documentID string, u views.Uploaded, body []byte, found files.Found, verdict files.Verdict) (views.Uploaded, error) {
	id := models.NewID()
	key := "kyb/" + string(c.Env) + "/" + id
	kept, err := h.Files.Put(ctx, key, bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return u, &models.Error{Code: models.Unavailable, Sentence: "The file could not be stored. Nothing was kept of it; try again.", Err: err}
	}
	n := store.NewKYBFile{CaseID: caseID, DocumentID: documentID, Kind: models.GuessKind(u.Name), ID: id, Key: key, Name: u.Name, Type: found.Type, Size: kept.Size, SHA256: kept.SHA256,
		Scan: string(verdict.State), ScanNote: verdict.Reason}
	for _, f := range found.Findings {
		n.Findings = append(n.Findings, f.Sentence)
	}
	d, already, err := h.Store.AddKYBFile(ctx, c.Actor, c.Env, n)
	if err != nil || already {
		if derr := h.Files.Delete(context.WithoutCancel(ctx), key); derr != nil && !errors.Is(derr, files.ErrNotFound) {
			err = errors.Join(err, derr)
		}
	}
	if err != nil {
		return u, err
	}
	u.OK, u.Href, u.Document = true, views.KYBDocumentPath(d.ID), d
	switch {
	case already:
		u.Text = "Here already as " + lowerFirst(d.Title()) + "."
	case d.Versions > 1:
		u.Text = fmt.Sprintf("Taken as version %d.", d.Versions)
	default:
		u.Text = "Taken."
	}
	if len(n.Findings) > 0 && !already {
		u.Text += " Look at it with care: " + lowerFirst(strings.Join(n.Findings, " "))
	}
	return u, nil
}

// answerUpload is for the script, which sends one file a request.
func answerUpload(c *Ctx, list []views.Uploaded) error {
	type line struct {
		Name string `json:"name"`
		OK   bool   `json:"ok"`
		Text string `json:"text"`
		Href string `json:"href"`
	}
	out := []line{}
	for _, u := range list {
		out = append(out, line{u.Name, u.OK, u.Text, u.Href})
	}
	c.Fiber.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return json.NewEncoder(c.Fiber).Encode(map[string]any{"results": out})
}

// wantsJSON reports that the script asks.
func wantsJSON(c *Ctx) bool {
	return strings.HasPrefix(c.Fiber.Get(fiber.HeaderAccept), fiber.MIMEApplicationJSON)
}
