package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"countinghouse/models"
)

// The forms and pages of KYB are the domain's, by the names that this package uses.
type (
	KYBCaseForm         = models.KYBCaseForm
	KYBFilter           = models.KYBFilter
	KYBDocumentForm     = models.KYBDocumentForm
	KYBDocumentPage     = models.KYBDocumentPage
	KYBDocumentFilter   = models.KYBDocumentFilter
	KYBDocumentRow      = models.KYBDocumentRow
	KYBSubmissionFilter = models.KYBSubmissionFilter
	KYBSubmissionPage   = models.KYBSubmissionPage
	KYBCasePage         = models.KYBCasePage
	KYBRunPage          = models.KYBRunPage
	KYBHome             = models.KYBHome
)

// KYBRulesOf gives a provider's list of what it wants to know about companies; ok is false for a provider without one.
// settings are a credential's; nil means that only the lists matter.
type KYBRulesOf func(provider string, env models.Environment, settings map[string]string) (rules models.KYBRules, ok bool)

// UseKYB gives the store the providers' lists. Without them nothing is missing and nothing falls due. Set once at start.
func (s *Store) UseKYB(f KYBRulesOf) { s.kybRules = f }

func (s *Store) rulesOf(provider string) (models.KYBRules, bool) {
	if s.kybRules == nil {
		return models.KYBRules{}, false
	}
	return s.kybRules(provider, models.Sandbox, nil)
}

func foldName(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

const caseColumns = `id, environment, company, country, company_type, reg_number, note, state, documents, missing, questions, next_day, next_what,
	created_us, created_by, created_by_name, updated_us, version`

func scanCase(r scanner) (c models.KYBCase, err error) {
	err = r.Scan(&c.ID, &c.Environment, &c.Company, &c.Country, &c.Type, &c.RegNumber, &c.Note, &c.State, &c.Documents, &c.Missing, &c.Questions, &c.NextDay, &c.NextWhat,
		&c.CreatedAt, &c.CreatedBy, &c.CreatedName, &c.UpdatedAt, &c.Version)
	return c, err
}

// CreateKYBCase opens a case for a company. A company has one case in an environment. Permission kyb.manage.
func (s *Store) CreateKYBCase(ctx context.Context, a models.Actor, env models.Environment, form KYBCaseForm) (c models.KYBCase, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		if err := a.Require(models.KYBManage); err != nil {
			return err
		}
		if c, err = form.Check(); err != nil {
			return err
		}
		c.ID, c.Environment, c.State, c.CreatedAt, c.UpdatedAt, c.CreatedBy, c.CreatedName, c.Version = models.NewID(), env, models.CaseCollecting, tx.Now, tx.Now, a.UserID, a.Name, 1
		if err := tx.insertCase(c); err != nil {
			return err
		}
		if err := tx.kybEvent(c.ID, a, "opened", "Case opened"); err != nil {
			return err
		}
		return tx.Audit(a, "kyb.open", "kyb_case", c.ID, nil, form, "Opened the KYB case of "+c.Company+".")
	})
	return c, err
}

func (tx *Tx) insertCase(c models.KYBCase) error {
	n, err := tx.Change(`INSERT INTO kyb_cases (`+caseColumns+`, company_fold) VALUES (?,?,?,?,?,?,?,?,0,0,0,'','',?,?,?,?,?,?) ON CONFLICT DO NOTHING`,
		c.ID, c.Environment, c.Company, c.Country, c.Type, c.RegNumber, c.Note, c.State, c.CreatedAt, c.CreatedBy, c.CreatedName, c.UpdatedAt, c.Version, foldName(c.Company))
	if err == nil && n == 0 {
		return models.FieldErrorf("company", "There is a case for this company in this country already.")
	}
	if err != nil {
		return err
	}
	return tx.caseWords(c.ID, c.Environment, c.Company, c.RegNumber)
}

