package web

import (
	"context"

	"countinghouse/models"
	"countinghouse/models/store"
)

// The demonstration's addresses are from the ranges that RFC 5737 keeps for examples.
const (
	demoEgress = "203.0.113.7"   // where its calls are said to come from
	demoMoved  = "198.51.100.24" // where they came from before the house moved
)

// addresses makes the address rules of a house that moved lately: providers know the old address or the new one, one of them has to be told yet,
// webhooks of the first are taken from the stand-in only, and a rule for the office waits for the second admin.
func (d *demonstration) addresses(ctx context.Context) error {
	for i, a := range d.accounts {
		for j, l := range a.Description.AddressLists {
			cidr := demoEgress
			if i == len(d.accounts)-1 {
				cidr = demoMoved
			}
			n := store.NewIPRule{Scope: models.ScopeEgress, CredentialID: a.CredentialID, List: l.ID, CIDR: cidr, Label: "Main server"}
			id, err := d.agreedRule(ctx, n)
			if err != nil {
				return err
			}
			if j == 0 {
				if err := d.rt.Store.MarkTold(ctx, d.as("admin"), id, models.Sent); err != nil {
					return err
				}
			}
		}
	}
	if len(d.accounts) > 0 {
		hooks := store.NewIPRule{Scope: models.ScopeWebhook, CredentialID: d.accounts[0].CredentialID, CIDR: "127.0.0.1", Label: "Stand-in on this machine"}
		if _, err := d.agreedRule(ctx, hooks); err != nil {
			return err
		}
		stranger := models.Refused{Scope: models.ScopeWebhook, CredentialID: d.accounts[0].CredentialID, IP: "192.0.2.66"}
		if err := d.rt.Store.NoteRefused(ctx, stranger); err != nil {
			return err
		}
	}
	_, err := d.rt.Store.AddRule(ctx, d.as("admin"), store.NewIPRule{Scope: models.ScopeConsole, Role: models.Compliance, CIDR: "203.0.113.0/24", Label: "Office Lisbon"})
	return err
}

// agreedRule asks for a rule as one admin and agrees as the other.
func (d *demonstration) agreedRule(ctx context.Context, n store.NewIPRule) (id string, err error) {
	s := d.rt.Store
	if _, err := s.AddRule(ctx, d.as("admin"), n); err != nil {
		return "", err
	}
	waiting, err := s.PendingChanges(ctx, d.as("admin2"))
	if err != nil {
		return "", err
	}
	for _, c := range waiting {
		if _, err := s.ApproveChange(ctx, d.as("admin2"), c.ID); err != nil {
			return "", err
		}
		id = c.Subject
	}
	return id, nil
}
