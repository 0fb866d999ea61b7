package handlers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/files"
)

// papersAtOnce is how many files one upload for a transaction carries.
const papersAtOnce = 5

// paperRoutes are the files that staff keep with a transaction. None of them is ever sent to a provider.
func (h *Transactions) paperRoutes() []Route {
	give := func(path, how string) Route {
		return Route{Method: fiber.MethodGet, Path: "/transactions/:id/papers/:paper" + path, Name: "papers." + how, Permission: models.TransactionsRead, Section: "transactions",
			Timeout: time.Minute, Handle: func(c *Ctx) error { return h.paper(c, how) }}
	}
	return []Route{
		{Method: fiber.MethodPost, Path: "/transactions/:id/papers", Name: "papers.add", Permission: models.PayoutsOperate, Section: "transactions", Stream: true,
			BodyLimit: papersAtOnce*maxDocument + FormLimit, Timeout: 10 * time.Minute, Handle: h.addPapers},
		give("", "view"), give("/download", "download"),
	}
}

// addPapers takes files for a transaction: each is looked into, scanned, sealed and written down. One that is refused holds no other up.
func (h *Transactions) addPapers(c *Ctx) error {
	here := "/transactions/" + c.Param("id") + "#papers"
	if _, err := h.Store.Transaction(c.Context(), c.Actor, c.Env, c.Param("id")); err != nil {
		return err
	}
	if h.Intake == nil || h.Intake.Files == nil {
		return c.Refused(here, errNoFiles)
	}
	taken, refused, err := h.takePapers(c)
	switch {
	case err != nil:
		return c.Refused(here, err)
	case len(refused) > 0 && len(taken) > 0:
		return c.Refused(here, models.Errorf(models.Invalid, "Kept: %s. %s", strings.Join(taken, ", "), strings.Join(refused, " ")))
	case len(refused) > 0:
		return c.Refused(here, models.Errorf(models.Invalid, "%s", strings.Join(refused, " ")))
	case len(taken) == 0:
		return c.Refused(here, models.Errorf(models.Invalid, "Choose at least one file."))
	}
	return c.Done(here, "Kept, sealed: "+strings.Join(taken, ", ")+". Nothing of it was sent to the provider.")
}

func (h *Transactions) takePapers(c *Ctx) (taken, refused []string, err error) {
	parts, err := c.Parts()
	if err != nil {
		return nil, nil, err
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return taken, refused, nil
		}
		if err != nil {
			return taken, refused, models.Errorf(models.Invalid, "The upload broke off. What is listed was kept; send the others again.")
		}
		if part.FileName() == "" {
			continue // no file was chosen, or a field that nobody asks for
		}
		if len(taken)+len(refused) >= papersAtOnce {
			return taken, append(refused, "Only the first five were looked at; send the others next."), nil
		}
		name, refusal, err := h.takePaper(c, part.FileName(), part)
		if err != nil {
			return taken, refused, err
		}
		if refusal != "" {
			refused = append(refused, name+": "+refusal)
		} else {
			taken = append(taken, name)
		}
	}
}

func (h *Transactions) takePaper(c *Ctx, name string, r io.Reader) (clean, refusal string, err error) {
	ctx := c.Context()
	l, release, err := h.Intake.look(ctx, name, r)
	defer release()
	if err != nil || l.Refusal != "" {
		if err == nil && l.Verdict.State == files.Infected {
			err = h.Store.NoteInfectedPaper(ctx, c.Actor, c.Env, c.Param("id"), l.Name, l.Verdict.Signature)
		}
		return l.Name, l.Refusal, err
	}
	id := models.NewID()
	key := models.PaperPrefix + string(c.Env) + "/" + id
	kept, err := h.Intake.Files.Put(ctx, key, bytes.NewReader(l.Body), int64(len(l.Body)))
	if err != nil {
		return l.Name, "", &models.Error{Code: models.Unavailable, Sentence: "The file could not be stored. Nothing was kept of it; try again.", Err: err}
	}
	p := models.Paper{ID: id, TransactionID: c.Param("id"), Key: key, Name: l.Name, Type: l.Found.Type, Size: kept.Size, SHA256: kept.SHA256, Scan: string(l.Verdict.State), ScanNote: l.Verdict.Reason}
	for _, f := range l.Found.Findings {
		p.Findings = append(p.Findings, f.Sentence)
	}
	already, err := h.Store.AddPaper(ctx, c.Actor, c.Env, p)
	if err != nil || already {
		if derr := h.Intake.Files.Delete(context.WithoutCancel(ctx), key); derr != nil && !errors.Is(derr, files.ErrNotFound) {
			err = errors.Join(err, derr)
		}
	}
	if already {
		refusal = "It is on record here already."
	}
	return l.Name, refusal, err
}

// paper gives a file back. One in which something dangerous was found is only given to be kept, never shown.
func (h *Transactions) paper(c *Ctx, how string) error {
	p, err := h.Store.OpenPaper(c.Context(), c.Actor, c.Env, c.Param("id"), c.Param("paper"), how)
	if err != nil {
		return err
	}
	if len(p.Findings) > 0 {
		how = "download"
	}
	if h.Intake == nil {
		return errNoFiles
	}
	return giveFile(c, h.Intake.Files, keptFile{Key: p.Key, Name: p.Name, Type: p.Type, SHA256: p.SHA256, Size: p.Size}, how)
}
