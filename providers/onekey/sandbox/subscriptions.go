package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

type subscription struct {
	id        int64
	invoice   string
	amount    string
	currency  string
	cancelled bool
}

func (s *Sandbox) createSubscription(c *call) reply {
	if bad := s.signedAuth(c, "deposit_api_key", "deposit_api_signature"); bad != nil {
		return *bad
	}
	return s.onceOnly(c, func() reply {
		m, err := object(c.body)
		if err != nil {
			return invalid("body: malformed JSON")
		}
		if details := s.depositFields(m); len(details) > 0 {
			return invalid(details...)
		}
		plan, _ := m["subscription"].(map[string]any)
		unit, _ := plan["plan_unit"].(json.Number)
		n, _ := unit.Int64()
		_, badDate := time.Parse("2006-01-02", str(plan, "start_date"))
		_, isBool := plan["auto_renewal"].(bool)
		if badDate != nil || n < 1 || !isBool || !slices.Contains([]string{"DAILY", "WEEKLY", "MONTHLY", "ANNUALLY", "TEST"}, str(plan, "plan")) {
			return depositError(http.StatusUnprocessableEntity, 201, "", "Invalid subscription", "subscription: not valid")
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		x := &subscription{id: s.newID(), invoice: str(m, "invoice_id"), amount: numeric(m["amount"]), currency: str(m, "currency")}
		s.subs[x.id] = x
		s.executed[x.invoice]++
		return answer(http.StatusOK, map[string]any{"subscription_id": x.id, "redirect_url": "http://" + c.Host + "/_sandbox/", "expiration_date": s.now().Add(time.Hour).Format(timeText),
			"payment_amount": json.Number(x.amount), "redirect": true})
	})
}

func (s *Sandbox) oneSubscription(c *call) reply {
	if bad := s.signedAuth(c, "deposit_api_key", "deposit_api_signature"); bad != nil {
		return *bad
	}
	id, _ := strconv.ParseInt(strings.TrimPrefix(c.URL.Path, "/v3/subscriptions/"), 10, 64)
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.subs[id]
	if c.Method == http.MethodGet {
		if x == nil {
			return notFound()
		}
		state := "ACTIVE"
		if x.cancelled {
			state = "CANCELLED"
		}
		return answer(http.StatusOK, map[string]any{"subscription_id": x.id, "invoice_id": x.invoice, "amount": json.Number(x.amount), "currency": x.currency, "status": state})
	}
	switch {
	case x == nil:
		return depositError(420, 420, "SUBSCRIPTION_NOT_FOUND", "Subscription not found")
	case x.cancelled:
		return depositError(421, 421, "SUBSCRIPTION_ALREADY_CANCELLED", "Subscription already cancelled")
	}
	x.cancelled = true
	return reply{http.StatusOK, []byte("{}")}
}
