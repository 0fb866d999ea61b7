package sandbox

import (
	"strings"
	"time"
)

func (s *Sandbox) balance(f fields) reply {
	if bad := f.only(); bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return data(map[string]any{"currency": "USDT", "available": s.available.text(), "hold": s.hold.text()})
}

func (s *Sandbox) statistics(f fields) reply {
	if bad := f.only("from", "to"); bad != nil {
		return *bad
	}
	var ends [2]time.Time
	for i, name := range []string{"from", "to"} {
		text, _, _ := f.text(name)
		when, err := time.Parse(time.RFC3339, text)
		if err != nil || !strings.HasSuffix(text, "Z") {
			return *invalid(name + " must be a moment in UTC")
		}
		ends[i] = when
	}
	if !ends[0].Before(ends[1]) {
		return *invalid("from must come before to")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]any{}
	for kind, name := range map[string]string{"payin": "payIn", "payout": "payOut"} {
		all, good, sum, goodSum := 0, 0, parseAmount("0", 2), parseAmount("0", 2)
		for _, o := range s.list {
			if o.kind != kind {
				continue
			}
			all, sum = all+1, sum.plus(o.amount)
			if o.status == "completed" {
				good, goodSum = good+1, goodSum.plus(o.amount)
			}
		}
		out[name] = map[string]any{"count": all, "countSuccess": good, "amount": sum.text(), "amountSuccess": goodSum.text()}
	}
	return data(out)
}
