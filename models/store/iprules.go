package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"countinghouse/models"
)

const ipRuleColumns = "r.id, r.scope, r.role, r.credential_id, r.cidr, r.note, r.created_us, r.created_by, COALESCE(u.name, '')"

func (tx *Tx) ipRules(scope models.IPScope) (list []models.IPRule, err error) {
	err = tx.Each(func(r *sql.Rows) error {
		var x models.IPRule
		err := r.Scan(&x.ID, &x.Scope, &x.Role, &x.CredentialID, &x.CIDR, &x.Note, &x.Created, &x.CreatedBy, &x.CreatedName)
		list = append(list, x)
		return err
	}, "SELECT "+ipRuleColumns+" FROM ip_rules r LEFT JOIN users u ON u.id = r.created_by WHERE r.scope = ? AND r.removed_us = 0 ORDER BY r.role, r.cidr, r.id", scope)
	return list, err
}

// IPRules lists the address rules of a scope that are in force.
func (s *Store) IPRules(ctx context.Context, actor models.Actor, scope models.IPScope) (list []models.IPRule, err error) {
	if !actor.Can(models.AllowlistManage) && !actor.Can(models.PeopleRead) {
		return nil, actor.Require(models.AllowlistManage)
	}
	err = s.View(ctx, func(q *Tx) error {
		list, err = q.ipRules(scope)
		return err
	})
	return list, err
}

// AddConsoleRule lets a network into the console, for one role or for everybody. The first rule for a role shuts everybody else of that role
// out, so a rule that would do this to its author is refused, when it is asked for and again when it takes effect.
func (s *Store) AddConsoleRule(ctx context.Context, actor models.Actor, role models.Role, cidr, note string) (pending bool, err error) {
	rule := models.IPRule{Scope: models.ScopeConsole, Role: role, Note: cut(clean(strings.TrimSpace(note)), 200)}
	err = s.Update(ctx, func(tx *Tx) error {
		if err := s.manageRules(actor, tx.Now); err != nil {
			return err
		}
		if role != "" && !slices.Contains(models.Roles(), role) {
			return models.FieldErrorf("role", "There is no role %q.", role)
		}
		p, err := models.ParseNetwork(cidr)
		if err != nil {
			return err
		}
		rule.CIDR = p.String()
		if err := tx.checkNewRule(actor, rule); err != nil {
			return err
		}
		whom := "everybody"
		if role != "" {
			whom = "the role " + string(role)
		}
		pending, err = tx.askOrApply(actor, proposed{kind: "ip_rule.add", subject: models.NewID(), payload: rule, after: rule,
			sentence: fmt.Sprintf("Let %s into the console for %s.", rule.CIDR, whom)})
		return err
	})
	return pending, err
}

func (s *Store) manageRules(actor models.Actor, now models.Micros) error {
	if err := actor.Require(models.AllowlistManage); err != nil {
		return err
	}
	return actor.RequireStepUp(now)
}

func (tx *Tx) checkNewRule(actor models.Actor, rule models.IPRule) error {
	rules, err := tx.ipRules(models.ScopeConsole)
	if err != nil {
		return err
	}
	for _, r := range rules {
		if r.CIDR == rule.CIDR && r.Role == rule.Role {
			return models.FieldErrorf("cidr", "There is such a rule already.")
		}
	}
	return lockOut(actor, append(rules, rule))
}

// lockOut refuses rules under which their author could not use this page any more.
func lockOut(actor models.Actor, rules []models.IPRule) error {
	if actor.UserID == "" {
		return nil // the command line has no address
	}
	if ok, _ := models.ConsoleAllows(rules, actor.Roles, actor.IP); !ok {
		return models.FieldErrorf("cidr", "This would lock you out: you are at %s, which these rules would not hold. Add a rule for your own address first.", actor.IP)
	}
	return nil
}

func (tx *Tx) applyIPRule(actor models.Actor, id string, payload []byte) error {
	var rule models.IPRule
	if err := json.Unmarshal(payload, &rule); err != nil {
		return fmt.Errorf("an address rule: %w", err)
	}
	if err := tx.checkNewRule(actor, rule); err != nil {
		return err
	}
	return tx.Exec("INSERT INTO ip_rules (id, scope, role, credential_id, cidr, note, created_us, created_by, removed_us) VALUES (?,?,?,?,?,?,?,?,0)",
		id, rule.Scope, rule.Role, rule.CredentialID, rule.CIDR, rule.Note, tx.Now, actor.UserID)
}

// RemoveConsoleRule takes a rule away, under the same conditions as adding one.
func (s *Store) RemoveConsoleRule(ctx context.Context, actor models.Actor, id string) (pending bool, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		if err := s.manageRules(actor, tx.Now); err != nil {
			return err
		}
		rule, err := tx.checkRemoval(actor, id)
		if err != nil {
			return err
		}
		pending, err = tx.askOrApply(actor, proposed{kind: "ip_rule.remove", subject: id, payload: struct{}{}, before: rule,
			sentence: fmt.Sprintf("Take the address rule %s away.", rule.CIDR)})
		return err
	})
	return pending, err
}

func (tx *Tx) checkRemoval(actor models.Actor, id string) (models.IPRule, error) {
	rules, err := tx.ipRules(models.ScopeConsole)
	if err != nil {
		return models.IPRule{}, err
	}
	i := slices.IndexFunc(rules, func(r models.IPRule) bool { return r.ID == id })
	if i < 0 {
		return models.IPRule{}, models.Errorf(models.NotFound, "There is no such rule.")
	}
	rule := rules[i]
	return rule, lockOut(actor, slices.Delete(rules, i, i+1))
}

func (tx *Tx) applyIPRuleRemoval(actor models.Actor, id string) error {
	if _, err := tx.checkRemoval(actor, id); err != nil {
		return err
	}
	return tx.Exec("UPDATE ip_rules SET removed_us = ? WHERE id = ? AND removed_us = 0", tx.Now, id)
}
