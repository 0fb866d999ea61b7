package handlers

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// Policies serves the rules of who must agree to what. Nothing here changes a rule: a change is filed, and another admin decides on it.
type Policies struct {
	Store     *store.Store
	Providers *providers.Registry
}

// Routes are the lines of the table.
func (h *Policies) Routes() []Route {
	return []Route{
		{Method: fiber.MethodGet, Path: "/settings/policies", Name: "policies", Permission: models.TransactionsRead, Section: "settings", Handle: h.list},
		{Method: fiber.MethodGet, Path: "/settings/policies/new", Name: "policies.new", Permission: models.PoliciesManage, StepUp: true, Section: "settings", Handle: h.fresh},
		{Method: fiber.MethodGet, Path: "/settings/policies/:id", Name: "policies.edit", Permission: models.PoliciesManage, StepUp: true, Section: "settings", Handle: h.edit},
		{Method: fiber.MethodPost, Path: "/settings/policies", Name: "policies.file", Permission: models.PoliciesManage, StepUp: true, Section: "settings", Handle: h.file},
		{Method: fiber.MethodPost, Path: "/settings/policies/:id/delete", Name: "policies.delete", Permission: models.PoliciesManage, StepUp: true, Section: "settings", Handle: h.remove},
	}
}

func (h *Policies) list(c *Ctx) error {
	p := views.PoliciesParams{Me: c.Actor, Clock: c.Clock(), Providers: providerOptions(h.Providers)}
	var err error
	if p.Rules, err = h.Store.Policies(c.Context(), c.Actor); err != nil {
		return err
	}
	if p.Waiting, err = h.Store.WaitingPolicies(c.Context(), c.Actor); err != nil {
		return err
	}
	p.Page = c.Page("Approval rules")
	return c.Render(views.Policies(p))
}

// step is how far the positions of new rules lie apart, so that a rule fits between two.
const step = 10

func (h *Policies) fresh(c *Ctx) error {
	rules, err := h.Store.Policies(c.Context(), c.Actor)
	if err != nil {
		return err
	}
	f := views.PolicyForm{Position: strconv.Itoa(step), Approvers: "1", Role: string(models.Finance), Hours: "24"}
	if n := len(rules); n > 0 {
		f.Position = strconv.Itoa(rules[n-1].Position + step)
	}
	return h.form(c, fiber.StatusOK, views.PolicyParams{Form: f})
}

func (h *Policies) edit(c *Ctx) error {
	p, err := h.find(c, c.Param("id"))
	if err != nil {
		return err
	}
	return h.form(c, fiber.StatusOK, views.PolicyParams{Form: formOfPolicy(p), Now: &p})
}

func (h *Policies) find(c *Ctx, id string) (models.Policy, error) {
	rules, err := h.Store.Policies(c.Context(), c.Actor)
	if err != nil {
		return models.Policy{}, err
	}
	for _, p := range rules {
		if p.ID == id {
			return p, nil
		}
	}
	return models.Policy{}, models.Errorf(models.NotFound, "There is no such rule.")
}

func (h *Policies) form(c *Ctx, status int, p views.PolicyParams) error {
	p.Providers, p.Clock = providerOptions(h.Providers), c.Clock()
	title := "New rule"
	if p.Now != nil {
		title = "Change a rule"
	}
	p.Page = c.Page(title)
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "Settings", Href: "/settings"}, {Label: "Approval rules", Href: views.PoliciesPath}, {Label: title}}
	return c.RenderStatus(status, views.PolicyPage(p))
}

