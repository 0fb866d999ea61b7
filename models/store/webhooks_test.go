package store_test

import (
	"fmt"
	"strings"
	"testing"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

// The list must stay as quick at a million deliveries as at ten: every filter of the page is served by an index, in the order of the list.
func TestEveryFilterOfTheWebhooksListHasItsIndex(t *testing.T) {
	s := storetest.SQLite(t)
	for name, c := range map[string]struct {
		filter models.DeliveryFilter
		index  string
		sorts  bool // few rows, sorted after they were found
	}{
		"all":            {models.DeliveryFilter{}, "webhook_deliveries_list", false},
		"older":          {models.DeliveryFilter{Before: "01"}, "webhook_deliveries_list", false},
		"a state":        {models.DeliveryFilter{State: models.DeliveryDead}, "webhook_deliveries_state", false},
		"forged":         {models.DeliveryFilter{Trust: "forged"}, "webhook_deliveries_state", false},
		"a provider":     {models.DeliveryFilter{Provider: "onekey"}, "webhook_deliveries_provider", false},
		"a reference":    {models.DeliveryFilter{Reference: "CH1"}, "webhook_deliveries_provider_ref", true},
		"a transaction":  {models.DeliveryFilter{TransactionID: "t"}, "webhook_deliveries_transaction", false},
		"older and dead": {models.DeliveryFilter{State: models.DeliveryDead, Before: "01"}, "webhook_deliveries_state", false},
	} {
		c.filter.Environment = models.Sandbox
		query, args := store.DeliveriesQuery(c.filter)
		rows, err := s.ReadDB().QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		defer rows.Close() //nolint:errcheck // read to its end
		var plan strings.Builder
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&plan, detail)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		got := plan.String()
		if !strings.Contains(got, c.index) || strings.Contains(got, "SCAN") || !c.sorts && strings.Contains(got, "TEMP B-TREE") {
			t.Errorf("%s does not go by %s:\n%s", name, c.index, got)
		}
	}
}
