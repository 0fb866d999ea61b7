package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"countinghouse/models"
)

const ipRuleSelect = `SELECT r.id, r.scope, r.role, r.credential_id, r.list, r.cidr, r.note, r.expires_us, r.created_us, r.created_by, COALESCE(u.name, ''),
	r.hit_us, COALESCE(c.name, ''), COALESCE(c.provider, ''), COALESCE(c.environment, ''), r.told, r.told_us, COALESCE(t.name, ''), r.told_exchange
	FROM ip_rules r LEFT JOIN users u ON u.id = r.created_by LEFT JOIN credentials c ON c.id = r.credential_id LEFT JOIN users t ON t.id = r.told_by`

// ipRules reads the rules of a scope that were not removed, also those that have ended.
func (tx *Tx) ipRules(scope models.IPScope) (list []models.IPRule, err error) {
	err = tx.Each(func(r *sql.Rows) error {
		var x models.IPRule
		err := r.Scan(&x.ID, &x.Scope, &x.Role, &x.CredentialID, &x.List, &x.CIDR, &x.Label, &x.Expires, &x.Created, &x.CreatedBy, &x.CreatedName,
			&x.Hit, &x.Credential, &x.Provider, &x.Environment, &x.Told, &x.ToldAt, &x.ToldName, &x.Exchange)
		list = append(list, x)
		return err
	}, ipRuleSelect+" WHERE r.scope = ? AND r.removed_us = 0 ORDER BY r.role, c.name, r.list, r.cidr, r.id", scope)
	return list, err
}

// IPRules lists the address rules of a scope, also those that have ended; of webhooks and egress those of one environment's credentials.
func (s *Store) IPRules(ctx context.Context, actor models.Actor, scope models.IPScope, env models.Environment) (list []models.IPRule, err error) {
	if err := mayReadRules(actor); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(q *Tx) error {
		list, err = q.ipRules(scope)
		return err
	})
	if scope == models.ScopeWebhook || scope == models.ScopeEgress {
		list = slices.DeleteFunc(list, func(r models.IPRule) bool { return r.Environment != env })
	}
	return list, err
}

func mayReadRules(actor models.Actor) error {
	if actor.Can(models.AllowlistManage) || actor.Can(models.PeopleRead) {
		return nil
	}
	return actor.Require(models.AllowlistManage)
}

// NewIPRule is what an admin enters.
type NewIPRule struct {
	Scope        models.IPScope
	Role         models.Role // console; empty: everybody
	CredentialID string      // webhook and egress
	List         string      // egress; the caller has looked it up in the provider's description
	CIDR         string
	Label        string
	Expires      models.Micros // zero: it does not end
	Wide         bool          // the person has said that a very large network is meant
}

// maxRules bounds the rules of one scope: they are read with every request that they guard.
const maxRules = 500

// ruleChange is a rule that is to be added or removed, with who asked for it and from where: the lock-out check looks at both again when
// somebody else agrees.
type ruleChange struct {
	Rule     models.IPRule `json:"rule"`
	AuthorID string        `json:"author_id"`
	AuthorIP string        `json:"author_ip"`
}