// file reads the form and files the change.
func (h *Policies) file(c *Ctx) error {
	f := views.PolicyForm{ID: c.Form("id"), Name: c.Form("name"), Position: c.Form("position"), Environment: c.Form("environment"), Kind: c.Form("kind"), Provider: c.Form("provider"),
		Asset: c.Form("asset"), Min: c.Form("min"), Max: c.Form("max"), DayPerson: c.Form("day_person"), DayParty: c.Form("day_party"), NewParty: c.Form("new_party") == "1",
		Approvers: c.Form("approvers"), Role: c.Form("role"), Hours: c.Form("ttl")}
	params := views.PolicyParams{Form: f}
	if f.ID != "" {
		now, err := h.find(c, f.ID)
		if err != nil {
			return err
		}
		params.Now = &now
	}
	p, problems := h.policyOf(f)
	err := models.Problems(problems)
	if err == nil {
		err = p.Check()
	}
	if err == nil {
		err = h.Store.RequestPolicyChange(c.Context(), c.Actor, store.PolicyChange{Policy: p})
	}
	if errs, ok := Problems(err); ok {
		params.Errors = errs
		return h.form(c, fiber.StatusUnprocessableEntity, params)
	}
	if err != nil {
		return c.Refused(views.PoliciesPath, err)
	}
	return c.Done(views.PoliciesPath, "Filed. The rule holds as soon as another admin agrees.")
}

func (h *Policies) remove(c *Ctx) error {
	p, err := h.find(c, c.Param("id"))
	if err != nil {
		return err
	}
	if err := h.Store.RequestPolicyChange(c.Context(), c.Actor, store.PolicyChange{Policy: p, Delete: true}); err != nil {
		return c.Refused(views.PoliciesPath, err)
	}
	return c.Done(views.PoliciesPath, "Filed. The rule goes as soon as another admin agrees.")
}

// policyOf reads what was typed. What cannot be read is named; the rules of a rule are models.Policy.Check's.
func (h *Policies) policyOf(f views.PolicyForm) (p models.Policy, problems []models.Problem) {
	bad := func(field, sentence string) {
		problems = append(problems, models.Problem{Field: field, Sentence: sentence})
	}
	p = models.Policy{ID: f.ID, Environment: models.Environment(f.Environment), Kind: models.Kind(f.Kind), Asset: f.Asset, NewParty: f.NewParty, Role: models.Role(f.Role)}
	var err error
	if p.Name, err = models.CleanText("name", f.Name, 100, true); err != nil {
		bad("name", "Give the rule a name that people will recognise on a timeline.")
	}
	whole := func(field, text string, to *int, low, high int) {
		n, ok := Number(text)
		if !ok || n < int64(low) || n > int64(high) {
			bad(field, "Write a whole number from "+strconv.Itoa(low)+" to "+strconv.Itoa(high)+".")
			return
		}
		*to = int(n)
	}
	hours := 0
	whole("position", f.Position, &p.Position, 0, 1_000_000)
	whole("approvers", f.Approvers, &p.Approvers, 0, 5)
	whole("ttl", f.Hours, &hours, 1, 720)
	p.TTL = time.Duration(hours) * time.Hour
	if f.Provider != "" {
		if _, ok := h.Providers.Get(f.Provider); !ok {
			bad("provider", "There is no such provider.")
		}
		p.Provider = f.Provider
	}
	for _, m := range []struct {
		field, text string
		to          *int64
	}{{"min", f.Min, &p.MinMinor}, {"max", f.Max, &p.MaxMinor}, {"day_person", f.DayPerson, &p.DayPerson}, {"day_party", f.DayParty, &p.DayParty}} {
		switch {
		case m.text == "":
		case f.Asset == "":
			bad(m.field, "A limit needs a currency.")
		default:
			amount, err := models.PositiveMoney(m.text, f.Asset)
			if err != nil {
				bad(m.field, sentence(err))
			}
			*m.to = amount.Minor
		}
	}
	return p, problems
}

func formOfPolicy(p models.Policy) views.PolicyForm {
	limit := func(minor int64) string {
		if minor == 0 {
			return ""
		}
		return models.Money{Minor: minor, Asset: p.Asset}.Plain()
	}
	return views.PolicyForm{ID: p.ID, Name: p.Name, Position: strconv.Itoa(p.Position), Environment: string(p.Environment), Kind: string(p.Kind), Provider: p.Provider, Asset: p.Asset,
		Min: limit(p.MinMinor), Max: limit(p.MaxMinor), DayPerson: limit(p.DayPerson), DayParty: limit(p.DayParty), NewParty: p.NewParty,
		Approvers: strconv.Itoa(p.Approvers), Role: string(p.Role), Hours: strconv.Itoa(max(1, int(p.TTL/time.Hour)))}
}
