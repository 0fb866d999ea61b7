package sandbox

import (
	"encoding/json"
	"net/http"
)

// findCashout looks by either id. When both are given they must name the same cashout, unless OKP-CO-2 is switched off.
func (s *Sandbox) findCashout(m map[string]any) (*cashout, *reply) {
	external, hasExternal := m["external_id"].(string)
	raw, hasID := m["cashout_id"]
	if !hasExternal && !hasID {
		r := s.cashoutError(300, "cashoutId: must not be null")
		return nil, &r
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var c *cashout
	if hasExternal {
		c = s.byExternal[external]
	}
	if hasID {
		n, ok := raw.(json.Number)
		id, err := n.Int64()
		if !ok || err != nil {
			r := s.cashoutError(300, "cashoutId: must be a number")
			return nil, &r
		}
		byID := s.byCashout[id]
		switch {
		case hasExternal && byID != c && s.setting("status_ids_must_match", "yes") == "yes":
			c = nil
		case byID != nil || !hasExternal:
			c = byID
		}
	}
	if c == nil {
		r := s.cashoutError(509, "Cashout not found")
		return nil, &r
	}
	return c, nil
}

func (s *Sandbox) cashoutStatus(c *call) reply {
	m, bad := s.cashoutAuth(c)
	if bad != nil {
		return *bad
	}
	found, missing := s.findCashout(m)
	if missing != nil {
		return *missing
	}
	return s.statusReply(found)
}

func (s *Sandbox) statusReply(c *cashout) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := map[string]any{"cashout_status": c.status, "cashout_status_description": describe(c.status)}
	if c.status == 3 {
		m["rejection_code"], m["rejection_reason"] = c.code, c.reason
	}
	if c.bankRef != "" {
		m[s.setting("status_bank_reference_field", "bank_reference_id")] = c.bankRef
	}
	return answer(http.StatusOK, m)
}

// updateCashout is hold and release: PUT with cashout_id only.
func (s *Sandbox) updateCashout(c *call) reply {
	m, bad := s.cashoutAuth(c)
	if bad != nil {
		return *bad
	}
	if m["cashout_id"] == nil {
		return s.cashoutError(300, "cashoutId: must not be null")
	}
	delete(m, "external_id")
	found, missing := s.findCashout(m)
	if missing != nil {
		return *missing
	}
	moved := false
	switch str(m, "status") {
	case "ON_HOLD":
		moved = s.move(found, []int{0}, 5, 0, "")
	case "PENDING":
		if moved = s.move(found, []int{5}, 0, 0, ""); moved {
			s.autosettleCashout(found)
		}
	default:
		return s.cashoutError(521, "Status not supported")
	}
	if !moved {
		return s.cashoutError(510, "Invalid status transition")
	}
	return s.statusReply(found)
}

// cancelCashout is a DELETE with a body; both ids are required and must match.
func (s *Sandbox) cancelCashout(c *call) reply {
	m, bad := s.cashoutAuth(c)
	if bad != nil {
		return *bad
	}
	id, isNumber := m["cashout_id"].(json.Number)
	external := str(m, "external_id")
	if !isNumber || external == "" {
		return s.cashoutError(300, "cashoutId, externalId: must not be null")
	}
	s.mu.Lock()
	n, _ := id.Int64()
	found := s.byCashout[n]
	code, _ := s.takeForced("cancel")
	s.mu.Unlock()
	if found == nil || found.external != external {
		return s.cashoutError(509, "Cashout not found")
	}
	if code != 0 {
		return s.cashoutError(code, "The cashout could not be cancelled")
	}
	from := []int{0, 5}
	if s.setting("cancel_from_on_hold", "yes") == "no" {
		from = []int{0}
	}
	if !s.move(found, from, 2, 0, "") {
		return s.cashoutError(510, "Invalid status transition")
	}
	return s.statusReply(found)
}
