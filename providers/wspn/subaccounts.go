package wspn

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
)

// pageRows is how many rows a list is asked for.
const pageRows = 50

// maxBatch is how many sub-accounts go into one call. Their limit is not documented; KYB's is 25.
const maxBatch = 25

// clientTypes are the labels of P-UC; 1 and 2 exist without a known label (WSPN-ACC-1).
func clientTypes() map[string]string {
	return map[string]string{"partnership": "3", "corporate": "4", "financial institution": "5", "exempt financial institution": "6"}
}

// subAccountFields is what P-UC asks for. Its list of client types begins at 3; the sample sends 2, whose label is not documented (WSPN-ACC-1).
func subAccountFields() []providers.Field {
	return []providers.Field{
		{Name: "company", Label: "Company, full name", Required: true, Role: providers.RoleOwner, Examples: []string{"Casa Azul Comércio Ltda"}},
		{Name: "country", Label: "Country of registration", Required: true, MaxLen: 3, Lookup: "countries", Item: "WSPN-PATH-1", Pattern: `[A-Z]{3}`,
			PatternHelp: "Write the country with three letters, for example SGP.", Examples: []string{"BRA"}},
		{Name: "type", Label: "Client type", Kind: providers.Select, Required: true, Item: "WSPN-ACC-1", Default: "4", Examples: []string{"4"}, Options: []providers.Option{
			{Value: "4", Label: "Corporate"}, {Value: "3", Label: "Partnership"}, {Value: "5", Label: "Financial institution"}, {Value: "6", Label: "Exempt financial institution"}}},
		{Name: "email", Label: "E-mail", Kind: providers.Email, Required: true, Help: "WSPN writes to it. Two sub-accounts may not share one.", Examples: []string{"ops@casa-azul.example"}},
		{Name: "username", Label: "Username", Required: true, Help: "Once per account. WSPN's list is searched by it for the new account's number, because the answer carries none.",
			Examples: []string{"casa-azul"}},
	}
}

// ListSubAccounts reads one page (P-SUB).
func (c *client) ListSubAccounts(ctx context.Context, page int) ([]providers.SubAccount, int, error) {
	a, e := c.do(ctx, call{at: subAccountList, body: map[string]any{}, page: [2]int{max(page, 1), pageRows}})
	if e != nil {
		return nil, 0, readError("WSPN's list of sub-accounts", e)
	}
	list, said := a.listed("resultList")
	if !said { // an empty list would look the same, and an account that is not listed may be opened once more
		return nil, 0, models.Errorf(models.Unavailable, "WSPN's answer holds no list of sub-accounts that can be read.")
	}
	var out []providers.SubAccount
	for _, o := range list {
		id := o.id("clientId")
		if id == 0 {
			return nil, 0, models.Errorf(models.Unavailable, "WSPN's list of sub-accounts has a line without a client id.")
		}
		out = append(out, providers.SubAccount{ID: strconv.FormatInt(id, 10), Company: clean(o.text("companyFullName"), 255), Country: clean(o.text("countryOfRegistration"), 3),
			Type: clean(o.text("companyType"), 64), State: clean(o.text("clientStatus"), 64), Username: clean(o.text("username"), 255), UserID: o.words("userId"),
			Email: clean(o.text("email"), 255), Note: clean(orElse(o.text("remark"), o.text("reason")), 500), Raw: o.raw()})
	}
	pages := pagesOf(a)
	if len(list) >= pageRows && a.child("pagination").id("pages") == 0 { // nobody has said that this is the last page
		pages = max(page, 1) + 1
	}
	return out, pages, nil
}

// pagesOf reads how many pages there are; at least the one that was read.
func pagesOf(a answer) int {
	return int(min(max(a.child("pagination").id("pages"), 1), 1_000_000))
}

// CreateSubAccount opens one (P-UC). The answer carries no id and the call no requestId: it is never repeated, and a lost answer is
// settled by listing (contract 8, row 20).
func (c *client) CreateSubAccount(ctx context.Context, s providers.SubAccount) providers.Outcome {
	if why := c.locked(userCreate); why != "" {
		return notSent("%s", why)
	}
	body, ps := c.userBody(s, "", false)
	if out := refuseProblems(ps); out != nil {
		return out
	}
	a, e := c.do(ctx, call{at: userCreate, body: body, single: true})
	if e != nil {
		return c.outcomeOf(e)
	}
	return providers.Accepted{Raw: a.raw}
}