// AddRule lets a network in. The first rule of a door shuts everybody else out, so a rule that would do this to its author, now or when a
// rule ends, is refused when it is asked for and again when it takes effect. With another admin in the house it waits for them (pending).
// Permission allowlist.manage and a fresh second factor.
func (s *Store) AddRule(ctx context.Context, actor models.Actor, n NewIPRule) (pending bool, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		if err := s.manageRules(actor, tx.Now); err != nil {
			return err
		}
		rule, err := tx.readRule(n)
		if err != nil {
			return err
		}
		change := ruleChange{Rule: rule, AuthorID: actor.UserID, AuthorIP: actor.IP}
		if err := tx.checkNewRule(actor, change); err != nil {
			return err
		}
		pending, err = tx.askOrApply(actor, proposed{kind: "ip_rule.add", subject: models.NewID(), payload: change, after: rule, sentence: ruleSentence(rule)})
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

// readRule checks what was entered; all mistakes are told at once.
func (tx *Tx) readRule(n NewIPRule) (models.IPRule, error) {
	rule := models.IPRule{Scope: n.Scope, Expires: n.Expires}
	prefix, cerr := models.ParseNetwork(n.CIDR)
	label, lerr := models.ParseLabel(n.Label)
	var werr, eerr error
	if wide, addresses := models.WideNetwork(prefix); cerr == nil && wide && !n.Wide {
		werr = models.FieldErrorf("wide", "%s has %s addresses. If you mean all of them, say so.", prefix, addresses)
	}
	if n.Expires != 0 && n.Expires <= tx.Now {
		eerr = models.FieldErrorf("expires", "A rule cannot end before it begins. Choose a day from today on, or none.")
	}
	rule.CIDR, rule.Label = prefix.String(), label
	derr := tx.readDoor(n, &rule)
	if derr == nil && cerr == nil && rule.Scope == models.ScopeEgress && rule.Environment == models.Live && models.PrivateNetwork(prefix) {
		cerr = models.FieldErrorf("cidr", "%s is an address inside a house. A provider never sees it; enter the one that your calls leave by.", prefix)
	}
	return rule, joinFields(derr, cerr, lerr, werr, eerr)
}

// readDoor checks what a rule guards.
func (tx *Tx) readDoor(n NewIPRule, rule *models.IPRule) error {
	switch n.Scope {
	case models.ScopeConsole:
		if n.Role != "" && !slices.Contains(models.Roles(), n.Role) {
			return models.FieldErrorf("role", "There is no role %q.", n.Role)
		}
		rule.Role = n.Role
		return nil
	case models.ScopeAPI:
		return nil
	case models.ScopeWebhook, models.ScopeEgress:
		c, err := tx.credential(n.CredentialID, "")
		if models.Is(err, models.NotFound) {
			return models.FieldErrorf("credential", "Choose one of the credentials.")
		}
		if err != nil {
			return err
		}
		if c.State == models.CredentialRevoked {
			return models.FieldErrorf("credential", "%s is revoked: nothing calls by it any more.", c.Name)
		}
		rule.CredentialID, rule.Credential, rule.Provider, rule.Environment = c.ID, c.Name, c.Provider, c.Environment
		if n.Scope == models.ScopeEgress {
			rule.List = clean(n.List)
		}
		return nil
	}
	return models.FieldErrorf("scope", "There are no address rules of this kind.")
}

// ruleSentence says a rule as the second admin reads it.
func ruleSentence(r models.IPRule) string {
	end := "."
	if r.Expires != 0 {
		end = " until " + r.Expires.Time().UTC().Format("2006-01-02 15:04 MST") + "."
	}
	if r.Label != "" {
		end = " (" + r.Label + ")" + end
	}
	switch r.Scope {
	case models.ScopeWebhook:
		return fmt.Sprintf("Take webhooks of %s from %s%s", r.Credential, r.CIDR, end)
	case models.ScopeEgress:
		list := ""
		if r.List != "" {
			list = ", list " + r.List
		}
		return fmt.Sprintf("Note %s among the addresses that the provider of %s knows of us%s%s", r.CIDR, r.Credential, list, end)
	case models.ScopeAPI:
		return fmt.Sprintf("Let %s use API keys%s", r.CIDR, end)
	}
	whom := "everybody"
	if r.Role != "" {
		whom = "the role " + string(r.Role)
	}
	return fmt.Sprintf("Let %s into the console for %s%s", r.CIDR, whom, end)
}

func (tx *Tx) checkNewRule(actor models.Actor, c ruleChange) error {
	rules, err := tx.ipRules(c.Rule.Scope)
	if err != nil {
		return err
	}
	if len(rules) >= maxRules {
		return models.FieldErrorf("cidr", "There are %d rules of this kind already. Remove some, or join neighbouring networks into one.", len(rules))
	}
	if err := c.Rule.CheckNew(rules); err != nil {
		return err
	}
	return tx.lockOut(actor, c, rules, append(slices.Clone(rules), c.Rule))
}

// lockOut refuses rules under which whoever agrees, or whoever asked, could not use the console any more. Of the asker it looks at the address
// from which they asked and at the one from which they were seen last.
func (tx *Tx) lockOut(actor models.Actor, c ruleChange, before, after []models.IPRule) error {
	if c.Rule.Scope != models.ScopeConsole {
		return nil
	}
	if actor.UserID != "" { // the command line has no address
		if at, locked := models.LocksOut(before, after, actor.Roles, actor.IP, tx.Now); locked {
			return lockedOut("you", "you are", actor.IP, at, tx.Now)
		}
	}
	if c.AuthorID == "" || c.AuthorID == actor.UserID {
		return nil
	}
	row, err := tx.user(c.AuthorID)
	if err != nil {
		return err
	}
	roles, err := tx.roles(c.AuthorID)
	if err != nil {
		return err
	}
	addresses := []string{c.AuthorIP}
	open, err := tx.openSessions(c.AuthorID)
	if err != nil {
		return err
	}
	if len(open) > 0 {
		addresses = append(addresses, slices.MaxFunc(open, func(a, b models.Session) int { return int(a.Seen - b.Seen) }).IP)
	}
	for _, ip := range addresses {
		if at, locked := models.LocksOut(before, after, roles, ip, tx.Now); locked {
			return lockedOut(row.Name, "they are", ip, at, tx.Now)
		}
	}
	return nil
}

func lockedOut(who, are, ip string, at, now models.Micros) error {
	if at > now {
		return models.FieldErrorf("cidr", "From %s on this would lock %s out: %s at %s, and what lets them in ends then. Add a rule without an end for that address first.",
			at.Time().UTC().Format("2006-01-02 15:04 MST"), who, are, ip)
	}
	return models.FieldErrorf("cidr", "This would lock %s out: %s at %s, which these rules would not hold. Add a rule for that address first.", who, are, ip)
}

func (tx *Tx) applyIPRule(actor models.Actor, id string, payload []byte) error {
	var c ruleChange
	if err := json.Unmarshal(payload, &c); err != nil {
		return fmt.Errorf("an address rule: %w", err)
	}
	r := c.Rule
	if !r.InForce(tx.Now) {
		return models.Errorf(models.Conflict, "This rule has ended before anybody agreed to it. It can only be rejected.")
	}
	if err := tx.checkNewRule(actor, c); err != nil {
		return err
	}
	told := models.Told("")
	if r.Scope == models.ScopeEgress {
		told = models.ToSend
	}
	tx.keysChanged() // what is kept opened for webhooks is read anew
	return tx.Exec(`INSERT INTO ip_rules (id, scope, role, credential_id, list, cidr, note, expires_us, created_us, created_by, removed_us, told)
		VALUES (?,?,?,?,?,?,?,?,?,?,0,?)`, id, r.Scope, r.Role, r.CredentialID, r.List, r.CIDR, r.Label, r.Expires, tx.Now, c.AuthorID, told)
}

// RemoveRule takes a rule away, under the same conditions as adding one.
func (s *Store) RemoveRule(ctx context.Context, actor models.Actor, id string) (pending bool, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		if err := s.manageRules(actor, tx.Now); err != nil {
			return err
		}
		change := ruleChange{AuthorID: actor.UserID, AuthorIP: actor.IP}
		rule, err := tx.checkRemoval(actor, id, change)
		if err != nil {
			return err
		}
		change.Rule = rule
		pending, err = tx.askOrApply(actor, proposed{kind: "ip_rule.remove", subject: id, payload: change, before: rule,
			sentence: fmt.Sprintf("Take the address rule %s away: %s", rule.CIDR, ruleSentence(rule))})
		return err
	})
	return pending, err
}