// ChangeKYBCase writes down what is known of the company now. version is the one that the person saw. Permission kyb.manage.
func (s *Store) ChangeKYBCase(ctx context.Context, a models.Actor, env models.Environment, id string, version int64, form KYBCaseForm) error {
	return s.Update(ctx, func(tx *Tx) error {
		if err := a.Require(models.KYBManage); err != nil {
			return err
		}
		want, err := form.Check()
		if err != nil {
			return err
		}
		c, err := tx.kybCase(env, id)
		if err != nil {
			return err
		}
		if c.Version != version {
			return models.Errorf(models.Conflict, "Somebody changed this case after you opened it. Look at it again.")
		}
		var taken bool
		if err := tx.QueryRow("SELECT EXISTS (SELECT 1 FROM kyb_cases WHERE environment = ? AND company_fold = ? AND country = ? AND id <> ?)", env, foldName(want.Company), want.Country, id).Scan(&taken); err != nil {
			return err
		}
		if taken {
			return models.FieldErrorf("company", "There is a case for this company in this country already.")
		}
		if err := tx.Exec("UPDATE kyb_cases SET company = ?, company_fold = ?, country = ?, company_type = ?, reg_number = ?, note = ? WHERE id = ?",
			want.Company, foldName(want.Company), want.Country, want.Type, want.RegNumber, want.Note, id); err != nil {
			return err
		}
		if err := tx.caseWords(id, env, want.Company, want.RegNumber); err != nil {
			return err
		}
		if err := tx.refreshCase(id); err != nil {
			return err
		}
		if err := tx.kybEvent(id, a, "changed", "Company changed"); err != nil {
			return err
		}
		return tx.Audit(a, "kyb.change", "kyb_case", id, KYBCaseForm{Company: c.Company, Country: c.Country, Type: string(c.Type), RegNumber: c.RegNumber, Note: c.Note}, form, "Changed the KYB case of "+want.Company+".")
	})
}

func (tx *Tx) kybCase(env models.Environment, id string) (models.KYBCase, error) {
	c, err := scanCase(tx.QueryRow("SELECT "+caseColumns+" FROM kyb_cases WHERE id = ? AND environment = ?", id, env))
	if IsNoRow(err) {
		return c, models.Errorf(models.NotFound, "There is no such case.")
	}
	return c, err
}

func (tx *Tx) kybEvent(caseID string, a models.Actor, what, sentence string) error {
	name := a.Name
	if a.UserID == "" {
		name = ""
	}
	return tx.Exec("INSERT INTO kyb_events (id, case_id, at_us, what, sentence, actor_name) VALUES (?,?,?,?,?,?)", models.NewID(), caseID, tx.Now, what, models.Safe(sentence, 500), name)
}

// refreshCase works out anew what the case's row and the calendar say of it. Every change of a case calls it in its own transaction.
func (tx *Tx) refreshCase(id string) error { return tx.recountCase(id, tx.Now, 1) }

// recountCase does the work; the figures alone may change without the case's version.
func (tx *Tx) recountCase(id string, at models.Micros, step int) error {
	c, err := scanCase(tx.QueryRow("SELECT "+caseColumns+" FROM kyb_cases WHERE id = ?"+tx.ForUpdate(), id))
	if err != nil {
		return err
	}
	docs, err := tx.kybDocuments(id)
	if err != nil {
		return err
	}
	links, err := tx.kybLinks(id)
	if err != nil {
		return err
	}
	deadlines := models.Deadlines(c, links, tx.Store.rulesOf, docs)
	if err := tx.Exec("DELETE FROM kyb_deadlines WHERE case_id = ?", id); err != nil {
		return err
	}
	next, what := models.Date(""), ""
	c.Documents, c.Missing = 0, 0
	for i, d := range deadlines {
		if next == "" && d.What != models.DeadlineDue {
			next, what = d.Day, d.Sentence
		}
		if err := tx.Exec("INSERT INTO kyb_deadlines (case_id, seq, environment, day, what, document_id, link_id, provider, account, requirement, sentence) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
			id, i, c.Environment, d.Day, d.What, d.DocumentID, d.LinkID, d.Provider, d.Account, d.Requirement, d.Sentence); err != nil {
			return err
		}
	}
	for _, d := range docs {
		if d.State == models.DocumentKept {
			c.Documents++
		}
	}
	for _, d := range deadlines {
		if d.What == models.DeadlineDue && d.Day <= models.DateOf(linkOpened(links, d.LinkID)) {
			c.Missing++
		}
	}
	state, err := tx.caseState(id)
	if err != nil {
		return err
	}
	var questions int64
	if err := tx.QueryRow("SELECT COUNT(*) FROM kyb_tasks WHERE case_id = ? AND state = 'open'", id).Scan(&questions); err != nil {
		return err
	}
	return tx.Exec("UPDATE kyb_cases SET state = ?, documents = ?, missing = ?, questions = ?, next_day = ?, next_what = ?, updated_us = CASE WHEN ? > 0 THEN ? ELSE updated_us END, version = version + ? WHERE id = ?",
		state, c.Documents, c.Missing, questions, next, what, step, at, step, id)
}

func linkOpened(links []models.KYBLink, id string) models.Micros {
	if i := slices.IndexFunc(links, func(l models.KYBLink) bool { return l.ID == id }); i >= 0 {
		return links[i].OpenedAt
	}
	return 0
}

