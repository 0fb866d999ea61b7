package web

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
)

// benchPapers is how many documents each company of the benchmark has.
const benchPapers = 2

// kyb writes down companies with as many documents as the house is to have, two of each. They are laid out so that a page says as much in a small house
// as in a large one: one document ends every third day from today on, in the large house for years, and everything that is due has been due for long.
func (h *benchHouse) kyb(ctx context.Context) error {
	s, who := h.demo.rt.Store, h.demo.people["compliance"]
	s.UseKYB(kybRulesOf(h.demo.rt.Providers))
	there, err := s.KYBDocuments(ctx, who, models.KYBDocumentFilter{Environment: models.Sandbox, Limit: 1})
	if err != nil || len(there.Rows) > 0 {
		return err
	}
	names, err := s.CredentialNames(ctx, who, models.Sandbox)
	if err != nil {
		return err
	}
	for _, n := range names {
		if p, ok := h.demo.rt.Providers.Get(n.Provider); ok && p.Description.KYB != nil {
			return s.FillKYB(ctx, who, h.companies(n.ID, n.Provider, time.Now()))
		}
	}
	return errors.New("no provider of the benchmark takes documents")
}

func (h *benchHouse) companies(credentialID, provider string, now time.Time) (out []store.KYBSeed) {
	today := models.DateOf(models.At(now))
	for i := range h.documents / benchPapers {
		opened := models.At(now.AddDate(0, 0, -400).Add(-time.Duration(i) * time.Minute))
		c := models.KYBCase{ID: models.NewID(), Environment: models.Sandbox, Company: fmt.Sprintf("Kontor b%05d Handels GmbH", i), Country: "DEU", Type: "corporate", State: models.CaseCollecting,
			CreatedAt: opened, UpdatedAt: opened, Version: 1}
		x := store.KYBSeed{Case: c, Link: models.KYBLink{ID: models.NewID(), CaseID: c.ID, Environment: models.Sandbox, Provider: provider, CredentialID: credentialID, Account: fmt.Sprint(700000 + i),
			Standing: models.KYBNone, OpenedAt: opened}}
		for k := range benchPapers {
			at := opened.Add(time.Duration(k+1) * time.Second)
			d := models.KYBDocument{ID: models.NewID(), CaseID: c.ID, Environment: models.Sandbox, Kind: "other", Issuer: "Amtsgericht Hamburg", Expires: today.Add(3 * (i*benchPapers + k)), CreatedAt: at}
			d.Current = models.KYBVersion{ID: models.NewID(), DocumentID: d.ID, Number: 1, Key: "kyb/sandbox/bench", Name: "paper.pdf", Type: "application/pdf", Size: 1000, SHA256: fmt.Sprintf("%064d", i),
				Scan: "unscanned", ScanNote: "made by bench"}
			x.Documents = append(x.Documents, store.KYBSeedDocument{KYBDocument: d})
		}
		out = append(out, x)
	}
	return out
}

func documentsOf(h *benchHouse) int { return h.documents }

// kybPages are the pages of KYB. A first page shows more rows where there are more, so it is shown and not judged; the oldest ten cases and twenty
// documents are as many in every house, and lie behind all the others.
func kybPages() []page {
	of := func(name string, flat bool, path func(context.Context, *benchHouse) (string, error)) page {
		return page{name: name, flat: flat, as: "compliance", of: path, size: documentsOf}
	}
	nextMonth := time.Now().AddDate(0, 0, 1-time.Now().Day()).AddDate(0, 1, 0)
	return []page{
		of("KYB cases, the first page", false, fixed("/kyb")),
		of("KYB cases, the oldest ten", true, func(ctx context.Context, h *benchHouse) (string, error) {
			list, err := h.demo.rt.Store.KYBCases(ctx, h.demo.as("compliance"), models.KYBFilter{Environment: models.Sandbox, Cursor: models.Cursor{At: 1, ID: "0", Back: true}, Limit: 11})
			if err != nil || len(list.Rows) < 11 {
				return "/kyb", err
			}
			return "/kyb?after=" + url.QueryEscape(models.Cursor{At: list.Rows[0].CreatedAt, ID: list.Rows[0].ID}.String()), nil
		}),
		of("KYB cases, search by a word", true, func(_ context.Context, h *benchHouse) (string, error) {
			return fmt.Sprintf("/kyb?q=b%05d", h.documents/benchPapers/2), nil
		}),
		of("KYB documents, the first page", false, fixed("/kyb/documents")),
		of("KYB documents, the oldest twenty", true, func(ctx context.Context, h *benchHouse) (string, error) {
			list, err := h.demo.rt.Store.KYBDocuments(ctx, h.demo.as("compliance"), models.KYBDocumentFilter{Environment: models.Sandbox, Cursor: models.Cursor{At: 1, ID: "0", Back: true}, Limit: 21})
			if err != nil || len(list.Rows) < 21 {
				return "/kyb/documents", err
			}
			return "/kyb/documents?after=" + url.QueryEscape(models.Cursor{At: list.Rows[0].CreatedAt, ID: list.Rows[0].ID}.String()), nil
		}),
		of("KYB calendar, a month", true, fixed("/kyb/calendar?month="+nextMonth.Format("2006-01"))),
		of("KYB calendar, a day", true, fixed("/kyb/calendar?month="+nextMonth.Format("2006-01")+"&day="+nextMonth.AddDate(0, 0, 4).Format(time.DateOnly))),
		of("KYB case", true, func(ctx context.Context, h *benchHouse) (string, error) {
			list, err := h.demo.rt.Store.KYBCases(ctx, h.demo.as("compliance"), models.KYBFilter{Environment: models.Sandbox, Limit: 1})
			if err != nil || len(list.Rows) == 0 {
				return "", errors.Join(err, errIf(err == nil, "no case"))
			}
			return "/kyb/cases/" + list.Rows[0].ID, nil
		}),
	}
}
