package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"countinghouse/models"
)

// MarkTold notes that a provider was told an address of ours, or that it still has to be. Whether it knows the address is shown by calls, never
// by a mark. Permission allowlist.manage and a fresh second factor.
func (s *Store) MarkTold(ctx context.Context, actor models.Actor, ruleID string, told models.Told) error {
	return s.Update(ctx, func(tx *Tx) error {
		if err := s.manageRules(actor, tx.Now); err != nil {
			return err
		}
		if told != models.ToSend && told != models.Sent {
			return models.Errorf(models.Invalid, "Only calls show whether a provider knows an address.")
		}
		rule, _, err := tx.ipRule(ruleID)
		if err != nil {
			return err
		}
		if rule.Scope != models.ScopeEgress {
			return models.Errorf(models.Invalid, "Only addresses of ours are told to providers.")
		}
		if rule.Told == told {
			return models.Errorf(models.Conflict, "It is marked so already.")
		}
		sentence := fmt.Sprintf("Told the provider of %s that we call from %s.", rule.Credential, rule.CIDR)
		if told == models.ToSend {
			sentence = fmt.Sprintf("The provider of %s still has to be told that we call from %s.", rule.Credential, rule.CIDR)
		}
		if err := tx.setTold(rule.ID, told, actor.UserID, ""); err != nil {
			return err
		}
		return tx.Audit(actor, "ip_rule.told", "ip_rule", rule.ID, map[string]any{"told": rule.Told}, map[string]any{"told": told}, sentence)
	})
}

func (tx *Tx) setTold(id string, told models.Told, by, exchange string) error {
	return tx.Exec("UPDATE ip_rules SET told = ?, told_us = ?, told_by = ?, told_exchange = ? WHERE id = ?", told, tx.Now, by, exchange, id)
}

// NoteCallers keeps what exchanges showed about the address that we call from, the newest per list of a provider, and moves the addresses that we
// believe the provider knows: a call from one that was let in confirms it, a refusal says that it is not on the list. caller is the configured
// address, if any. For the recorder, which asks for at most one write per list and ten minutes unless something changed.
func (s *Store) NoteCallers(ctx context.Context, seen []models.CallerSeen, caller string) error {
	return s.Update(ctx, func(tx *Tx) error {
		for _, x := range seen {
			x.Address = cut(clean(x.Address), 45)
			n, err := tx.Change(`INSERT INTO egress_seen (credential_id, list, refused, address, address_us, at_us, exchange_id) VALUES (?,?,?,?,?,?,?)
				ON CONFLICT (credential_id, list) DO UPDATE SET refused = excluded.refused, at_us = excluded.at_us, exchange_id = excluded.exchange_id,
				address = CASE WHEN excluded.address <> '' THEN excluded.address ELSE egress_seen.address END,
				address_us = CASE WHEN excluded.address <> '' THEN excluded.address_us ELSE egress_seen.address_us END
				WHERE egress_seen.at_us <= excluded.at_us`, x.CredentialID, x.List, x.Refused, x.Address, x.At, x.At, x.ExchangeID)
			if err != nil {
				return fmt.Errorf("note the address that a provider saw: %w", err)
			}
			if n == 0 {
				continue // older than what is known
			}
			if err := tx.moveTold(x, caller); err != nil {
				return err
			}
		}
		return nil
	})
}

// moveTold moves the addresses that one exchange speaks about. Where the address is not known nothing is concluded.
func (tx *Tx) moveTold(x models.CallerSeen, caller string) error {
	address := x.Address
	if address == "" {
		address = caller
	}
	if address == "" {
		if err := tx.QueryRow("SELECT address FROM egress_seen WHERE address <> '' ORDER BY address_us DESC LIMIT 1").Scan(&address); err != nil {
			if IsNoRow(err) {
				return nil
			}
			return err
		}
	}
	rules, err := tx.ipRules(models.ScopeEgress)
	if err != nil {
		return err
	}
	to, word := models.Confirmed, "let a call from %s in"
	if x.Refused {
		to, word = models.NotLet, "refused a call from %s"
	}
	for _, r := range rules {
		if r.CredentialID != x.CredentialID || r.List != x.List || !r.InForce(tx.Now) || !r.Holds(address) || r.Told == to {
			continue
		}
		if err := tx.setTold(r.ID, to, "", x.ExchangeID); err != nil {
			return err
		}
		if err := tx.Audit(models.System("read_address"), "ip_rule.seen", "ip_rule", r.ID, map[string]any{"told": r.Told}, map[string]any{"told": to, "exchange": x.ExchangeID},
			fmt.Sprintf("The provider of %s "+word+".", r.Credential, address)); err != nil {
			return err
		}
	}
	return nil
}

// Callers gives what is known about the addresses that providers see us call from, per credential and list; env empty: of both environments.
func (s *Store) Callers(ctx context.Context, actor models.Actor, env models.Environment) (list []models.CallerSeen, err error) {
	if err := actor.Require(models.CredentialsRead); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(q *Tx) error {
		list = nil
		return q.Each(func(r *sql.Rows) error {
			var x models.CallerSeen
			err := r.Scan(&x.CredentialID, &x.List, &x.Refused, &x.Address, &x.At, &x.ExchangeID)
			list = append(list, x)
			return err
		}, `SELECT e.credential_id, e.list, e.refused, e.address, e.at_us, e.exchange_id FROM egress_seen e JOIN credentials c ON c.id = e.credential_id
			WHERE ? = '' OR c.environment = ? ORDER BY e.address_us DESC, e.credential_id, e.list`, string(env), string(env))
	})
	return list, err
}

// EgressOf gives everything about what providers know of us in an environment: our addresses on their lists, and what calls showed.
// Permission credentials.read.
func (s *Store) EgressOf(ctx context.Context, actor models.Actor, env models.Environment) (rules []models.IPRule, seen []models.CallerSeen, err error) {
	if seen, err = s.Callers(ctx, actor, env); err != nil {
		return nil, nil, err
	}
	err = s.View(ctx, func(q *Tx) error {
		rules, err = q.ipRules(models.ScopeEgress)
		return err
	})
	rules = slices.DeleteFunc(rules, func(r models.IPRule) bool { return r.Environment != env })
	return rules, seen, err
}

// Learned is the address that a provider named last when it refused us; empty if none ever did.
func Learned(seen []models.CallerSeen) string {
	for _, x := range seen { // the newest address first
		if strings.TrimSpace(x.Address) != "" {
			return x.Address
		}
	}
	return ""
}
