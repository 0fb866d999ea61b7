package handlers

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

func (h *SubAccounts) batches(c *Ctx) error {
	list, err := h.Store.SubAccountBatches(c.Context(), c.Actor, c.Env)
	if err != nil {
		return err
	}
	p := views.SubAccountBatchesParams{List: list, Providers: providerOptions(h.Providers), Me: c.Actor, Clock: c.Clock()}
	p.Page = h.crumbs(c.Page("Files of companies"), ui.Crumb{Label: "Files"})
	return c.Render(views.SubAccountBatches(p))
}

func (h *SubAccounts) batchForm(c *Ctx) error {
	p, err := h.begin(c, c.Query("credential"))
	if err != nil {
		return err
	}
	return h.showBatchForm(c, fiber.StatusOK, p)
}

func (h *SubAccounts) showBatchForm(c *Ctx, status int, p views.SubAccountFormParams) error {
	p.Page = h.crumbs(c.Page("Sub-accounts from a file"), ui.Crumb{Label: "Files", Href: views.SubAccountsPath + "/batches"}, ui.Crumb{Label: "New"})
	return c.RenderStatus(status, views.SubAccountBatchForm(p))
}

// checkBatch reads a file, checks every row, and keeps what it found. Nothing is made yet.
func (h *SubAccounts) checkBatch(c *Ctx) error {
	p, err := h.begin(c, c.Form("credential"))
	if err != nil {
		return err
	}
	if p.Way == nil {
		p.Errors = []ui.FieldError{{Field: "credential", Message: "Choose the credential."}}
		return h.showBatchForm(c, fiber.StatusUnprocessableEntity, p)
	}
	name, body, err := uploaded(c, "file", models.SubAccountFileBytes)
	var lines []models.SubAccountLine
	if err == nil {
		lines, err = models.ReadSubAccountFile(body, p.Way.Asked)
	}
	if list, ok := Problems(err); ok {
		p.Errors = list
		return h.showBatchForm(c, fiber.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return err
	}
	countries, _ := h.countries(c, p.Way)
	checkLines(p.Way.Provider, lines, countries)
	sum := sha256.Sum256(body)
	b, err := h.Store.KeepSubAccountBatch(c.Context(), c.Actor, models.SubAccountBatch{Environment: c.Env, CredentialID: p.Way.ID, FileName: name,
		FileDigest: hex.EncodeToString(sum[:]), Lines: lines})
	if err != nil {
		return err
	}
	return c.Redirect(views.SubAccountBatchPath(b.ID))
}

// checkLines applies the provider's rules to the rows that have no problem of their own; countries are those that the provider names, if it does.
func checkLines(d *providers.Description, lines []models.SubAccountLine, countries []ui.Option) {
	for i := range lines {
		l := &lines[i]
		if l.Problem != "" {
			continue
		}
		var all []string
		for _, x := range checkSubAccount(d, l.Spec) {
			all = append(all, x.Sentence)
		}
		if len(all) == 0 && len(countries) > 0 && l.Spec.Country != "" && !slices.ContainsFunc(countries, func(o ui.Option) bool { return o.Value == l.Spec.Country }) {
			all = append(all, "The country "+l.Spec.Country+" is not on "+d.Short+"'s list.")
		}
		l.Problem = strings.Join(all, " ")
	}
}

// uploaded reads one file of a posted form whole, up to a limit. A missing or larger one is a problem of the field.
func uploaded(c *Ctx, field string, limit int64) (name string, body []byte, err error) {
	fh, ferr := c.Fiber.FormFile(field)
	if ferr != nil {
		return "", nil, models.FieldErrorf(field, "Choose a file.")
	}
	if fh.Size > limit {
		return "", nil, models.FieldErrorf(field, "The file has %d kB; %d fit. Split it.", fh.Size>>10, limit>>10)
	}
	f, err := fh.Open()
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = f.Close() }()
	body, err = io.ReadAll(io.LimitReader(f, limit+1))
	return models.Safe(strings.ReplaceAll(fh.Filename, "/", "_"), 119), body, err
}

func (h *SubAccounts) batchPage(c *Ctx) (views.SubAccountBatchParams, error) {
	b, err := h.Store.SubAccountBatch(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return views.SubAccountBatchParams{}, err
	}
	d := describe(h.Providers, b.Provider)
	names, err := h.Store.CredentialNames(c.Context(), c.Actor, c.Env)
	p := views.SubAccountBatchParams{B: b, D: d, Asked: d.Has(providers.CanOpenSubAccounts), Me: c.Actor, Clock: c.Clock(), OnlyBad: c.Query("show") == "bad"}
	for _, n := range names {
		if n.ID == b.CredentialID {
			p.CredentialName = n.Name
		}
	}
	return p, err
}

func (h *SubAccounts) batch(c *Ctx) error {
	p, err := h.batchPage(c)
	if err != nil {
		return err
	}
	p.Page = h.crumbs(c.Page(p.B.FileName), ui.Crumb{Label: "Files", Href: views.SubAccountsPath + "/batches"}, ui.Crumb{Label: p.B.FileName})
	return c.Render(views.SubAccountBatch(p))
}

// batchLive is the part that counts; it is polled while rows are on their way, so it survives a reload.
func (h *SubAccounts) batchLive(c *Ctx) error {
	p, err := h.batchPage(c)
	if err != nil {
		return err
	}
	return c.Render(views.SubAccountBatchLive(p))
}

func (h *SubAccounts) startBatch(c *Ctx) error {
	p, err := h.batchPage(c)
	if err != nil {
		return err
	}
	here := views.SubAccountBatchPath(p.B.ID)
	n, err := h.Store.StartSubAccountBatch(c.Context(), c.Actor, c.Env, p.B.ID, p.Asked)
	switch {
	case err != nil:
		return c.Refused(here, err)
	case n == 0:
		return c.Redirect(here)
	case !p.Asked:
		return c.Done(here, strconv.Itoa(n)+" own records are made.")
	}
	return c.Done(here, strconv.Itoa(n)+" sub-accounts are written down and are sent "+strconv.Itoa(models.SubAccountsPerCall)+" a call. This page counts them.")
}

func (h *SubAccounts) withdrawBatch(c *Ctx) error {
	here := views.SubAccountBatchPath(c.Param("id"))
	n, err := h.Store.WithdrawSubAccountBatch(c.Context(), c.Actor, c.Env, c.Param("id"))
	if err != nil {
		return c.Refused(here, err)
	}
	return c.Done(here, strconv.Itoa(n)+" rows are called off. Nothing of them was sent.")
}
