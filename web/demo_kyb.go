package web

import (
	"bytes"
	"context"
	"net/url"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/models/files"
	"countinghouse/web/demo"
)

// kybCompanies and kybPapers make the 2,000 documents of the demonstration.
const (
	kybCompanies = 100
	kybPapers    = 21
)

// papers puts one small real file of every kind into the file store.
func papers(ctx context.Context, to files.Store) (map[models.DocumentKind]demo.Kept, error) {
	out := map[models.DocumentKind]demo.Kept{}
	for _, kind := range demo.PaperKinds() {
		name, body := demo.Paper(kind)
		found, err := files.Sniff(name, bytes.NewReader(body), int64(len(body)), files.Limits{})
		if err != nil {
			return nil, err
		}
		kept, err := to.Put(ctx, "kyb/"+string(models.Sandbox)+"/demo-"+models.NewID(), bytes.NewReader(body), int64(len(body)))
		if err != nil {
			return nil, err
		}
		out[kind] = demo.Kept{Key: kept.Key, Name: name, Type: found.Type, SHA256: kept.SHA256, Size: kept.Size}
	}
	return out, nil
}

// kyb writes companies down at the first provider that takes documents, and tells its stand-in of their accounts.
func (d *demonstration) kyb(ctx context.Context) error {
	for _, a := range d.accounts {
		if a.Description.KYB == nil {
			continue
		}
		kept, err := papers(ctx, d.rt.Files)
		if err != nil {
			return err
		}
		rules := a.Description.KYB(models.Sandbox, nil)
		at := demo.KYBAccount{CredentialID: a.CredentialID, Rules: rules, Words: map[models.KYBStanding]string{}}
		for word, standing := range standInWords(rules) {
			at.Words[standing] = word
		}
		seeds := demo.Companies(d.cmd.Seed, kybCompanies, kybPapers, time.Now(), at, kept)
		for i := range seeds {
			l := &seeds[i].Link
			d.tell(ctx, a, "member", url.Values{"client": {l.Account}, "company": {seeds[i].Case.Company}, "country": {seeds[i].Case.Country}, "word": {l.Word}, "remark": {l.WordNote}})
			seeds[i].Submission.SentName, seeds[i].Case.CreatedBy, seeds[i].Case.CreatedName = d.people["compliance"].Name, d.people["compliance"].UserID, d.people["compliance"].Name
		}
		return d.rt.Store.FillKYB(ctx, d.people["compliance"], seeds)
	}
	return nil
}

// standInWords are a provider's words by what they mean, in the letter case in which people read them.
func standInWords(r models.KYBRules) map[string]models.KYBStanding {
	out := map[string]models.KYBStanding{}
	for word, standing := range r.States {
		out[titleCase(word)] = standing
	}
	return out
}

// kybToday prepares documents through the store as people would: some wait for the second person, some may leave.
func (d *demonstration) kybToday(ctx context.Context) error {
	list, err := d.rt.Store.KYBCases(ctx, d.as("compliance"), models.KYBFilter{Environment: models.Sandbox, State: models.CaseCollecting, Limit: 8})
	if err != nil {
		return err
	}
	for _, a := range d.accounts {
		if a.Description.KYB != nil {
			d.tell(ctx, a, "kyb-verdict", url.Values{"outcome": {"mixed"}, "after_ms": {"9000"}})
		}
	}
	for i, c := range list.Rows {
		page, err := d.rt.Store.KYBCase(ctx, d.as("compliance"), models.Sandbox, c.ID)
		if err != nil {
			return err
		}
		if len(page.Links) == 0 || len(page.Documents) == 0 || i > 5 {
			continue
		}
		var ids []string
		for _, doc := range page.Documents {
			ids = append(ids, doc.ID)
		}
		sub, err := d.rt.Store.PrepareKYB(ctx, d.as("compliance"), models.Sandbox, c.ID, page.Links[0].ID, ids, "")
		if err != nil {
			return err
		}
		if i < 2 {
			continue // these wait for the second person
		}
		requests, err := d.rt.Store.KYBSubmission(ctx, d.as("compliance"), models.Sandbox, sub.ID)
		if err != nil {
			return err
		}
		for _, r := range requests.Requests {
			if _, err := d.rt.Store.Decide(ctx, d.as("compliance2"), models.Sandbox, r.ID, true, "", r.Digest); err != nil {
				return err
			}
		}
	}
	_, err = d.rt.Store.RemindKYB(ctx)
	return err
}

// titleCase writes every word with a large first letter.
func titleCase(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
		if w == "kyc" {
			words[i] = "KYC"
		}
	}
	return strings.Join(words, " ")
}
