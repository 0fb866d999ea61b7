package wspn

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"countinghouse/providers"
)

// limits of KYB submissions (P-KYB, P-KYBB). A limit of the total size exists too, but its number is not known.
const (
	kybFiles     = 20
	kybCompanies = 25
)

// SubmitKYB hands over the documents of one company. There is no requestId, so nothing is repeated.
func (c *client) SubmitKYB(ctx context.Context, subAccountID string, docs []providers.Document) providers.Outcome {
	if why := c.locked(kybSubmit); why != "" {
		return notSent("%s", why)
	}
	if why := badKYB(subAccountID, docs); why != "" {
		return notSent("%s", why)
	}
	var files []filePart
	for _, d := range docs {
		files = append(files, filePart{c.set.kybFields[1], d})
	}
	return c.sendKYB(ctx, kybSubmit, [][2]string{{c.set.kybFields[0], subAccountID}}, files)
}

// SubmitKYBBatch hands over the documents of up to 25 companies: kyb[0].clientId, kyb[0].files, … in the order of their ids.
func (c *client) SubmitKYBBatch(ctx context.Context, docs map[string][]providers.Document) providers.Outcome {
	if why := c.locked(kybBatch); why != "" {
		return notSent("%s", why)
	}
	if len(docs) == 0 || len(docs) > kybCompanies {
		return notSent("One call takes 1 to %d companies; these are %d.", kybCompanies, len(docs))
	}
	var ids []string
	for id := range docs {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var params [][2]string
	var files []filePart
	for i, id := range ids {
		if why := badKYB(id, docs[id]); why != "" {
			return notSent("Client %s: %s", clean(id, 20), why)
		}
		params = append(params, [2]string{fmt.Sprintf("kyb[%d].%s", i, c.set.kybFields[0]), id})
		for _, d := range docs[id] {
			files = append(files, filePart{fmt.Sprintf("kyb[%d].%s", i, c.set.kybFields[1]), d})
		}
	}
	return c.sendKYB(ctx, kybBatch, params, files)
}

func badKYB(id string, docs []providers.Document) string {
	if parseID(id) == 0 {
		return "The client id must be WSPN's number of the sub-account."
	}
	if len(docs) == 0 || len(docs) > kybFiles {
		return fmt.Sprintf("WSPN takes 1 to %d files of a company; these are %d.", kybFiles, len(docs))
	}
	seen := map[string]bool{}
	for _, d := range docs {
		name := strings.ToLower(strings.TrimSpace(d.Name))
		switch {
		case name == "" || len(d.Body) == 0:
			return "A file is empty or has no name."
		case seen[name]:
			return "Two files are called " + quote(d.Name) + ": WSPN wants every name once."
		}
		seen[name] = true
	}
	return ""
}

func (c *client) sendKYB(ctx context.Context, at endpoint, params [][2]string, files []filePart) providers.Outcome {
	form, kind, err := multipartBody(params, files)
	if err != nil {
		return notSent("The files cannot be written into a form: %s.", err)
	}
	a, e := c.do(ctx, call{at: at, form: form, formType: kind, single: true})
	if e != nil {
		return c.outcomeOf(e)
	}
	return providers.Accepted{Raw: a.raw}
}