func (tx *Tx) ipRule(id string) (models.IPRule, []models.IPRule, error) {
	var scope models.IPScope
	err := tx.QueryRow("SELECT scope FROM ip_rules WHERE id = ? AND removed_us = 0", id).Scan(&scope)
	if IsNoRow(err) {
		return models.IPRule{}, nil, models.Errorf(models.NotFound, "There is no such rule.")
	}
	if err != nil {
		return models.IPRule{}, nil, err
	}
	rules, err := tx.ipRules(scope)
	if err != nil {
		return models.IPRule{}, nil, err
	}
	i := slices.IndexFunc(rules, func(r models.IPRule) bool { return r.ID == id })
	if i < 0 {
		return models.IPRule{}, nil, models.Errorf(models.NotFound, "There is no such rule.")
	}
	return rules[i], rules, nil
}

func (tx *Tx) checkRemoval(actor models.Actor, id string, c ruleChange) (models.IPRule, error) {
	rule, rules, err := tx.ipRule(id)
	if err != nil {
		return rule, err
	}
	c.Rule = rule
	after := slices.DeleteFunc(slices.Clone(rules), func(r models.IPRule) bool { return r.ID == id })
	return rule, tx.lockOut(actor, c, rules, after)
}

func (tx *Tx) applyIPRuleRemoval(actor models.Actor, id string, payload []byte) error {
	var c ruleChange
	if err := json.Unmarshal(payload, &c); err != nil {
		return fmt.Errorf("the removal of an address rule: %w", err)
	}
	if _, err := tx.checkRemoval(actor, id, c); err != nil {
		return err
	}
	tx.keysChanged()
	return tx.Exec("UPDATE ip_rules SET removed_us = ? WHERE id = ? AND removed_us = 0", tx.Now, id)
}

// hitEvery is how often the last use of one rule is written down at most.
const hitEvery = 10 * time.Minute

// NoteHit remembers that a rule let somebody in. It costs a write per rule and ten minutes, however many come.
func (s *Store) NoteHit(ctx context.Context, ruleID string) error {
	if !s.knocks.due("hit "+ruleID, s.Now(), hitEvery) {
		return nil
	}
	return s.Update(ctx, func(tx *Tx) error { return tx.hit([]string{ruleID}) })
}

func (tx *Tx) hit(ids []string) error {
	for _, id := range ids {
		if err := tx.Exec("UPDATE ip_rules SET hit_us = ? WHERE id = ? AND hit_us < ?", tx.Now, id, tx.Now); err != nil {
			return err
		}
	}
	return nil
}