// CreateSubAccounts opens up to 25 in one call (P-UBC). After a failure it is unknown which were made: only the list tells.
func (c *client) CreateSubAccounts(ctx context.Context, list []providers.SubAccount) providers.Outcome {
	if why := c.locked(userBatch); why != "" {
		return notSent("%s", why)
	}
	if len(list) == 0 || len(list) > maxBatch {
		return notSent("One call opens 1 to %d sub-accounts; these are %d.", maxBatch, len(list))
	}
	var bodies []any
	var ps []models.Problem
	seen := map[string]bool{}
	for i, s := range list {
		body, bad := c.userBody(s, fmt.Sprintf("Row %d: ", i+1), true)
		if email := strings.ToLower(strings.TrimSpace(s.Email)); seen[email] {
			bad = append(bad, models.Problem{Field: "email", Sentence: fmt.Sprintf("Row %d: this e-mail stands twice.", i+1)})
		} else {
			seen[email] = true
		}
		ps = append(ps, bad...)
		bodies = append(bodies, body)
	}
	if out := refuseProblems(ps); out != nil {
		return out
	}
	a, e := c.do(ctx, call{at: userBatch, body: bodies, single: true})
	if e != nil {
		return c.outcomeOf(e)
	}
	return providers.Accepted{Raw: a.raw}
}

// userBody checks and writes one sub-account. The client type is an integer alone and a string in a batch (contract 8, row 9).
func (c *client) userBody(s providers.SubAccount, where string, batch bool) (map[string]any, []models.Problem) {
	values := map[string]string{"company": strings.TrimSpace(s.Company), "country": strings.TrimSpace(s.Country), "email": strings.TrimSpace(s.Email),
		"username": strings.TrimSpace(s.Username), "type": strings.TrimSpace(s.Type)}
	ps := providers.CheckFields([]providers.Field{{Name: "company", Label: "The company's full name", Required: true},
		{Name: "country", Label: "The country", Required: true, MaxLen: 3}, {Name: "username", Label: "The username", Required: true},
		{Name: "type", Label: "The client type", Required: true},
		{Name: "email", Label: "The e-mail", Required: true, Pattern: `^[^@\s<>,;"]+@[^@\s<>,;"]+\.[^@\s<>,;"]+$`, PatternHelp: "Write an e-mail address."}}, values)
	country := countryCode(values["country"], false)
	if country == "" && values["country"] != "" {
		ps = append(ps, models.Problem{Field: "country", Sentence: quote(values["country"]) + " is no country code."})
	}
	kind := values["type"]
	if number, ok := clientTypes()[strings.ToLower(kind)]; ok {
		kind = number
	}
	if kind != "" && !containsCode(c.set.clientTypes, kind) {
		ps = append(ps, models.Problem{Field: "type", Sentence: quote(values["type"]) + " is none of WSPN's client types."})
	}
	for i := range ps {
		ps[i].Sentence = where + ps[i].Sentence
	}
	body := map[string]any{"country": country, "email": values["email"], "companyFullName": values["company"], "username": values["username"], "clientType": kind}
	if !batch {
		body["clientType"] = parseID(kind)
	}
	return body, ps
}

// SubAccountKeys lists API keys below the sub-accounts (P-SUBK). The answer may hold secrets, so the call is not recorded, and of each
// line only the members below are read.
func (c *client) SubAccountKeys(ctx context.Context, page int) (providers.Sheet, int, error) {
	a, e := c.do(ctx, call{at: subAccountKeys, body: map[string]any{}, page: [2]int{max(page, 1), pageRows}, noRecord: true})
	if e != nil {
		e.raw = nil
		return providers.Sheet{}, 0, readError("WSPN's list of API keys", e)
	}
	sheet := providers.Sheet{Columns: []string{"Client", "Name", "State", "Created"}, Note: "Keys and secrets are neither shown nor kept."}
	for _, o := range rows(a.object["resultList"]) {
		name := o.words("name")
		for _, k := range []string{"keyName", "label"} {
			name = orElse(name, o.words(k))
		}
		sheet.Rows = append(sheet.Rows, []string{o.words("clientId"), name, o.words("status"), o.words("createdTime")})
	}
	return sheet, pagesOf(a), nil
}