// caseState looks at the newest submission of every account.
func (tx *Tx) caseState(id string) (models.KYBState, error) {
	seen := map[string]bool{}
	var newest []models.KYBState
	err := tx.Each(func(r *sql.Rows) error {
		var link string
		var state models.KYBState
		if err := r.Scan(&link, &state); err != nil {
			return err
		}
		if !seen[link] && state != models.SubWithdrawn && state != models.SubRejected && state != models.SubGivenUp {
			seen[link] = true
			newest = append(newest, state)
		}
		return nil
	}, "SELECT link_id, state FROM kyb_submissions WHERE case_id = ? ORDER BY created_us DESC, id DESC", id)
	return models.CaseState(newest), err
}

// RefreshKYB works out every case anew, for when a new version of the program brings other lists. It gives how many there are. For tasks.
func (s *Store) RefreshKYB(ctx context.Context) (n int, err error) {
	var ids []string
	if err := s.View(ctx, func(tx *Tx) (err error) {
		ids, err = tx.texts("SELECT id FROM kyb_cases ORDER BY id")
		return err
	}); err != nil {
		return 0, err
	}
	for part := range slices.Chunk(ids, 20) {
		if err := s.Update(ctx, func(tx *Tx) error {
			for _, id := range part {
				if err := tx.recountCase(id, 0, 0); err != nil {
					return fmt.Errorf("case %s: %w", id, err)
				}
			}
			return nil
		}); err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}

// KYBCaseList is one page of cases, newest first.
type KYBCaseList struct {
	Rows         []models.KYBCase
	Newer, Older models.Cursor
}

// KYBCases lists cases. Permission kyb.read.
func (s *Store) KYBCases(ctx context.Context, a models.Actor, f KYBFilter) (*KYBCaseList, error) {
	if err := a.Require(models.KYBRead); err != nil {
		return nil, err
	}
	if f.Limit <= 0 || f.Limit > 200 {
		f.Limit = 50
	}
	out := new(KYBCaseList)
	err := s.View(ctx, func(tx *Tx) error {
		out.Rows = nil
		query, args, page, err := tx.casesQuery(f)
		if err != nil {
			return err
		}
		if err := tx.Each(func(r *sql.Rows) error {
			c, err := scanCase(r)
			out.Rows = append(out.Rows, c)
			return err
		}, query, args...); err != nil {
			return err
		}
		out.Rows, out.Newer, out.Older = cutPage(page, out.Rows, func(c models.KYBCase) models.Cursor { return models.Cursor{At: c.CreatedAt, ID: c.ID} })
		return nil
	})
	return out, err
}

// casesQuery is the query of one page of cases.
func (tx *Tx) casesQuery(f KYBFilter) (string, []any, keyset, error) {
	page := keyset{"created_us", "id", f.Cursor, f.Limit}
	where, args := "environment = ?", []any{f.Environment}
	if f.State != "" {
		where, args = where+" AND state = ?", append(args, f.State)
	}
	if f.Missing {
		where += " AND missing > 0"
	}
	if f.Questions {
		where += " AND questions > 0"
	}
	if f.Within > 0 {
		where, args = where+" AND next_day <> '' AND next_day <= ?", append(args, models.DateOf(tx.Now).Add(f.Within))
	}
	if f.Search != "" {
		found, more, err := tx.caseSearch(f.Environment, f.Search)
		if err != nil {
			return "", nil, page, err
		}
		where, args = where+found, append(args, more...)
	}
	after, more := page.where()
	return "SELECT " + caseColumns + " FROM kyb_cases WHERE " + where + after + page.order(), append(args, more...), page, nil
}

// keyset is one page of a list that is ordered by a moment and an id, newest first.
type keyset struct {
	at, id string // columns
	cursor models.Cursor
	limit  int
}

func (k keyset) where() (string, []any) {
	if k.cursor.At == 0 {
		return "", nil
	}
	cmp := "<"
	if k.cursor.Back {
		cmp = ">"
	}
	return fmt.Sprintf(" AND (%s, %s) %s (?, ?)", k.at, k.id, cmp), []any{k.cursor.At, k.cursor.ID}
}

func (k keyset) order() string {
	dir := "DESC"
	if k.cursor.Back {
		dir = "ASC"
	}
	return fmt.Sprintf(" ORDER BY %s %s, %s %s LIMIT %d", k.at, dir, k.id, dir, k.limit+1)
}

// cutPage takes the row too many away and says how the list goes on.
func cutPage[T any](k keyset, rows []T, at func(T) models.Cursor) (out []T, newer, older models.Cursor) {
	more := len(rows) > k.limit
	if more {
		rows = rows[:k.limit]
	}
	if k.cursor.Back {
		slices.Reverse(rows)
	}
	if len(rows) == 0 {
		return rows, newer, older
	}
	if (k.cursor.Back && more) || (!k.cursor.Back && k.cursor.At != 0) {
		newer = at(rows[0])
		newer.Back = true
	}
	if k.cursor.Back || more {
		older = at(rows[len(rows)-1])
	}
	return rows, newer, older
}
